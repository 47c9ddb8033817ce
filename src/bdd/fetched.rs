//! The JUnit files, out of the tar stream that `docker cp` and `tar` write: read in memory and never unpacked, so that no link and no
//! `../..` in it can reach anything, and no more of it than a machine can hold.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use tar::{Archive, EntryType};

use crate::error::count;
use crate::junit::File;
use crate::ui::{Tone, Ui};

const MIB: u64 = 1024 * 1024;
/// How large one file may be.
const ONE: u64 = 20 * MIB;
/// How large all of them may be.
const ALL: u64 = 100 * MIB;
/// How many there may be.
const MOST: usize = 5000;
/// How much of the stream is read: what is no JUnit file is in it as well.
const STREAM: u64 = 2048 * MIB;

/// What came.
#[derive(Debug, Default)]
pub struct Fetched {
    /// The files.
    pub files: Vec<File>,
    /// What is missing of them, a sentence each.
    pub lost: Vec<String>,
    /// What was left aside.
    pub aside: Vec<String>,
}

/// Reads the stream of what is at `path` in the container.
pub fn fetched(stream: &mut dyn Read, path: &str) -> Fetched {
    let mut fetched = Fetched::default();
    if let Err(error) = fetched.take(stream, path) {
        fetched.lost.push(format!("the JUnit files could not be fetched to their end: {error}"));
    }
    fetched
}

impl Fetched {
    fn take(&mut self, stream: &mut dyn Read, path: &str) -> std::io::Result<()> {
        let last = Path::new(path).file_name().unwrap_or_default();
        let (mut all, mut names) = (0, BTreeSet::new());
        let mut archive = Archive::new(stream.take(STREAM));
        for entry in archive.entries()? {
            let mut entry = entry?;
            let inside = plain(&entry.path()?, Path::new(last));
            let is_wanted =
                inside.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("xml")) || inside == Path::new(last);
            let name = inside.display().to_string();
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse if is_wanted => {}
                EntryType::Symlink | EntryType::Link if is_wanted => {
                    self.aside.push(format!("`{name}` is a link, and was not followed"));
                    continue;
                }
                _ => continue,
            }
            if self.files.len() >= MOST {
                self.lost
                    .push(format!("there are more than {}: the others were not looked at", count(MOST, "JUnit file")));
                return Ok(());
            }
            let mut bytes = Vec::new();
            // What a header says of the size is somebody's word.
            (&mut entry).take(ONE + 1).read_to_end(&mut bytes)?;
            if (bytes.len() as u64) < entry.size().min(ONE + 1) {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if bytes.len() as u64 > ONE {
                self.lost
                    .push(format!("the JUnit file `{name}` is larger than {} MiB, and was not looked at", ONE / MIB));
                continue;
            }
            all += bytes.len() as u64;
            if all > ALL {
                self.lost
                    .push(format!("the JUnit files are larger than {} MiB in all: not all were looked at", ALL / MIB));
                return Ok(());
            }
            self.files.push(File { name: unused(name, &mut names), bytes });
        }
        // What fills the last record up (to 10 KiB, by POSIX) as well: who writes it would find nobody there who reads, and end with SIGPIPE.
        drop(std::io::copy(&mut archive.into_inner(), &mut std::io::sink()));
        Ok(())
    }
}

/// The path inside the folder, of which the stream's paths begin with the name, without whatever leads out of it.
fn plain(path: &Path, folder: &Path) -> PathBuf {
    let parts: Vec<&std::ffi::OsStr> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name),
            _ => None,
        })
        .collect();
    match parts.split_first() {
        Some((first, rest)) if !rest.is_empty() && Path::new(first) == folder => rest.iter().collect(),
        _ => parts.iter().collect(),
    }
}

/// A name that no other file has.
fn unused(name: String, names: &mut BTreeSet<String>) -> String {
    let mut chosen = name.clone();
    let mut n = 1;
    while !names.insert(chosen.clone()) {
        n += 1;
        chosen = format!("{n}-{}", name.replace('/', "-"));
    }
    chosen
}

/// Keeps the files in a folder, for those who show them. What cannot be kept is a warning: the verdict is known.
pub fn keep(files: &[File], folder: &Path, ui: &Ui) {
    let write = |file: &File| -> std::io::Result<()> {
        let path = folder.join(&file.name);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        ui.keep(&path, &String::from_utf8_lossy(&file.bytes))
    };
    for file in files {
        if let Err(error) = write(file) {
            let name = folder.join(&file.name);
            ui.say(Tone::Warn, format!("warning: `{}` could not be written: {error}", name.display()));
            return;
        }
    }
    if !files.is_empty() {
        ui.say(Tone::Dim, format!("  {} in `{}`", count(files.len(), "JUnit file"), folder.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tar::{Builder, Header};

    fn add(tar: &mut Builder<Vec<u8>>, name: &[u8], kind: EntryType, bytes: &[u8]) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        // The crate itself writes no `..`; others do.
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        if kind == EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.append(&header, bytes).unwrap();
    }

    fn names(fetched: &Fetched) -> Vec<&str> {
        fetched.files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn the_stream_is_read_to_its_end() {
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, b"junit/", EntryType::Directory, b"");
        let mut bytes = tar.into_inner().unwrap();
        bytes.resize(10 * 1024, 0);
        let mut stream = bytes.as_slice();
        assert!(fetched(&mut stream, "/junit").lost.is_empty());
        assert!(stream.is_empty(), "{} bytes are left", stream.len());
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let mut tar = Builder::new(Vec::new());
        for name in [
            &b"junit/a.xml"[..],
            b"junit/sub/b.xml",
            b"../../x.xml",
            b"/etc/c.xml",
            b"junit/../../a.xml",
            b"junit/x.png",
        ] {
            add(&mut tar, name, EntryType::Regular, b"<testsuite/>");
        }
        add(&mut tar, b"junit/link.xml", EntryType::Symlink, b"");
        let fetched = fetched(&mut tar.into_inner().unwrap().as_slice(), "/out/junit");
        assert_eq!(names(&fetched), ["a.xml", "sub/b.xml", "x.xml", "etc/c.xml", "2-a.xml"]);
        assert_eq!(fetched.aside, ["`link.xml` is a link, and was not followed"]);
        assert!(fetched.lost.is_empty());
    }

    #[test]
    fn one_file_may_be_named_as_it_likes() {
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, b"results", EntryType::Regular, b"<testsuite/>");
        assert_eq!(names(&fetched(&mut tar.into_inner().unwrap().as_slice(), "/out/results")), ["results"]);
    }

    #[test]
    fn what_is_too_large_is_said_to_be() {
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, b"j/big.xml", EntryType::Regular, &vec![b' '; 21 * 1024 * 1024]);
        add(&mut tar, b"j/a.xml", EntryType::Regular, b"<testsuite/>");
        let fetched = fetched(&mut tar.into_inner().unwrap().as_slice(), "/j");
        assert_eq!(names(&fetched), ["a.xml"]);
        assert_eq!(fetched.lost, ["the JUnit file `big.xml` is larger than 20 MiB, and was not looked at"]);
    }

    #[test]
    fn a_stream_that_breaks_off_is_no_success() {
        let mut tar = Builder::new(Vec::new());
        add(&mut tar, b"j/a.xml", EntryType::Regular, &[b' '; 4096]);
        let bytes = tar.into_inner().unwrap();
        let fetched = fetched(&mut &bytes[..2000], "/j");
        assert!(fetched.files.is_empty() && fetched.lost.len() == 1, "{fetched:?}");
    }
}
