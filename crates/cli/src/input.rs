//! Files and standard input, as one thing to read.

use std::path::Path;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader};

/// An opened input.
pub(crate) struct Input {
    pub(crate) reader: Box<dyn AsyncBufRead + Unpin + Send>,
    /// What messages call it.
    pub(crate) name: String,
    /// Bytes, where that is known.
    pub(crate) length: Option<u64>,
}

/// Bytes that other things than text begin with, and what to do about them.
const NOT_TEXT: [(&[u8], &str); 3] = [
    (b"\x1f\x8b", "it is compressed with gzip; unpack it first: gzip -dc FILE | chat-limiter ... -"),
    (b"\xff\xfe", "it is UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "it is UTF-16; save it as UTF-8"),
];

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(crate) async fn open(path: &Path) -> anyhow::Result<Self> {
        if is_standard(path) {
            let reader = Box::new(BufReader::new(tokio::io::stdin()));
            return Ok(Self { reader, name: "standard input".to_owned(), length: None });
        }
        let name = path.display().to_string();
        let context = || format!("cannot read {name}");
        let file = tokio::fs::File::open(path).await.with_context(context)?;
        let metadata = file.metadata().await.with_context(context)?;
        if metadata.is_dir() {
            bail!("cannot read {name}: it is a directory");
        }
        let length = metadata.is_file().then_some(metadata.len());
        Ok(Self { reader: Box::new(BufReader::with_capacity(256 * 1024, file)), name, length })
    }

    /// The beginning, as much as comes at once, without consuming it. Without the byte order mark.
    pub(crate) async fn beginning(&mut self) -> anyhow::Result<&[u8]> {
        let context = || format!("cannot read {}", self.name);
        let bytes = self.reader.fill_buf().await.with_context(context)?;
        if let Some((_, why)) = NOT_TEXT.iter().find(|(mark, _)| bytes.starts_with(mark)) {
            bail!("{}: {why}", context());
        }
        Ok(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
    }
}

/// Whether standard input or output is meant, and not a file.
pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}
