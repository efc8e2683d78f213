//! `cargo xtask bench`: starts the program that measures.
//!
//! The program has limiters of others to compare with and takes a while to build, so it is a package of its own, and
//! this one stays light.

use std::process::ExitCode;
use std::str::FromStr;

use crate::workspace::{Workspace, hand_over};

/// What can be measured: the commands of the package `chat-limiter-bench`.
const SUBJECTS: &[&str] = &["core", "client", "providers", "starvation", "tokenizer", "waiting"];

/// One of them, named on the command line.
#[derive(Debug)]
pub(crate) struct Subject(&'static str);

impl FromStr for Subject {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = SUBJECTS.iter().find(|subject| **subject == name);
        found
            .map(|subject| Self(subject))
            .ok_or_else(|| format!("there is no subject `{name}`; the subjects are {}", SUBJECTS.join(", ")))
    }
}

/// Builds the program and runs it. What it prints and its exit code are passed on as they are, so standard output is
/// JSON and nothing else where that was asked for.
///
/// # Errors
///
/// Cargo cannot be started.
pub(crate) fn run(workspace: &Workspace, subject: &Subject, json: bool) -> anyhow::Result<ExitCode> {
    let Subject(subject) = subject;
    let json = if json { " --json" } else { "" };
    let arguments = format!("run --release --locked --package chat-limiter-bench -- {subject}{json}");
    hand_over(workspace.cargo(&arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_is_found_by_its_name_and_an_unknown_one_is_answered_with_them() {
        for name in SUBJECTS {
            assert_eq!(name.parse::<Subject>().unwrap().0, *name);
        }
        let error = "cores".parse::<Subject>().unwrap_err();
        let all = "core, client, providers, starvation, tokenizer, waiting";
        assert!(error.contains("`cores`") && error.contains(all), "{error}");
    }
}
