//! The only place that writes to standard output and standard error.

use std::io::{self, Write as _};

/// Writes one line (or a text of several). A reader that has gone away, as `| head` does, is not an error.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Says what went wrong.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
