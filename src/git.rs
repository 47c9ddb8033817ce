//! The room for `git`: which revision of the manifests repo this is, and how it stands to another. May import `process`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process::{Cmd, Output, quote};

/// Which state of the manifests repo something was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GitState {
    /// The commit.
    pub revision: String,
    /// Whether files differ from it.
    pub dirty: bool,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its revision in short.
    pub revision: String,
    /// Whether it is on no branch: CI systems check out a revision, and no branch (a detached HEAD).
    pub is_detached: bool,
}

/// Why the state of a manifests repo is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// There is no `git` to ask.
    NoGit,
    /// It is a plain folder.
    NoRepo,
    /// Nothing was ever committed.
    NoCommit,
    /// It is of another user, so that git does not read it.
    Foreign,
    /// Anything else, in git's words.
    Unreadable(String),
}

/// Why [`GitState::of`] knows no state.
pub fn absence(root: &Path) -> Absence {
    let Some(git) = Git::at(root) else { return Absence::NoGit };
    match git.must(&["rev-parse", "--git-dir"]) {
        Ok(_) => Absence::NoCommit,
        Err(said) if said.contains("not a git repository") => Absence::NoRepo,
        Err(said) if said.contains("dubious ownership") => Absence::Foreign,
        Err(said) => Absence::Unreadable(said),
    }
}

/// What has git read a repo of another user's.
pub fn trusting(root: &Path) -> String {
    format!("git config --global --add safe.directory {}", quote(&root.to_string_lossy()))
}

/// Whether a folder looks as if it were in a repo, without asking git.
pub fn looks_like_repo(root: &Path) -> bool {
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    root.ancestors().any(|folder| folder.join(".git").exists())
}

/// Commits one file, and nothing else: the index and other changes stay as they are. Never pushes.
///
/// # Errors
/// What git says.
pub fn commit(root: &Path, path: &Path, message: &str) -> Result<Commit, String> {
    // Hooks may take their time.
    let git = Git { limit: Duration::from_mins(5), ..Git::at(root).ok_or("there is no `git` on your PATH")? };
    let path = path.to_string_lossy();
    if !git.agrees(&["ls-files", "--error-unmatch", "--", &path]) {
        // git commits by name only what it knows.
        git.must(&["add", "--intent-to-add", "--", &path])?;
    }
    git.must(&["commit", "--quiet", "--only", "--message", message, "--", &path])?;
    let revision = short(git.must(&["rev-parse", "HEAD"])?.trim());
    Ok(Commit { revision, is_detached: !git.agrees(&["symbolic-ref", "--quiet", "HEAD"]) })
}

/// Whether [`commit`] of a file can be expected to work.
///
/// # Errors
/// Why not.
pub fn can_commit(root: &Path, path: &Path) -> Result<(), String> {
    let git = Git::at(root).ok_or("there is no `git` on your PATH")?;
    let path = path.to_string_lossy();
    git.must(&["rev-parse", "--git-dir"])?;
    for (mark, what) in [
        ("MERGE_HEAD", "merge"),
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
    ] {
        let file = git.must(&["rev-parse", "--git-path", mark])?;
        if root.join(file.trim()).exists() {
            return Err(format!("the repo is in the middle of a {what}"));
        }
    }
    git.must(&["var", "GIT_COMMITTER_IDENT"])?;
    if !git.must(&["status", "--porcelain", "--", &path])?.trim().is_empty() {
        return Err(format!("`{path}` has changes that are not committed, and would be committed with it"));
    }
    if git.agrees(&["check-ignore", "--quiet", "--", &path]) {
        return Err(format!("`{path}` is ignored by git"));
    }
    Ok(())
}

/// How a checkout stands to the revision that something else came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is that revision, or has it in its history.
    Has,
    /// That revision came later, out of this one.
    Older,
    /// Neither has the other.
    Apart,
    /// The clone does not have that revision at all: somebody has pushed since it was fetched, or the history was rewritten.
    Unknown,
    /// The clone does not have its whole history, so that it cannot be told.
    Shallow,
}

