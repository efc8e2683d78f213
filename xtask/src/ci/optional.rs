//! Tools that nobody has to have: they run where they are installed, and their absence is said.

use super::step::Outcome;
use crate::workspace::Workspace;

/// Runs `cargo {tool} {arguments}`, or skips it where the tool is not installed.
pub(super) fn run(workspace: &Workspace, tool: &str, arguments: &str) -> anyhow::Result<Outcome> {
    let version = workspace.cargo(tool).arg("--version").ignore_stdout().ignore_stderr();
    if version.run().is_err() {
        return Ok(Outcome::Skipped(format!("cargo-{tool} is not installed (optional)")));
    }
    workspace.run_cargo(&format!("{tool} {arguments}"))?;
    Ok(Outcome::passed())
}
