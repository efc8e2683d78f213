//! The `chat-limiter` command: batch files in, results out; a provider to test against; token counts; limits of
//! an account.
//!
//! Exit codes: 0 all succeeded, 1 some failed, 2 wrong usage or unusable input. Standard output carries data only;
//! everything said to a person goes to standard error.

mod args;
mod cost;
mod count;
mod foreign;
mod form;
mod input;
mod interrupt;
mod learned;
mod limits;
mod open_files;
mod progress;
mod provider;
mod run;
mod simulate;
mod summary;
mod target;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use args::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let outcome =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from).and_then(
            |runtime| {
                let outcome = runtime.block_on(async {
                    match arguments.command {
                        Command::Run(arguments) => run::run(arguments).await,
                        Command::Simulate(arguments) => simulate::simulate(arguments).await,
                        Command::Count(arguments) => count::count(arguments).await,
                        Command::Limits(arguments) => limits::limits(arguments).await,
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
            say(&format!("chat-limiter: {}", explain(&error)));
            ExitCode::from(2)
        }
    }
}

/// Help where it was asked for; else one line that says what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let Some(text) = text.strip_prefix("error: ") else {
        // Whoever reads it has seen enough when this fails.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    };
    let wrong = text.split("\n\nUsage:").next().and_then(|text| text.split("\n\nFor more").next()).unwrap_or(text);
    let words: Vec<&str> = wrong.split_whitespace().collect();
    say(&format!("chat-limiter: {} (see --help)", words.join(" ")));
    ExitCode::from(2)
}

/// The error and its causes on one line. Some say their cause themselves.
fn explain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line.replace(char::is_control, " ")
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
