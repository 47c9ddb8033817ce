use super::*;

fn file(name: &str, text: &str) -> File {
    File { name: name.into(), bytes: text.as_bytes().to_vec() }
}

fn of(exit: i32, files: &[&str]) -> Verdict {
    let files = files.iter().enumerate().map(|(n, text)| file(&format!("{n}.xml"), text)).collect();
    judge(&Found { exit, path: "/junit".into(), files, ..Found::default() })
}

const GOOD: &str = r#"<testsuite name="s"><testcase classname="web" name="answers" time="0.5"/></testsuite>"#;

#[test]
fn suites_nested_or_bare_in_several_files() {
    let nested = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites><testsuite name="outer"><testsuite name="inner"><testcase name="a" time="1,000.25"/></testsuite>
<testcase classname="c" name="b"><skipped/></testcase></testsuite></testsuites>"#;
    let verdict = of(0, &[nested, GOOD]);
    assert!(verdict.passed(), "{verdict:?}");
    assert_eq!(verdict.totals(), "3 cases, 1 skipped");
    assert_eq!(verdict.time, Duration::from_millis(1_000_750));
}

#[test]
fn totals_are_counted_and_not_believed() {
    let verdict = of(0, &[r#"<testsuite tests="9" failures="4"><testcase name="a"/></testsuite>"#]);
    assert!(verdict.passed() && verdict.cases == 1, "{verdict:?}");
    let verdict = of(0, &[r#"<testsuite tests="1" failures="0"><testcase name="a"><failure/></testcase></testsuite>"#]);
    assert_eq!(verdict.why, ["the only case failed"]);
}

#[test]
fn a_failing_case_is_named_with_its_message() {
    let text = r#"<testsuite name="chat"><testcase name="ok"/>
<testcase classname="chat" name="greets"><failure message="expected &quot;ahoy&quot;&#10;found nothing">trace</failure></testcase>
<testcase name="parts"><error type="Boom">
   
  line one
  line two</error></testcase></testsuite>"#;
    let verdict = of(0, &[text]);
    assert_eq!(verdict.why, ["1 of 3 cases failed and 1 ended with an error"]);
    let told: Vec<String> = verdict.failing.iter().map(|one| format!("{} | {}", one.name, one.message)).collect();
    assert_eq!(told, ["chat: greets | expected \"ahoy\"", "chat: parts | line one"]);
    assert_eq!(verdict.totals(), "3 cases, 1 failed, 1 errored");
    // As Slack and a terminal take it.
    assert_eq!(of(1, &[text]).why[1], "the tests' container ended with exit code 1");
}

#[test]
fn what_is_run_again() {
    let flaky = r#"<testsuite><testcase name="a"><flakyFailure message="x"/></testcase></testsuite>"#;
    let verdict = of(0, &[flaky]);
    assert!(verdict.passed() && verdict.flaky == 1, "{verdict:?}");
    let never =
        r#"<testsuite><testcase name="a"><failure message="x"/><rerunFailure message="y"/></testcase></testsuite>"#;
    assert_eq!(of(0, &[never]).failing[0].message, "x");
    let alone = r#"<testsuite><testcase name="a"><rerunError message="y"/></testcase></testsuite>"#;
    assert!(!of(0, &[alone]).passed());
    // A failure that was skipped as well is one.
    assert!(!of(0, &[r#"<testsuite><testcase name="a"><skipped/><failure/></testcase></testsuite>"#]).passed());
}

#[test]
fn each_way_to_say_nothing_has_a_sentence_of_its_own() {
    assert_eq!(of(0, &[]).why, ["the tests left no JUnit file in `/junit`"]);
    assert_eq!(of(0, &[""]).why, ["the JUnit file `0.xml` is empty"]);
    assert_eq!(of(0, &["<testsuites/>"]).why, ["the JUnit files hold no test case at all"]);
    let skipped =
        r#"<testsuite><testcase name="a"><skipped/></testcase><testcase name="b" status="notrun"/></testsuite>"#;
    assert_eq!(of(0, &[skipped]).why, ["all 2 test cases were skipped"]);
    assert_eq!(of(1, &[GOOD]).why, ["the tests' container ended with exit code 1, though no case failed"]);
    assert_eq!(
        of(127, &[]).why,
        [
            "the tests left no JUnit file in `/junit`",
            "the tests' container ended with exit code 127 (its command was not found)"
        ]
    );
    let broken = of(0, &[GOOD, "<testsuite><testcase name='a'></testsuite>"]);
    assert!(broken.why[0].starts_with("the JUnit file `1.xml` is no well-formed XML: "), "{broken:?}");
    assert_eq!(broken.cases, 1);
}

#[test]
fn xml_of_another_kind_is_left_aside() {
    let verdict = of(0, &["<coverage/>", GOOD]);
    assert!(verdict.passed());
    assert_eq!(verdict.aside, ["`0.xml` is no JUnit file: it begins with `coverage`"]);
    assert_eq!(of(0, &["<coverage/>"]).why, ["the tests left no JUnit file in `/junit`"]);
}

#[test]
fn a_suite_that_fails_as_a_whole_fails() {
    let text = r#"<testsuite name="db"><error message="no database"/><testcase name="a"/></testsuite>"#;
    let verdict = of(0, &[text]);
    assert_eq!(verdict.failing, [Failing { name: "db".into(), message: "no database".into() }]);
}

#[test]
fn what_could_not_be_fetched_fails() {
    let found = Found {
        lost: vec!["`big.xml` is larger than 20 MiB".into()],
        files: vec![file("a.xml", GOOD)],
        ..Found::default()
    };
    assert_eq!(judge(&found).why, ["`big.xml` is larger than 20 MiB"]);
}

#[test]
fn what_was_stopped_says_so_and_what_failed_before() {
    let found = Found { exit: 137, stopped: Some("not done within 10 s".into()), ..Found::default() };
    assert_eq!(judge(&found).why, ["not done within 10 s"]);
    let bad = file("a.xml", r#"<testsuite><testcase name="a"><failure/></testcase></testsuite>"#);
    assert_eq!(judge(&Found { files: vec![bad], ..found }).why, ["not done within 10 s", "the only case failed"]);
}

#[test]
fn entities_and_depths_do_no_harm() {
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\">");
    for n in 0..30 {
        let inner = if n == 0 { "&a;".repeat(10) } else { format!("&e{};", n - 1).repeat(10) };
        bomb += &format!("<!ENTITY e{n} \"{inner}\">");
    }
    bomb += "]><testsuite><testcase name=\"&e29;\"/></testsuite>";
    assert_eq!(of(0, &[&bomb]).why, ["the JUnit file `0.xml` has a DTD, which is refused"]);
    let outside = "<!DOCTYPE t SYSTEM \"file:///etc/passwd\"><testsuite/>";
    assert_eq!(of(0, &[outside]).why, ["the JUnit file `0.xml` has a DTD, which is refused"]);
    let deep = format!("{}<testcase name=\"a\"/>{}", "<testsuite>".repeat(200_000), "</testsuite>".repeat(200_000));
    assert!(of(0, &[&deep]).cases <= 1);
}

#[test]
fn other_encodings_are_read() {
    let text = GOOD.replace("answers", "gr\u{fc}\u{df}t");
    let wide: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
    for bytes in [wide, latin, marked] {
        let files = vec![File { name: "a.xml".into(), bytes }];
        let verdict = judge(&Found { files, ..Found::default() });
        assert!(verdict.passed() && verdict.cases == 1, "{verdict:?}");
    }
}

#[test]
fn long_texts_are_shortened() {
    let long = "x".repeat(10_000);
    let verdict =
        of(0, &[&format!("<testsuite><testcase name=\"{long}\"><failure message=\"{long}\"/></testcase></testsuite>")]);
    assert!(verdict.failing[0].name.chars().count() <= 201 && verdict.failing[0].message.chars().count() <= 301);
}
