//! Running another program: one builder whose display is the exact shell line. A leaf.

mod begun;
mod piped;
mod stream;

pub use begun::Begun;
pub use stream::{Stream, StreamEvent};

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A command line, what it reads, and how long it may take.
#[derive(Debug, Clone)]
pub struct Cmd {
    program: PathBuf,
    args: Vec<OsString>,
    stdin: Option<String>,
    shown: Option<String>,
    env: Vec<(String, String)>,
    is_brief: bool,
    limit: Duration,
}

/// For a program in Go that runs for a moment: it lets its heap grow to five times what is in use before it collects, in place of twice. A
/// kubectl lives on so little that most of its collections free nothing that it will ever need; without them it takes a sixth less CPU (55 in
/// place of 70 ms) and 3 MiB more memory.
const BRIEF: (&str, &str) = ("GOGC", "400");

/// What is in our own environment and for nobody else: what we start does not get it.
const KEPT: [&str; 1] = ["SLACK_SHIPCAT_HOOK_URL"];

/// What came of a command that ran.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

/// Why a command has no output.
#[derive(Debug)]
pub enum Broken {
    /// It could not be started.
    Start(std::io::Error),
    /// It ran longer than it may, and was ended.
    TooLong(Duration),
    /// Its caller had no more use for it, and it was ended.
    Cancelled,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => write!(f, "could not be started: {error}"),
            Self::TooLong(limit) => write!(f, "no answer within {} s", limit.as_secs()),
            Self::Cancelled => f.write_str("given up"),
        }
    }
}

impl std::error::Error for Broken {}

impl Cmd {
    /// A program without arguments, that may take a minute.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            stdin: None,
            shown: None,
            env: Vec::new(),
            is_brief: false,
            limit: Duration::from_mins(1),
        }
    }

    /// One more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// The same without an argument, if it has that.
    pub fn without(mut self, arg: &str) -> Option<Self> {
        let all = self.args.len();
        self.args.retain(|one| one != arg);
        (self.args.len() < all).then_some(self)
    }

    /// What it reads on standard input; without this it reads nothing.
    pub fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// What is shown of what it reads, where that is not for everybody's eyes.
    pub fn shown(mut self, text: impl Into<String>) -> Self {
        self.shown = Some(text.into());
        self
    }

    /// One more variable in its environment: what it holds is on no process list.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Says that it is a program in Go which does little and ends. What the user has set for such programs counts more.
    pub fn brief(mut self) -> Self {
        self.is_brief = true;
        self
    }

    /// How long it may take before it is ended.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The line with what it reads, as bash and zsh take it.
    pub fn pasted(&self) -> String {
        let env: String = self.env.iter().map(|(name, value)| format!("{name}={} ", quote_any(value))).collect();
        match (&self.stdin, &self.shown) {
            (None, _) => format!("{env}{self}"),
            (Some(text), None) => format!("{env}{self} <<<{}", quote_any(text)),
            (Some(_), Some(shown)) => format!("{env}{self} <<<{}{MASKED}", quote_any(shown)),
        }
    }

    /// Starts it. In a process group of its own: a Ctrl-C at the terminal reaches us, and it is for us to say what becomes of
    /// a `kubectl` in the middle of a write.
    fn spawn(&self) -> std::io::Result<Child> {
        // A root that is empty but for us, as of a container made from scratch, may have no devices: a pipe that is closed at once ends as well.
        let reads_pipe = self.stdin.is_some() || !Path::new("/dev/null").exists();
        let mut command = Command::new(&self.program);
        for name in KEPT {
            command.env_remove(name);
        }
        let (name, value) = BRIEF;
        if self.is_brief && std::env::var_os(name).is_none() {
            command.env(name, value);
        }
        let mut child = command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(if reads_pipe { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        if self.stdin.is_none() {
            drop(child.stdin.take());
        }
        Ok(child)
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// If it cannot be started or takes too long. A bad exit status is no error here.
    pub fn run(&self) -> Result<Output, Broken> {
        self.run_while(|| true)
    }

    /// Runs it to its end, or for as long as it is `wanted`.
    ///
    /// # Errors
    /// As [`Cmd::run`], and [`Broken::Cancelled`].
    pub fn run_while(&self, wanted: impl Fn() -> bool) -> Result<Output, Broken> {
        self.begin()?.finish(self, wanted)
    }
}

/// Ends a child by its own handle and waits for it, so that no zombie stays.
fn end(child: &mut Child) {
    // It may have ended by itself in this moment: that is as good.
    drop(child.kill());
    drop(child.wait());
}

fn drain(pipe: Option<impl Read + Send + 'static>, done: mpsc::Sender<()>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is still what the program said.
            drop(pipe.read_to_end(&mut bytes));
        }
        let _ = done.send(());
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The line as a shell takes it; what goes to standard input is not shown.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let program = self.program.file_name().unwrap_or(self.program.as_os_str());
        f.write_str(&quote(&program.to_string_lossy()))?;
        for arg in &self.args {
            write!(f, " {}", quote(&arg.to_string_lossy()))?;
        }
        Ok(())
    }
}

/// A word as a POSIX shell takes it.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Said behind a line that is not complete.
pub const MASKED: &str = " # secret values are masked in it";

/// A text as bash and zsh take it in one line, whatever is in it.
fn quote_any(text: &str) -> String {
    // A here-string ends with a line's end of its own.
    let text = text.strip_suffix('\n').unwrap_or(text);
    if !text.chars().any(|c| c.is_control()) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let one = |c: char| match c {
        '\\' => r"\\".to_owned(),
        '\'' => r"\'".to_owned(),
        '\n' => r"\n".to_owned(),
        '\t' => r"\t".to_owned(),
        c if c.is_control() && c.is_ascii() => format!(r"\x{:02x}", c as u32),
        c => c.to_string(),
    };
    format!("$'{}'", text.chars().map(one).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_display_is_a_shell_line() {
        let cmd = Cmd::new("/usr/bin/kubectl").args(["get", "pods", "-l", "a=b", "it's", ""]);
        assert_eq!(cmd.to_string(), r"kubectl get pods -l a=b 'it'\''s' ''");
    }

    #[test]
    fn a_pasted_line_reads_the_same() {
        for text in ["{\"a\": \"it's $HOME `x` \\\\n\"}", "a\nb\t'c'\\ \u{1b}[2J é", "", "x\n"] {
            let line = Cmd::new("cat").stdin(text).pasted();
            let read = Cmd::new("bash").args(["-c", &line]).run().unwrap().stdout;
            assert_eq!(read.trim_end_matches('\n'), text.trim_end_matches('\n'), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn output_status_and_stdin_come_through() {
        let out = Cmd::new("sh").args(["-c", "cat; echo no >&2; exit 3"]).stdin("x".repeat(200_000)).run().unwrap();
        assert_eq!((out.status.code(), out.stdout.len(), out.stderr.as_str()), (Some(3), 200_000, "no\n"));
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        let cmd = Cmd::new("sleep").arg("60").limit(Duration::from_millis(100));
        assert!(matches!(cmd.run(), Err(Broken::TooLong(_))));
        assert!(matches!(Cmd::new("sleep").arg("60").run_while(|| false), Err(Broken::Cancelled)));
    }

    #[test]
    fn a_program_that_is_not_there_says_so() {
        assert!(matches!(Cmd::new("/no/such/program").run(), Err(Broken::Start(_))));
    }
}
