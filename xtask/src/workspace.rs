//! Where the workspace is, and how its toolchain is called.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use xshell::{Cmd, Shell};

use crate::console;

/// The workspace on disk, with a shell that stands in its root.
pub(crate) struct Workspace {
    root: PathBuf,
    shell: Shell,
}

impl Workspace {
    /// The workspace that this program was built from, wherever it is called.
    pub(crate) fn find() -> anyhow::Result<Self> {
        // Cargo sets the variable at run time too; the compiled value serves those who call the binary directly.
        let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = here.parent().context("the xtask directory has no parent")?.to_path_buf();
        let shell = Shell::new()?;
        shell.change_dir(&root);
        Ok(Self { root, shell })
    }

    /// The root directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// For files and commands, relative to the root.
    pub(crate) fn shell(&self) -> &Shell {
        &self.shell
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target_dir(&self) -> PathBuf {
        self.root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
    }

    /// `cargo` with `arguments` separated by spaces, in the root.
    pub(crate) fn cargo(&self, arguments: &str) -> Cmd<'_> {
        // The cargo that runs us, so that `cargo +nightly xtask ci` checks with nightly.
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let command = self.shell.cmd(cargo).args(arguments.split_whitespace()).quiet();
        // `cargo run` described *this* package in the environment. Build scripts that watch these variables (ring's
        // does) would be run again each time somebody changes between `cargo` and `cargo xtask`.
        env::vars_os()
            .map(|(name, _)| name)
            .filter(|name| name.to_str().is_some_and(describes_a_package))
            .fold(command, Cmd::env_remove)
    }

    /// Runs `cargo` with `arguments`, its output passed through under a line that shows the command.
    pub(crate) fn run_cargo(&self, arguments: &str) -> anyhow::Result<()> {
        self.run_cargo_with(arguments, &[])
    }

    /// The same with environment variables.
    pub(crate) fn run_cargo_with(&self, arguments: &str, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        let command = variables.iter().fold(self.cargo(arguments), |command, (name, value)| command.env(name, value));
        announce(arguments, variables);
        let status = Command::from(command).status().with_context(|| format!("cannot start `cargo {arguments}`"))?;
        anyhow::ensure!(status.success(), "`cargo {arguments}` failed ({status})");
        Ok(())
    }

    /// The triple of the machine that compiles, such as `x86_64-unknown-linux-gnu`.
    pub(crate) fn host_target(&self) -> anyhow::Result<String> {
        let version = self.shell.cmd("rustc").arg("-vV").quiet().read()?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned).context("`rustc -vV` does not name its host")
    }
}

/// Runs `cargo` in our place: what it prints and its exit code are passed on as they are.
pub(crate) fn hand_over(cargo: Cmd<'_>) -> anyhow::Result<ExitCode> {
    let status = Command::from(cargo).status().context("cannot start cargo")?;
    // Ended by a signal it has no code.
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Shows the command about to run, in a form that can be pasted into a shell.
pub(crate) fn announce(arguments: &str, variables: &[(&str, &str)]) {
    let variables: String = variables.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
    console::line(&format!("$ {variables}cargo {arguments}"));
}

fn describes_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| variable.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_variables_of_the_running_package_are_kept_from_children() {
        fn check(variable: &str, expected: bool) {
            assert_eq!(describes_a_package(variable), expected, "{variable}");
        }
        check("CARGO_PKG_NAME", true);
        check("CARGO_MANIFEST_DIR", true);
        check("OUT_DIR", true);
        check("CARGO_HOME", false);
        check("CARGO_TARGET_DIR", false);
        check("RUSTUP_TOOLCHAIN", false);
    }

    #[test]
    fn the_root_holds_the_workspace_manifest() {
        let workspace = Workspace::find().unwrap();
        assert!(workspace.root().join("Cargo.toml").is_file());
    }
}