impl GitState {
    /// The state of the repo at `root`; `None` where there is no git, or no repo, or no commit yet.
    pub fn of(root: &Path) -> Option<Self> {
        let git = Git::at(root)?;
        let revision = git.answer(&["rev-parse", "--verify", "HEAD"])?.trim().to_owned();
        // Only what belongs to the manifests repo: it may be a folder of a larger one.
        let dirty = git.answer(&["status", "--porcelain", "--", "."])?.lines().next().is_some();
        Some(Self { revision, dirty })
    }

    /// How this state of the repo at `root` stands to another revision. Nothing is fetched.
    pub fn standing(&self, root: &Path, revision: &str) -> Standing {
        if self.revision == revision {
            return Standing::Has;
        }
        let Some(git) = Git::at(root) else { return Standing::Shallow };
        let commit = format!("{revision}^{{commit}}");
        let is_whole = || {
            let shallow = git.answer(&["rev-parse", "--is-shallow-repository"]);
            shallow.is_some_and(|word| word.trim() == "false")
        };
        if !git.agrees(&["cat-file", "-e", &commit]) {
            return if is_whole() { Standing::Unknown } else { Standing::Shallow };
        }
        let is_in = |one: &str, other: &str| git.agrees(&["merge-base", "--is-ancestor", one, other]);
        match (is_in(revision, &self.revision), is_in(&self.revision, revision)) {
            (true, _) => Standing::Has,
            (false, true) => Standing::Older,
            (false, false) if is_whole() => Standing::Apart,
            // The way from one to the other may lead through what was not fetched.
            (false, false) => Standing::Shallow,
        }
    }

    /// `3f2c1a9`, `3f2c1a9 and local changes`.
    pub fn short(&self) -> String {
        let short = short(&self.revision);
        if self.dirty { format!("{short} and local changes") } else { short }
    }
}

/// A revision as people write it: `3f2c1a9`.
pub fn short(revision: &str) -> String {
    revision.chars().take(7).collect()
}

/// git in a folder.
struct Git<'a> {
    program: PathBuf,
    root: &'a Path,
    limit: Duration,
}

impl<'a> Git<'a> {
    fn at(root: &'a Path) -> Option<Self> {
        Some(Self { program: which::which("git").ok()?, root, limit: Duration::from_secs(10) })
    }

    fn run(&self, args: &[&str]) -> Option<Output> {
        // Its words are read, and must be the ones that we know.
        let cmd = Cmd::new(&self.program).arg("-C").arg(self.root).args(args).env("LANGUAGE", "C");
        cmd.limit(self.limit).run().ok()
    }

    /// What it says, if it agrees.
    fn answer(&self, args: &[&str]) -> Option<String> {
        self.run(args).filter(|output| output.status.success()).map(|output| output.stdout)
    }

    /// What it says, or what it complains of.
    fn must(&self, args: &[&str]) -> Result<String, String> {
        let output = self.run(args).ok_or_else(|| format!("`git {}` does not answer", args.join(" ")))?;
        let complaint = || {
            let said = output.stderr.trim();
            said.lines()
                .rfind(|line| line.starts_with("fatal: "))
                .or(said.lines().last())
                .unwrap_or("it says nothing")
                .to_owned()
        };
        if output.status.success() { Ok(output.stdout) } else { Err(complaint()) }
    }

