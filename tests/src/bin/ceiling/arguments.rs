//! What can be written on the command line.

use clap::Parser;

/// Measures how close the client comes to the ceiling of a quota, with every kind of provider
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Run only the cells whose name contains this text, as --list shows it; =NAME for one alone
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Print an array of objects instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the tables of docs/BENCHMARKS.md; of the pairs those that miss a goal, with --verbose all
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Print the names of the cells and run none
    #[arg(long)]
    pub(crate) list: bool,
    /// Print every cell, and say more about each
    #[arg(long)]
    pub(crate) verbose: bool,
}
