//! The files that are looked at.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// A text file of the project.
pub(super) struct File {
    /// Relative to the root, with forward slashes.
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// What a file is, as far as the checks differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rust,
    /// A `Cargo.toml`.
    Manifest,
    /// `.cargo/config.toml`.
    CargoConfig,
    /// `Cargo.lock`, which cargo writes.
    Lockfile,
    /// Prose, scripts, other configuration.
    Other,
}

/// Hidden directories that belong to the project; all others are tools' own.
const HIDDEN: &[&str] = &[".cargo", ".ci", ".config", ".github"];

impl Kind {
    /// The kind of a file by its path, `None` for those that are not looked at (data, licences).
    fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        match (name, extension) {
            ("Cargo.toml", _) => Some(Self::Manifest),
            ("Cargo.lock", _) => Some(Self::Lockfile),
            (_, Some("rs")) => Some(Self::Rust),
            _ if path == ".cargo/config.toml" => Some(Self::CargoConfig),
            (_, Some("toml" | "md" | "sh" | "py" | "yml" | "yaml")) => Some(Self::Other),
            _ if path.starts_with(".ci/") => Some(Self::Other),
            _ => None,
        }
    }
}

impl File {
    /// Whether the whole file is tests or benchmarks.
    pub(super) fn is_test(&self) -> bool {
        let mut parts = self.path.rsplit('/');
        parts.next() == Some("tests.rs") || parts.any(|directory| ["tests", "benches"].contains(&directory))
    }
}

/// All files under `root` that are looked at, in the order of their paths.
///
/// # Errors
///
/// A directory or file cannot be read, or a file is not UTF-8.
pub(super) fn list(root: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    visit(root, "", &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn visit(root: &Path, directory: &str, files: &mut Vec<File>) -> anyhow::Result<()> {
    let absolute = root.join(directory);
    let entries = fs::read_dir(&absolute).with_context(|| format!("cannot list {}", absolute.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if directory.is_empty() { name.clone() } else { format!("{directory}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if name != "target" && (!name.starts_with('.') || HIDDEN.contains(&name.as_str())) {
                visit(root, &path, files)?;
            }
        } else if kind.is_file()
            && let Some(kind) = Kind::of(&path)
        {
            let text = fs::read_to_string(entry.path()).with_context(|| format!("cannot read {path}"))?;
            files.push(File { path, kind, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_file_follows_from_its_path() {
        fn check(path: &str, expected: Option<Kind>) {
            assert_eq!(Kind::of(path), expected, "{path}");
        }
        check("crates/cli/src/main.rs", Some(Kind::Rust));
        check("crates/cli/Cargo.toml", Some(Kind::Manifest));
        check("Cargo.lock", Some(Kind::Lockfile));
        check(".cargo/config.toml", Some(Kind::CargoConfig));
        check(".ci/run", Some(Kind::Other));
        check("README.md", Some(Kind::Other));
        check("clippy.toml", Some(Kind::Other));
        check("examples/requests.jsonl", None);
        check("LICENSE-MIT", None);
    }

    #[test]
    fn tests_are_known_by_their_place() {
        fn check(path: &str, expected: bool) {
            let file = File { path: path.to_owned(), kind: Kind::Rust, text: String::new() };
            assert_eq!(file.is_test(), expected, "{path}");
        }
        check("crates/limiter-core/src/bucket.rs", false);
        check("crates/limiter-core/src/bucket/tests.rs", true);
        check("crates/limiter-core/tests/bucket.rs", true);
        check("crates/limiter-core/benches/bucket.rs", true);
        check("tests/src/lib.rs", true);
        check("crates/simulator/src/attests.rs", false);
    }
}
