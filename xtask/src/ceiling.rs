//! `cargo xtask ceiling`: starts the program that runs the client against every kind of provider.
//!
//! It belongs to the tests that cross crates, and needs all of them; this package stays light.

use std::process::ExitCode;

use crate::flags::Ceiling;
use crate::workspace::{Workspace, hand_over};

/// Builds the program and runs it. What it prints and its exit code are passed on as they are, so standard output is
/// JSON and nothing else where that was asked for.
///
/// # Errors
///
/// Cargo cannot be started.
pub(crate) fn run(workspace: &Workspace, asked: &Ceiling) -> anyhow::Result<ExitCode> {
    let cargo = workspace.cargo("run --release --locked --package chat-limiter-tests --bin ceiling --");
    let switches =
        [("--json", asked.json), ("--markdown", asked.markdown), ("--list", asked.list), ("--verbose", asked.verbose)];
    let chosen = switches.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name);
    // The text may have blanks in it, as names of cells do.
    let only = asked.only.iter().flat_map(|text| ["--only", text.as_str()]);
    hand_over(cargo.args(chosen).args(only))
}
