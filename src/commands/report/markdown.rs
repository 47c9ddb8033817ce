//! Markdown, as GitHub, GitLab and Jenkins read it, of texts that come from anywhere: none of them can end the place that it stands in. Secret
//! values are masked here already: escaped, they would not be found any more.

use crate::redact;

/// How long a line of somebody's log may be.
const LINE: usize = 500;

/// A text within a line or a cell, which shows as that very text.
pub fn text(text: &str) -> String {
    let shown = printable(&redact::cover(text));
    let mut out = String::new();
    for (at, c) in shown.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A cell ends at one, also where it is escaped in some other way.
            '|' => out.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '$' | '!' => {
                out.push('\\');
                out.push(c);
            }
            // What a list or a rule would begin with.
            '-' | '+' | '=' if at == 0 => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')' if is_number(&shown[..at]) && !shown[at + 1..].starts_with(|c: char| c != ' ') => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// What a numbered list would begin with.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// One line, without control characters and what turns the text around.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|c| match c {
        '\n' | '\r' | '\t' => ' ',
        c => visible(c),
    });
    shown.collect::<String>().trim().to_owned()
}

/// A character, or what stands for one that does not show, or turns the text around.
fn visible(c: char) -> char {
    let is_odd = c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if is_odd { '\u{fffd}' } else { c }
}

/// A table; nothing where it has no rows. The cells are Markdown.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let line = |cells: &[String]| {
        let cells: Vec<&str> = cells.iter().map(|cell| if cell.is_empty() { " " } else { cell.as_str() }).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let rule = vec!["---".to_owned(); head.len()];
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{}{rows}\n", line(&head), line(&rule))
}

/// Lines as they are: logs, a story.
pub fn verbatim<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> String {
    let mut out = "<pre>\n".to_owned();
    for line in lines {
        let line = redact::cover(line.as_ref());
        let short: String = line.chars().take(LINE).collect();
        let more = if short.len() < line.len() { "\u{2026}" } else { "" };
        out += &html(&short);
        out += more;
        out.push('\n');
    }
    out + "</pre>\n\n"
}

/// What is folded up behind a headline.
pub fn folded(headline: &str, inside: &str) -> String {
    format!("<details><summary>{}</summary>\n\n{inside}</details>\n\n", html(headline))
}

/// Text within HTML.
fn html(text: &str) -> String {
    let covered = redact::cover(text);
    let shown = covered.chars().map(|c| if c == '\t' { c } else { visible(c) });
    shown.collect::<String>().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link, where it is one that leads to the web and nothing in it ends it.
pub fn link(words: &str, url: &str) -> String {
    let url = &*redact::cover(url);
    let is_good = (url.starts_with("https://") || url.starts_with("http://"))
        && url.chars().all(|c| c.is_ascii_graphic() && !"<>()\\`|\"[]".contains(c));
    if is_good { format!("[{}]({url})", text(words)) } else { text(url) }
}

#[cfg(test)]
mod tests {
    use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

    use super::*;

    const HOSTILE: [&str; 14] = [
        "a | b",
        "`a` ``b``",
        "</details></pre><script>alert(1)</script>",
        "**bold** _it_ ~~gone~~ $x$",
        "[link](https://example.com) ![img](x)",
        "# heading",
        "- item",
        "1. item",
        "12) item",
        "a \\| b \\\\| c\\",
        "&lt; &amp; &#124;",
        "--- | ---",
        "@everybody <!-- hidden",
        "=====",
    ];

    fn events(page: &str) -> Vec<Event<'_>> {
        Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).collect()
    }

    /// The text of each cell, and nothing but cells.
    fn cells(page: &str) -> Vec<String> {
        let mut cells = Vec::new();
        for event in events(page) {
            match event {
                Event::Start(Tag::TableCell) => cells.push(String::new()),
                Event::Text(text) => cells.last_mut().unwrap().push_str(&text),
                Event::Start(Tag::Table(_) | Tag::TableHead | Tag::TableRow) | Event::End(_) => {}
                other => panic!("{other:?} in {page}"),
            }
        }
        cells
    }

    #[test]
    fn a_cell_shows_the_very_text_and_stays_one() {
        for hostile in HOSTILE {
            let page = table(&["what", "more"], &[vec![text(hostile), "x".into()]]);
            assert_eq!(cells(&page), ["what", "more", hostile, "x"], "{page}");
        }
        assert_eq!(text("a\nb\u{1b}[2J\u{202e}"), "a b\u{fffd}\\[2J\u{fffd}");
    }

    #[test]
    fn a_secret_is_masked_before_it_is_escaped() {
        redact::conceal(b"pa_ss*wo|rd<9>");
        assert_eq!(text("with pa_ss*wo|rd<9>."), "with \\*\\*\\*.");
        assert_eq!(verbatim(["with pa_ss*wo|rd<9>."]), "<pre>\nwith ***.\n</pre>\n\n");
        assert_eq!(text("0.1.0"), "0.1.0");
    }

    #[test]
    fn an_item_of_a_list_stays_a_line() {
        for hostile in HOSTILE {
            let page = format!("- {}\n", text(hostile));
            let mut seen = String::new();
            for event in events(&page) {
                match event {
                    Event::Text(text) => seen.push_str(&text),
                    Event::Start(Tag::List(None) | Tag::Item) | Event::End(TagEnd::List(_) | TagEnd::Item) => {}
                    other => panic!("{other:?} in {page}"),
                }
            }
            assert_eq!(seen, hostile, "{page}");
        }
    }

    #[test]
    fn what_is_verbatim_ends_where_it_is_to_end() {
        let lines = ["one", "", "</pre></details>", "<b>&amp;", "| a |"];
        let page = folded("story </summary>", &verbatim(lines)) + "behind\n";
        let html: String = events(&page)
            .into_iter()
            .filter_map(|event| if let Event::Html(html) = event { Some(html.to_string()) } else { None })
            .collect();
        assert_eq!(
            html,
            "<details><summary>story &lt;/summary&gt;</summary>\n<pre>\none\n\n&lt;/pre&gt;&lt;/details&gt;\n&lt;b&gt;&amp;amp;\n| a |\n</pre>\n</details>\n"
        );
        let behind = events(&page).into_iter().any(|event| event == Event::Text("behind".into()));
        assert!(behind, "{page}");
        assert!(verbatim(["x".repeat(3000)]).len() < 600);
    }

    #[test]
    fn a_link_is_one_or_it_is_text() {
        assert_eq!(link("build", "https://ci/7?a=1&b=2"), "[build](https://ci/7?a=1&b=2)");
        assert_eq!(link("build", "javascript:alert(1)"), "javascript:alert(1)");
        assert!(!link("build", "https://ci/) <b>").contains("]("));
    }
}
