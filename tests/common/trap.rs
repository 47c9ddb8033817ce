//! A kubectl that does something at one point of a run: before, in or after one of the commands that the run starts. The points are counted,
//! not listed.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use super::Run;
use super::world::World;

/// A folder with that kubectl. It passes everything on to the real one, and knows what it was asked.
pub struct Trap {
    dir: tempfile::TempDir,
}

impl Trap {
    /// `read` reads the point's file, the number of the call first, into `point` and other variables; `action` is what happens there, with
    /// `$real` and the command's arguments. Where it reads `only`, no call counts as the point but one that begins with that.
    pub fn new(read: &str, action: &str) -> Self {
        let trap = Self { dir: tempfile::tempdir().unwrap() };
        let path = std::env::var_os("PATH").unwrap();
        let real: PathBuf =
            std::env::split_paths(&path).map(|dir| dir.join("kubectl")).find(|kubectl| kubectl.is_file()).unwrap();
        // Each call leaves a byte. The first that sees enough of them springs the trap, once.
        let script = format!(
            r#"#!/bin/sh
real='{real}' dir='{dir}'
printf x >> "$dir/calls"
echo "$*" >> "$dir/log"
[ -e "$dir/point" ] || exec "$real" "$@"
{read} < "$dir/point"
case "$*" in "${{only-}}"*) ;; *) exec "$real" "$@" ;; esac
[ "$(wc -c < "$dir/calls")" -ge "$point" ] && mkdir "$dir/sprung" 2>/dev/null || exec "$real" "$@"
echo "$*" > "$dir/sprung/at"
{action}
"#,
            real = real.display(),
            dir = trap.dir.path().display(),
        );
        let file = trap.dir.path().join("kubectl");
        std::fs::write(&file, script).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        trap
    }

    /// One whose point kills who called, and goes on without what that had to say.
    pub fn of_orphans() -> Self {
        let action = r#"kill -KILL $PPID
while kill -0 $PPID 2>/dev/null; do sleep 0.05; done
"$real" "$@" > /dev/null 2>&1; echo "ended with $?" >> "$dir/sprung/at""#;
        Self::new("read -r point only", action)
    }

    /// Waits for the end of such a call, and sees that it failed.
    #[track_caller]
    pub fn is_refused(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.at().contains("ended with") {
            assert!(Instant::now() < deadline, "the call never ended: {}", self.at());
            std::thread::sleep(Duration::from_millis(50));
        }
        assert!(self.at().ends_with("ended with 1\n"), "{}", self.at());
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Sets the point, or none: then calls are only counted.
    pub fn set(&self, point: Option<&str>) {
        for name in ["calls", "log", "point"] {
            drop(std::fs::remove_file(self.file(name)));
        }
        drop(std::fs::remove_dir_all(self.file("sprung")));
        if let Some(point) = point {
            std::fs::write(self.file("point"), format!("{point}\n")).unwrap();
        }
    }

    /// A command of shipcat's that takes this kubectl.
    pub fn command(&self, world: &World, args: &[&str]) -> Command {
        let path = format!("{}:{}", self.dir.path().display(), std::env::var("PATH").unwrap());
        let mut command: Command = world.command(args);
        command.env("PATH", path);
        command
    }

    pub fn run(&self, world: &World, args: &[&str]) -> Run {
        Run::of(&self.command(world, args).output().unwrap())
    }

    /// How many calls there were.
    pub fn calls(&self) -> usize {
        std::fs::read(self.file("calls")).map_or(0, |calls| calls.len())
    }

    /// The commands that were called, a line each.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.file("log")).unwrap_or_default()
    }

    /// The call at which it sprang; nothing if it did not.
    pub fn at(&self) -> String {
        std::fs::read_to_string(self.file("sprung/at")).unwrap_or_default()
    }
}
