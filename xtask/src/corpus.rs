//! `cargo xtask corpus`: starts the program that reads recorded answers of providers.
//!
//! It belongs to the tests that cross crates; this package stays light.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::flags::Answers;
use crate::workspace::{Workspace, hand_over};

/// Builds the program and runs it. What it prints and its exit code are passed on as they are, so standard output is
/// JSON and nothing else where that was asked for.
///
/// # Errors
///
/// Cargo cannot be started, or the directory has no absolute path.
pub(crate) fn run(workspace: &Workspace, asked: &Answers) -> anyhow::Result<ExitCode> {
    let mut cargo = workspace.cargo("run --locked --package chat-limiter-tests --bin corpus --");
    if asked.json {
        cargo = cargo.arg("--json");
    }
    if let Some(directory) = &asked.directory {
        // Cargo runs in the root of the workspace, wherever this was called.
        let directory = std::path::absolute(directory).context("the directory of the recordings")?;
        cargo = cargo.arg("--directory").arg(directory);
    }
    hand_over(cargo)
}
