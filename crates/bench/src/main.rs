//! `cargo xtask bench`: what the workspace's parts cost, beside what others use.
//!
//! One module a subject. Ours and the peers run in alternating batches of one process, so that whatever else the machine
//! does falls on both; nothing is quoted from another machine. A goal that is not met is printed as not met, and is
//! no error: exit code 0 says that the measurement was made.

mod allocations;
mod arguments;
mod client;
mod clock;
mod console;
mod core;
mod instructions;
mod measure;
mod operation;
mod peers;
mod processor;
mod providers;
mod report;
mod starvation;
mod tokenizer;
mod waiting;

use std::process::ExitCode;

use clap::Parser as _;

use arguments::{Arguments, Command};

/// Counts what is allocated, for the bytes that a waiting request takes, and how often.
#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::counting();

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Core { json } => core::report()?.print(json),
        Command::Client { json } => client::report()?.print(json),
        Command::Providers { json } => providers::report()?.print(json),
        Command::Tokenizer { json } => tokenizer::report()?.print(json),
        Command::Starvation { json } => starvation::report()?.print(json),
        Command::Waiting { json } => waiting::report()?.print(json),
        Command::Repeat { group, candidate, batches } => {
            let groups: Vec<_> =
                core::groups().into_iter().chain(client::groups()).chain(providers::groups()).collect();
            instructions::repeat(&groups, &group, &candidate, batches)
        }
        Command::Send { by, bytes, at_once, requests } => client::send(&by, bytes, at_once, requests),
        Command::Serve => client::serve(),
    }
}
