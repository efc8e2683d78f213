//! `cargo xtask corpus`: what the providers' module makes of answers that providers really gave.
//!
//! A goal that is not met is printed as not met, and is no error: exit code 0 says that the recordings were read.

mod console;

use std::path::PathBuf;
use std::process::ExitCode;

use chat_limiter_tests::corpus::{Outcome, default_directory, report};
use clap::Parser;

/// Reads recorded answers of providers, and compares what is read with what was noted
#[derive(Debug, Parser)]
struct Arguments {
    /// Print an array of objects instead of a table
    #[arg(long)]
    json: bool,
    /// Where the recordings are: responses, bodies and limited, each with the ending .jsonl.gz
    #[arg(long, value_name = "PATH")]
    directory: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            console::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let directory = arguments.directory.clone().unwrap_or_else(default_directory);
    let outcome = Outcome::of(&directory)?;
    let text =
        if arguments.json { serde_json::to_string_pretty(&report::json(&outcome))? } else { report::table(&outcome) };
    console::line(&text);
    Ok(())
}
