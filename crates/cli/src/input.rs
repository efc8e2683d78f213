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

impl Input {
    /// Opens a file, or standard input for `-`.
    pub(crate) async fn open(path: &Path) -> anyhow::Result<Self> {
        if path == Path::new("-") {
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

    /// The beginning of the first line, at most a buffer's worth, without consuming it.
    pub(crate) async fn beginning(&mut self) -> anyhow::Result<String> {
        let buffer = self.reader.fill_buf().await.with_context(|| format!("cannot read {}", self.name))?;
        let line = buffer.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        Ok(String::from_utf8_lossy(line).trim_start_matches('\u{feff}').trim().to_owned())
    }
}
