//! JUnit files: what they say of each test case, and what is to be made of it (DESIGN section 6). Pure: bytes in, a verdict out.
//! A leaf: imports `error` alone.

mod case;
mod read;
mod verdict;

pub use verdict::{Failing, Found, Verdict, judge};

/// A file that the tests left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path below the folder that was fetched, with nothing in it that leads out of there.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}
