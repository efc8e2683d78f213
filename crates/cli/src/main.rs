//! The `chat-limiter` command: batch files in, results out; a provider to test against; token counts.
//!
//! Exit codes: 0 all succeeded, 1 some failed, 2 wrong usage or unusable input. Standard output carries data only;
//! everything said to a person goes to standard error.

mod args;
mod count;
mod input;
mod interrupt;
mod progress;
mod provider;
mod run;
mod simulate;
mod summary;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from).and_then(
            |runtime| {
                let outcome = runtime.block_on(async {
                    match arguments.command {
                        Command::Run(arguments) => run::run(arguments).await,
                        Command::Simulate(arguments) => simulate::simulate(arguments).await,
                        Command::Count(arguments) => count::count(arguments).await,
                    }
                });
                // A read of a terminal cannot be interrupted; do not wait for it.
                runtime.shutdown_background();
                outcome
            },
        );
    match outcome {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("chat-limiter: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// One line to a person. There is nobody to tell when that fails.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whoever read the output has seen enough: a normal end.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}
