//! Streams that providers really sent, where recordings of them are kept beside the project.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// What the figure is called.
pub(super) const NAME: &str = "recorded, of all providers";

/// The members of a line of the recordings that are needed.
#[derive(Deserialize)]
struct Row {
    content_type: Option<String>,
    body: String,
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/bodies.jsonl.gz")
}

/// Whether there are any.
pub(super) fn are_there() -> bool {
    file().is_file()
}

/// All recorded streams, one after the other; nothing where they cannot be read.
pub(super) fn streams() -> Vec<u8> {
    let Ok(unpacked) = Command::new("gzip").arg("-dc").arg(file()).output() else { return Vec::new() };
    let rows = unpacked.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Row>(line).ok());
    let is_stream = |row: &Row| row.content_type.as_deref().is_some_and(|it| it.starts_with("text/event-stream"));
    let mut streams = Vec::new();
    for row in rows.filter(is_stream) {
        streams.extend(row.body.into_bytes());
        // The last event of some has no blank line.
        streams.extend(b"\n\n");
    }
    streams
}
