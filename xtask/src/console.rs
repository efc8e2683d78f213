//! The only place that writes to standard output.

use std::io::{self, Write as _};

/// Writes one line (or a text of several). A reader that has gone away, as `| head` does, is not an error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Passes bytes on as they are.
pub(crate) fn bytes(bytes: &[u8]) {
    let _ = io::stdout().lock().write_all(bytes);
}
