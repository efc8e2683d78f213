//! `cargo xtask corpus tokens`: starts the program that counts recorded requests.

use std::process::ExitCode;

use crate::flags::Tokens;
use crate::workspace::{Workspace, hand_over};

/// Builds the program and runs it. What it prints and its exit code are passed on as they are, so standard output is
/// JSON and nothing else where that was asked for.
///
/// # Errors
///
/// Cargo cannot be started.
pub(crate) fn run(workspace: &Workspace, asked: &Tokens) -> anyhow::Result<ExitCode> {
    let cargo = workspace.cargo("run --release --locked --package chat-limiter-tests --bin corpus-tokens --");
    let json = asked.json.then_some("--json");
    let file = asked.file.iter().flat_map(|path| ["--file".as_ref(), path.as_os_str()]);
    hand_over(cargo.args(json).args(file))
}
