//! Files to write: none is created, moved or emptied before all of them can be.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

/// A file that can be written and is as it was. Dropped without being used, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    path: &'a Path,
    file: Option<File>,
    is_regular: bool,
    /// It was not there before.
    is_new: bool,
}

impl<'a> Target<'a> {
    /// Opens a file without changing it, or creates an empty one.
    pub(crate) fn open(path: &'a Path) -> anyhow::Result<Self> {
        let context = || format!("cannot write {}", path.display());
        let is_new = std::fs::symlink_metadata(path).is_err();
        let file = OpenOptions::new().append(true).create(true).open(path).with_context(context)?;
        let is_regular = file.metadata().with_context(context)?.is_file();
        Ok(Self { path, file: Some(file), is_regular, is_new })
    }

    /// To be written from its beginning. What was in it is gone.
    pub(crate) fn emptied(mut self) -> anyhow::Result<File> {
        let file = self.take()?;
        if self.is_regular {
            file.set_len(0).with_context(|| self.context())?;
        }
        Ok(file)
    }

    /// To be written at its end, as it stands at `path` now.
    pub(crate) fn appended(mut self) -> anyhow::Result<File> {
        self.take()?;
        OpenOptions::new().append(true).create(true).open(self.path).with_context(|| self.context())
    }

    /// To be written from its beginning. What was in it is now in another file, whose name is returned too.
    pub(crate) fn replaced(mut self) -> anyhow::Result<(File, Option<PathBuf>)> {
        let file = self.take()?;
        if !self.is_regular || file.metadata().with_context(|| self.context())?.len() == 0 {
            return Ok((file, None));
        }
        let kept = kept_as(self.path);
        let context = || format!("cannot keep {} as {}", self.path.display(), kept.display());
        std::fs::rename(self.path, &kept).with_context(context)?;
        let file = OpenOptions::new().append(true).create_new(true).open(self.path).with_context(|| self.context())?;
        Ok((file, Some(kept)))
    }

    /// Refuses a file that is not one of results: going on with it would lose what is in it.
    pub(crate) fn check_results(&self) -> anyhow::Result<()> {
        let context = || format!("cannot resume from {}", self.path.display());
        if !self.is_regular {
            bail!("{}: it is not a file", context());
        }
        let mut line = Vec::new();
        let file = File::open(self.path).with_context(context)?;
        BufReader::new(file).read_until(b'\n', &mut line).with_context(context)?;
        // A first line without an end was cut off while it was written.
        let is_whole = line.last() == Some(&b'\n');
        let is_result =
            serde_json::from_slice(&line).is_ok_and(|value: Value| value.get("id").is_some_and(Value::is_string));
        if is_whole && !is_result {
            bail!("{}: its first line is not the result of a request", context());
        }
        Ok(())
    }

    fn take(&mut self) -> anyhow::Result<File> {
        self.is_new = false;
        self.file.take().with_context(|| self.context())
    }

    fn context(&self) -> String {
        format!("cannot write {}", self.path.display())
    }
}

impl Drop for Target<'_> {
    fn drop(&mut self) {
        if self.is_new {
            // It was not there before; if it cannot be removed, an empty file stays.
            let _ = std::fs::remove_file(self.path);
        }
    }
}

/// Where results are kept that new ones take the place of.
pub(crate) fn kept_as(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".old");
    name.into()
}

/// Whether both paths lead to one file, through links of any kind too, or will when it is created.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(a), Ok(b)) => a.is_file() && b.is_file() && is_same(one, &a, other, &b),
        (Err(_), Err(_)) => one == other,
        _ => false,
    }
}

#[cfg(unix)]
fn is_same(_: &Path, one: &Metadata, _: &Path, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Path, _: &Metadata, other: &Path, _: &Metadata) -> bool {
    matches!((std::fs::canonicalize(one), std::fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_target_that_is_not_used_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let (fresh, there) = (directory.path().join("fresh"), directory.path().join("there"));
        std::fs::write(&there, "kept").unwrap();
        drop((Target::open(&fresh).unwrap(), Target::open(&there).unwrap()));
        assert!(!fresh.exists());
        assert_eq!(std::fs::read_to_string(there).unwrap(), "kept");
    }

    #[test]
    fn a_target_is_emptied_appended_to_or_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let write = |mut file: File| file.write_all(b"new").unwrap();
        std::fs::write(&path, "old ").unwrap();
        write(Target::open(&path).unwrap().appended().unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old new");
        let (file, kept) = Target::open(&path).unwrap().replaced().unwrap();
        write(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::read_to_string(kept.unwrap()).unwrap(), "old new");
        write(Target::open(&path).unwrap().emptied().unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    }

    #[test]
    fn only_results_are_gone_on_with() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for (text, expected) in [
            ("", true),
            ("{\"id\":\"batch_req_1\"}\n", true),
            ("{\"id\":\"batch", true),
            ("{\"custom_id\":\"a\"}\n", false),
            ("Dear diary\n", false),
            ("\n", false),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(Target::open(&path).unwrap().check_results().is_ok(), expected, "{text:?}");
        }
    }
}
