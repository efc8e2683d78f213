//! `cargo xtask corpus tokens`: what is counted of recorded requests, beside what their providers billed.
//!
//! A goal that is not met is printed as not met, and is no error: exit code 0 says that the comparison was made.

mod arguments;
mod console;
mod figures;
mod report;
mod row;
mod trial;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::ensure;
use clap::Parser as _;

use arguments::Arguments;
use trial::Trial;

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
    let corpus = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/requests.jsonl.gz");
    let file: PathBuf = arguments.file.clone().unwrap_or_else(corpus);
    ensure!(file.exists(), "there is no {}; --file names another", file.display());
    let trial = Trial::of(&row::read(&file)?);
    if arguments.json {
        console::line(&serde_json::to_string_pretty(&report::json(&trial))?);
    } else {
        console::line(report::table(&trial).trim_end());
    }
    Ok(())
}
