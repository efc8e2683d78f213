//! `--learned FILE`: what one run learned of prompts and answers, for the next one.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use chat_limiter::Learned;

use crate::say;

/// More than can be learned of 256 sets of models, in bytes. What is larger is something else.
const LARGEST: u64 = 64 << 20;

/// The file, or none.
#[derive(Debug)]
pub(crate) struct Store<'a> {
    path: Option<&'a Path>,
    learned: Learned,
}

impl<'a> Store<'a> {
    /// Reads what an earlier run wrote; nothing where there is no such file yet. One that cannot be used is named on
    /// standard error, and left as it is: it may be something else, named by mistake.
    ///
    /// # Errors
    ///
    /// Nothing could be written there in the end.
    pub(crate) fn open(path: Option<&'a Path>) -> anyhow::Result<Self> {
        let Some(path) = path else { return Ok(Self { path, learned: Learned::default() }) };
        match try_read(path) {
            Ok(learned) => {
                // Found out before anything is sent.
                let new = beside(path);
                let tried = File::create(&new).and_then(|_| std::fs::remove_file(&new));
                tried.with_context(|| format!("cannot write {}", path.display()))?;
                Ok(Self { path: Some(path), learned })
            }
            Err(error) => {
                say(&format!("{}: {error:#}; this run starts without it and leaves it as it is", path.display()));
                Ok(Self { path: None, learned: Learned::default() })
            }
        }
    }

    /// What was read.
    pub(crate) fn learned(&self) -> Learned {
        self.learned.clone()
    }

    /// The run is one with this provider. What was learned of another one is of no use, and not written over.
    pub(crate) fn is_for(&mut self, provider: &str) {
        let of = self.learned.provider();
        if let Some(path) = self.path.filter(|_| !of.is_empty() && of != provider) {
            say(&format!(
                "{}: it is of {of}, not of {provider}; this run starts without it and leaves it as it is",
                path.display()
            ));
            self.path = None;
        }
    }

    /// Writes what the run has learned, and says so where that fails: the results are there all the same.
    pub(crate) fn write(&self, learned: &Learned) {
        if let Some(Err(error)) = self.path.map(|path| write(path, learned)) {
            say(&format!("{error:#}"));
        }
    }
}

fn try_read(path: &Path) -> anyhow::Result<Learned> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Learned::default()),
        opened => opened.context("it cannot be opened")?,
    };
    let mut text = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut text).context("it cannot be read")?;
    ensure!(text.len() as u64 <= LARGEST, "it is larger than {} MiB", LARGEST >> 20);
    serde_json::from_slice(&text).context("it is no file of --learned")
}

/// Writes a file beside it that takes its place once it is whole, so that a run that is killed leaves what was there.
fn write(path: &Path, learned: &Learned) -> anyhow::Result<()> {
    let new = beside(path);
    let context = || format!("cannot write {}", path.display());
    let written = write_whole(&new, learned).and_then(|()| std::fs::rename(&new, path).map_err(Into::into));
    if written.is_err() {
        // Half a file is of no use; where it cannot be removed either, the error says enough.
        let _ = std::fs::remove_file(&new);
    }
    written.with_context(context)
}

fn write_whole(path: &Path, learned: &Learned) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(learned)?;
    text.push(b'\n');
    let mut file = File::create(path)?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(())
}

/// A name in the same directory, for a rename does not go from one file system to another. Two runs that end together
/// have two.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file(text: &[u8]) -> anyhow::Result<Learned> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("learned.json");
        std::fs::write(&path, text).unwrap();
        let read = try_read(&path);
        // Whatever is not used is left as it is.
        if read.is_err() {
            let store = Store::open(Some(&path)).unwrap();
            store.write(&Learned::default());
            assert_eq!(std::fs::read(&path).unwrap(), text);
        }
        read
    }

    #[test]
    fn a_file_that_is_not_there_is_nothing_learned_and_written_in_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("learned.json");
        let store = Store::open(Some(&path)).unwrap();
        assert!(store.learned().is_empty() && !path.exists());
        store.write(&Learned::default());
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_left_as_it_is_and_the_reason_is_told() {
        for (text, reason) in [
            (&b""[..], "EOF"),
            (b"{\"version\":1", "EOF"),
            (b"\xff\xfe", "expected value"),
            (b"{\"version\":9,\"provider\":\"openai\",\"groups\":{}}", "version 9"),
            (&[b'['; 100_000], "line 1"),
        ] {
            let error = format!("{:#}", in_file(text).unwrap_err());
            assert!(error.contains(reason) && error.contains("no file of --learned"), "{error}");
        }
        let directory = tempfile::tempdir().unwrap();
        assert!(try_read(directory.path()).is_err());
    }

    #[test]
    fn what_is_written_takes_the_place_of_what_was_there_and_leaves_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("learned.json");
        let learned: Learned = serde_json::from_str(r#"{"version":1,"provider":"openai","groups":{}}"#).unwrap();
        for _ in 0..2 {
            Store::open(Some(&path)).unwrap().write(&learned);
            assert_eq!(try_read(&path).unwrap().provider(), "openai");
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_learned_of_another_provider_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("learned.json");
        let text = r#"{"version":1,"provider":"openai","groups":{}}"#;
        std::fs::write(&path, text).unwrap();
        let mut store = Store::open(Some(&path)).unwrap();
        store.is_for("anthropic");
        store.write(&Learned::default());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_named_before_anything_is_sent() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("no such directory").join("learned.json");
        let error = format!("{:#}", Store::open(Some(&path)).unwrap_err());
        assert!(error.contains("learned.json"), "{error}");
    }
}
