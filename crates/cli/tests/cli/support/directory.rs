//! Files of one test.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A directory of its own that goes away with the test.
pub(crate) struct Directory(tempfile::TempDir);

impl Directory {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With `requests.jsonl` in it.
    pub(crate) fn with_requests(content: impl AsRef<[u8]>) -> Self {
        let directory = Self::new();
        directory.write("requests.jsonl", content);
        directory
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.file(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    /// The lines of `results.jsonl`; none while it is not there.
    pub(crate) fn results(&self) -> Results {
        Results::parse(&std::fs::read_to_string(self.file("results.jsonl")).unwrap_or_default())
    }

    /// The names of all files, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// Result lines, all whole.
pub(crate) struct Results(pub(crate) Vec<Value>);

impl Results {
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is cut: {text}");
        Self(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// By `custom_id`, each of which must be there once only.
    #[track_caller]
    pub(crate) fn by_id(&self) -> BTreeMap<String, &Value> {
        let ids = self.0.iter().map(|line| (line["custom_id"].as_str().unwrap().to_owned(), line));
        let by_id: BTreeMap<_, _> = ids.collect();
        assert_eq!(by_id.len(), self.0.len(), "a custom_id is there twice");
        by_id
    }

    /// That there is a success for each of `requests(count)`, once.
    #[track_caller]
    pub(crate) fn check_all_succeeded(&self, count: usize) {
        let by_id = self.by_id();
        assert_eq!(by_id.len(), count);
        for number in 1..=count {
            let line = by_id[&format!("r-{number}")];
            assert!(line["error"].is_null() && line["response"]["status_code"] == 200, "{line}");
        }
    }
}

/// A batch file of chat requests `r-1`, `r-2`, ...
pub(crate) fn requests(count: usize) -> String {
    (1..=count).fold(String::new(), |mut text, number| {
        writeln!(
            text,
            r#"{{"custom_id":"r-{number}","method":"POST","url":"/v1/chat/completions","body":{{"model":"gpt-4o-mini","max_tokens":20,"user":"r-{number}","messages":[{{"role":"user","content":"Say {number}."}}]}}}}"#
        )
        .unwrap();
        text
    })
}