    fn agrees(&self, args: &[&str]) -> bool {
        self.answer(args).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(root: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
        let output = std::process::Command::new("git").arg("-C").arg(root).args(identity).args(args).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit_all(root: &Path, text: &str) -> GitState {
        std::fs::write(root.join("file"), text).unwrap();
        git(root, &["add", "-A"]);
        git(root, &["commit", "-qm", text]);
        GitState::of(root).unwrap()
    }

    #[test]
    fn one_file_is_committed_and_the_rest_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let file = Path::new("a b/dev.yml");
        assert!(can_commit(root, file).unwrap_err().contains("not a git repository"));
        git(root, &["init", "-q"]);
        git(root, &["config", "user.name", "t"]);
        git(root, &["config", "user.email", "t@example.com"]);
        commit_all(root, "one");
        std::fs::create_dir(root.join("a b")).unwrap();
        std::fs::write(root.join("staged"), "x").unwrap();
        git(root, &["add", "staged"]);
        std::fs::write(root.join("file"), "dirty").unwrap();
        can_commit(root, file).unwrap();
        std::fs::write(root.join(file), "version: 1\n").unwrap();
        assert!(can_commit(root, file).unwrap_err().contains("not committed"));
        let Commit { revision, is_detached } = commit(root, file, "webapp 1 in dev").unwrap();
        assert!(!is_detached);
        let say = |args: &[&str]| Git::at(root).unwrap().must(args).unwrap();
        assert!(say(&["rev-parse", "HEAD"]).starts_with(&revision));
        assert_eq!(say(&["show", "--name-only", "--format=%s", "HEAD"]), "webapp 1 in dev\n\na b/dev.yml\n");
        assert_eq!(say(&["status", "--porcelain"]), " M file\nA  staged\n");
        std::fs::write(root.join(file), "version: 2\n").unwrap();
        commit(root, file, "webapp 2 in dev").unwrap();
        // As CI systems check out.
        git(root, &["checkout", "-q", "--detach"]);
        std::fs::write(root.join(file), "version: 3\n").unwrap();
        let Commit { revision, is_detached } = commit(root, file, "webapp 3 in dev").unwrap();
        assert!(is_detached && say(&["rev-parse", "HEAD"]).starts_with(&revision));
        std::fs::write(root.join(".git/MERGE_HEAD"), "").unwrap();
        assert_eq!(can_commit(root, file).unwrap_err(), "the repo is in the middle of a merge");
    }

    #[test]
    fn a_checkout_stands_before_behind_or_beside_another() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!(GitState::of(root), None);
        git(root, &["init", "-q"]);
        let one = commit_all(root, "one");
        let two = commit_all(root, "two");
        assert_eq!(two.standing(root, &one.revision), Standing::Has);
        assert_eq!(two.standing(root, &two.revision), Standing::Has);
        assert_eq!(one.standing(root, &two.revision), Standing::Older);
        git(root, &["checkout", "-q", &one.revision]);
        let other = commit_all(root, "other");
        assert_eq!(other.standing(root, &two.revision), Standing::Apart);
        assert_eq!(other.standing(root, &"1".repeat(40)), Standing::Unknown);
        std::fs::write(root.join("file"), "more").unwrap();
        assert_eq!(GitState::of(root).unwrap().short(), format!("{} and local changes", short(&other.revision)));

        let clone = tempfile::tempdir().unwrap();
        let from = format!("file://{}", root.display());
        git(clone.path(), &["clone", "-q", "--depth=1", &from, "."]);
        let shallow = GitState::of(clone.path()).unwrap();
        assert_eq!(shallow.standing(clone.path(), &one.revision), Standing::Shallow);
        assert_eq!(shallow.standing(clone.path(), &other.revision), Standing::Has);
        // Both are there, and the way from one to the other is not.
        let tip = commit_all(root, "tip");
        git(root, &["branch", "tip"]);
        git(clone.path(), &["fetch", "-q", "--depth=1", "origin", "tip"]);
        assert_eq!(shallow.standing(clone.path(), &tip.revision), Standing::Shallow);
        git(clone.path(), &["fetch", "-q", "--unshallow", "origin", "tip"]);
        assert_eq!(shallow.standing(clone.path(), &tip.revision), Standing::Older);
    }

    #[test]
    fn why_a_state_is_not_known() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        assert_eq!((absence(root), looks_like_repo(root)), (Absence::NoRepo, false));
        git(root, &["init", "-q"]);
        assert_eq!((absence(root), looks_like_repo(root)), (Absence::NoCommit, true));
        assert_eq!(GitState::of(root), None);
        std::fs::write(root.join(".git/config"), "[core\n").unwrap();
        assert!(matches!(absence(root), Absence::Unreadable(said) if said.contains("bad config")));
    }
}
