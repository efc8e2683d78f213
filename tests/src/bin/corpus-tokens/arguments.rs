//! What can be written on the command line.

use std::path::PathBuf;

use clap::Parser;

/// Compares the tokens counted of recorded requests with those that their providers billed
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// The recorded requests, packed by gzip, instead of those of the corpus beside the project
    #[arg(long, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    /// Print an array of objects instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}
