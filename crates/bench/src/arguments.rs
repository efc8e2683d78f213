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
    /// What a request costs the machine that sends it, beside hyper-util's client alone
    Client {
        /// Print an array of objects instead of a table
        #[arg(long)]
        json: bool,
    },
    /// What reading an answer costs: limit headers, streams of events, usage
    Providers {
        /// Print an array of objects instead of a table
        #[arg(long)]
        json: bool,
    },
    /// How fast tokens are counted, beside tiktoken-rs and other libraries
    Tokenizer {
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
    /// What a million callers that wait at once take, beside tokio's semaphore
    Waiting {
        /// Print an array of objects instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Run one operation again and again: what `core`, `client` and `providers` start under valgrind
    #[command(hide = true)]
    Repeat {
        /// The group of the operation
        group: String,
        /// The operation within its group
        candidate: String,
        /// How many batches
        batches: u64,
    },
    /// Send requests by one of the clients that `client` compares, for a profiler to watch
    #[command(hide = true)]
    Send {
        /// `ours`, `transport` or `bare`
        by: String,
        /// The size of the bodies
        bytes: usize,
        /// How many are on their way at once
        at_once: usize,
        /// How many there are
        requests: usize,
    },
    /// Be the provider that the requests of `client` go to, until standard input ends
    #[command(hide = true)]
    Serve,
}
