//! What an earlier run has written already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{input, output};

/// The lines of the input whose results are there: for each the hash of its `custom_id`, so that the results of
/// another file are noticed.
#[derive(Debug, Default)]
pub(super) struct Done {
    hashes: HashMap<u64, u64>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    custom_id: Option<String>,
    error: Option<IgnoredAny>,
}

/// What a request is called.
#[derive(Deserialize)]
struct Named {
    custom_id: Option<String>,
}

impl Done {
    /// Reads the results that `path` holds. A file that is not there holds none.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut done = Self::default();
        for_each_line(path, |_, line| {
            done.note(line);
            Ok(())
        })?;
        Ok(done)
    }

    /// Finds a line of the requests at `path` whose result is that of another request.
    pub(super) fn find_other(&self, path: &Path) -> io::Result<Option<(u64, String)>> {
        let mut other = None;
        for_each_line(path, |number, line| {
            if other.is_none() && self.hashes.contains_key(&number) {
                let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
                let named = serde_json::from_slice::<Named>(line).ok();
                let custom_id = named.and_then(|named| named.custom_id).unwrap_or_else(|| input::unnamed(number));
                other = self.holds(number, &custom_id).is_none().then_some((number, custom_id));
            }
            Ok(())
        })?;
        Ok(other)
    }

    /// Leaves only the successes in the file at `path`: what failed is done again, and a last line that was cut off is
    /// dropped. The file is replaced in one step, so a crash in between loses nothing.
    pub(super) fn keep(path: &Path) -> io::Result<()> {
        let kept_path = beside(path, &format!(".{}.tmp", std::process::id()));
        let mut kept = BufWriter::new(File::create(&kept_path)?);
        let mut noted = Self::default();
        for_each_line(path, |_, line| if noted.note(line) { kept.write_all(line) } else { Ok(()) })?;
        kept.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&kept_path, path)
    }

    /// Whether the line is a whole result of a success that is not there yet.
    fn note(&mut self, line: &[u8]) -> bool {
        let Some(text) = line.strip_suffix(b"\n") else { return false };
        let Ok(written) = serde_json::from_slice::<Written>(text) else { return false };
        let (Some(number), Some(custom_id), None) = (output::number(&written.id), written.custom_id, written.error)
        else {
            return false;
        };
        match self.hashes.entry(number) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(hash_of(&custom_id));
                true
            }
        }
    }

    /// How many results were found.
    pub(super) fn count(&self) -> usize {
        self.hashes.len()
    }

    /// Whether the result of line `number` is there. `None` when the result there is that of another request.
    pub(super) fn holds(&self, number: u64, custom_id: &str) -> Option<bool> {
        match self.hashes.get(&number) {
            None => Some(false),
            Some(hash) if *hash == hash_of(custom_id) => Some(true),
            Some(_) => None,
        }
    }
}

/// Calls `visit` with each line (its end included) and its number from one. A file that is not there has none.
fn for_each_line(path: &Path, mut visit: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut reader = BufReader::with_capacity(1 << 18, file);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        visit(number, &line)?;
    }
    Ok(())
}

/// The path with something added to its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUCCESS: &str = r#"{"id":"batch_req_1","custom_id":"a","response":{"body":{}},"error":null}"#;
    const FAILURE: &str = r#"{"id":"batch_req_2","custom_id":"b","response":null,"error":{"code":"timeout"}}"#;

    #[test]
    fn successes_are_kept_and_everything_else_is_done_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results.jsonl");
        let cut = &SUCCESS.replace("req_1", "req_3")[..40];
        std::fs::write(&path, format!("{SUCCESS}\n{FAILURE}\nnonsense\n{SUCCESS}\n{cut}")).unwrap();
        let done = Done::read(&path).unwrap();
        assert_eq!(done.count(), 1);
        assert_eq!(done.holds(1, "a"), Some(true));
        assert_eq!(done.holds(2, "b"), Some(false));
        assert_eq!(done.holds(3, "a"), Some(false));
        Done::keep(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{SUCCESS}\n"));
    }

    #[test]
    fn the_results_of_another_file_are_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results.jsonl");
        std::fs::write(&path, format!("{SUCCESS}\n")).unwrap();
        let done = Done::read(&path).unwrap();
        assert_eq!(done.holds(1, "other"), None);
        let requests = directory.path().join("requests.jsonl");
        for (first, other) in [
            (r#"{"custom_id":"a","body":{}}"#, None),
            (r#"{"custom_id":"x","body":{}}"#, Some("x")),
            (r#"{"model":"m"}"#, Some("line-1")),
            ("nonsense", Some("line-1")),
        ] {
            std::fs::write(&requests, format!("{first}\n{first}\n")).unwrap();
            assert_eq!(done.find_other(&requests).unwrap(), other.map(|id| (1, id.to_owned())), "{first}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_holds_nothing() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(Done::read(&directory.path().join("none")).unwrap().count(), 0);
    }

    #[test]
    fn resuming_overwrites_no_file_that_happens_to_have_the_name() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("results.jsonl");
        let requests = directory.path().join("results.jsonl.resume");
        std::fs::write(&path, "").unwrap();
        std::fs::write(&requests, "{\"model\":\"m\"}\n").unwrap();
        let _ = Done::keep(&path);
        assert!(std::fs::read_to_string(&requests).is_ok_and(|text| text.contains("model")), "the requests are gone");
    }
}
