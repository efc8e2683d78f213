//! `cargo xtask ceiling`: how close the client comes to the ceiling of a quota, with every kind of provider.
//!
//! A goal that is not met is printed as not met, and is no error: exit code 0 says that the measurement was made.

mod arguments;
mod console;

use std::process::ExitCode;

use anyhow::ensure;
use chat_limiter_tests::ceiling::{Cell, Outcome, prepare, report, run_all};
use clap::Parser as _;

use arguments::Arguments;

/// Each cell runs on one thread.
const THREADS: usize = 2;

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
    let only = arguments.only.as_deref().unwrap_or_default();
    let mut cells = Cell::all();
    // With an equals sign before it, the whole name.
    cells.retain(|cell| {
        only.strip_prefix("=").map_or_else(|| cell.to_string().contains(only), |name| cell.to_string() == name)
    });
    ensure!(!cells.is_empty(), "there is no cell with `{only}` in its name; --list shows the names");
    if arguments.list {
        let names: Vec<String> = cells.iter().map(Cell::to_string).collect();
        console::line(&names.join("\n"));
        return Ok(());
    }
    prepare();
    if arguments.json {
        let outcomes = run_all(&cells, THREADS, |_| {})?;
        console::line(&serde_json::to_string_pretty(&report::json(&outcomes))?);
        return Ok(());
    }
    if arguments.markdown {
        let outcomes = run_all(&cells, THREADS, |_| {})?;
        console::line(&report::markdown(&outcomes, arguments.verbose));
        return Ok(());
    }
    console::line(&report::heading());
    let mut lines = report::Lines::new(arguments.verbose || arguments.only.is_some());
    let print = |outcome: &Outcome| {
        if let Some(line) = lines.of(outcome) {
            console::line(&line);
        }
        if arguments.verbose {
            console::line(&report::details(outcome));
        }
    };
    let outcomes = run_all(&cells, THREADS, print)?;
    if let Some(rest) = lines.rest() {
        console::line(&rest);
    }
    console::line(&format!("\n{}", report::summary(&outcomes)));
    Ok(())
}
