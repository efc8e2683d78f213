//! What can be written on the command line.

use clap::{Parser, Subcommand};

/// Measures parts of the workspace beside their peers
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What a decision of limiter-core costs, beside governor and leaky-bucket
    Core {
        /// Print an array of objects instead of a table
        #[arg(long)]
        json: bool,
    },
    /// When a large request is served among callers with small ones, with limiter-core, governor and leaky-bucket
    Starvation {
        /// Print an array of objects instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Run one operation again and again: what `core` starts under valgrind
    #[command(hide = true)]
    Repeat {
        /// The group of the operation
        group: String,
        /// The operation within its group
        candidate: String,
        /// How many batches
        batches: u64,
    },
}
