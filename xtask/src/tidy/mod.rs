//! `cargo xtask tidy`: what the compiler and clippy do not look at.
//!
//! Text files (no stray blanks, no paths of one machine, no registry but the public one), Rust files (module docs, no
//! leftovers), manifests (dependencies point one way), and the tests that docs/PARITY.md names. The sizes of files are
//! reported, for people to judge.

mod dependencies;
mod files;
mod manifest;
mod parity;
mod rust;
mod sizes;
mod text;

use std::fmt;

use crate::console;
use crate::source::Source;
use crate::workspace::Workspace;
use dependencies::check_dependencies;
use files::{File, Kind};
use manifest::Manifest;
use sizes::Sizes;

/// Something that is not as it should be, at a place in a file.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    /// Relative to the root.
    path: String,
    /// From 1; 0 where it is about the whole file.
    line: usize,
    /// What is wrong, and what to do instead.
    message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

/// What a check of one file found: the line (from 1, 0 for the whole file) and what is wrong.
type Finding = (usize, String);

/// Runs all checks, and says what was looked at.
///
/// # Errors
///
/// A file cannot be read; or there are violations, which were printed.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<String> {
    let files = files::list(workspace.root())?;
    let mut violations = Vec::new();
    let mut sizes = Sizes::default();
    let mut manifests = Vec::new();
    for file in &files {
        let mut findings = text::check(file.kind, &file.text);
        match file.kind {
            Kind::Rust => {
                let source = Source::new(&file.text);
                findings.extend(rust::check(&file.text, &source));
                if !file.is_test() {
                    sizes.add(source.lines_without_tests(), &file.path);
                }
            }
            Kind::Manifest => manifests.extend(Manifest::parse(&file.path, &file.text)),
            Kind::CargoConfig | Kind::Lockfile | Kind::Other => {}
        }
        violations.extend(findings.into_iter().map(|finding| file.violation(finding)));
    }
    violations.extend(check_dependencies(&manifests));
    violations.extend(parity::check(&files));

    console::line(&sizes.report());
    for violation in &violations {
        console::line(&violation.to_string());
    }
    match violations.len() {
        0 => Ok(format!("{} files are tidy", files.len())),
        count => anyhow::bail!("{count} violations in {} files", files.len()),
    }
}

impl File {
    fn violation(&self, (line, message): Finding) -> Violation {
        Violation { path: self.path.clone(), line, message }
    }
}
