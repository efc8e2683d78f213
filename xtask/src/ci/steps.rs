//! The steps, cheapest first.

use anyhow::{Context as _, bail, ensure};

use super::features::FEATURE_SETS;
use super::optional;
use super::step::{Outcome, Step};
use super::tally;
use crate::console;
use crate::workspace::{Workspace, announce};
use crate::{no_std, tidy};

/// Every step, in the order in which they run.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "lockfile",
        what: "Cargo.lock fits the manifests",
        alone: "cargo xtask ci --only lockfile",
        run: check_lockfile,
    },
    Step { name: "fmt", what: "the code is formatted", alone: "cargo fmt --all --check", run: check_format },
    Step {
        name: "tidy",
        what: "module docs, no leftovers, dependencies point one way",
        alone: "cargo xtask tidy",
        run: |workspace| tidy::run(workspace).map(Outcome::Passed),
    },
    Step {
        name: "no-std",
        what: "limiter-core needs neither std nor, without its feature, alloc",
        alone: "cargo xtask no-std",
        run: |workspace| no_std::run(workspace).map(Outcome::Passed),
    },
    Step {
        name: "clippy",
        what: "no warnings, in all targets and every feature set",
        alone: "cargo xtask ci --only clippy",
        run: check_clippy,
    },
    Step {
        name: "tests",
        what: "unit and integration tests",
        alone: "cargo xtask ci --only tests",
        run: |workspace| {
            let alone = FEATURE_SETS.iter().filter(|set| set.has_tests).map(|set| set.arguments);
            let sets: Vec<_> = std::iter::once("--workspace").chain(alone).collect();
            run_tests(workspace, &sets, "--lib --bins --tests")
        },
    },
    Step {
        name: "doc-tests",
        what: "examples in the docs compile and hold",
        alone: "cargo test --workspace --doc",
        run: |workspace| run_tests(workspace, &["--workspace"], "--doc"),
    },
    Step {
        name: "examples",
        what: "example programs build",
        alone: "cargo build --workspace --examples",
        run: |workspace| {
            workspace.run_cargo("build --locked --keep-going --workspace --examples")?;
            Ok(Outcome::passed())
        },
    },
    Step {
        name: "others",
        what: "the examples with the clients of others, which are a workspace of their own",
        alone: "cargo xtask ci --only others",
        run: |workspace| {
            let package = "--manifest-path examples/other-clients/Cargo.toml --target-dir target/other-clients";
            workspace.run_cargo(&format!("check --locked {package} --bins"))?;
            Ok(Outcome::passed())
        },
    },
    Step {
        name: "rustdoc",
        what: "the docs build without warnings",
        alone: "cargo xtask ci --only rustdoc",
        run: check_docs,
    },
    Step {
        name: "hack",
        what: "every package compiles with each of its features alone",
        alone: "cargo xtask ci --only hack",
        run: |workspace| optional::run(workspace, "hack", "check --locked --workspace --each-feature"),
    },
    Step {
        name: "deny",
        what: "licences and origins of the dependencies",
        alone: "cargo xtask ci --only deny",
        run: |workspace| optional::run(workspace, "deny", "check --config xtask/deny.toml bans licenses sources"),
    },
];

/// All other steps say `--locked`, so that none of them repairs the file in passing; this one gives the reason its name.
fn check_lockfile(workspace: &Workspace) -> anyhow::Result<Outcome> {
    // For this machine only: otherwise cargo fetches the packages of every platform.
    let arguments = format!("metadata --locked --format-version 1 --filter-platform {}", workspace.host_target()?);
    announce(&arguments, &[]);
    let output = workspace.cargo(&arguments).ignore_status().output()?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("Cargo.lock does not fit the manifests; build once and commit it\n{}", errors.trim_end());
    }
    Ok(Outcome::passed())
}

fn check_format(workspace: &Workspace) -> anyhow::Result<Outcome> {
    require_component(workspace, "fmt", "rustfmt")?;
    workspace.run_cargo("fmt --all --check").context("`cargo fmt --all` repairs it")?;
    Ok(Outcome::passed())
}

fn check_clippy(workspace: &Workspace) -> anyhow::Result<Outcome> {
    require_component(workspace, "clippy", "clippy")?;
    let mut failed = Vec::new();
    for set in FEATURE_SETS {
        let arguments = format!("clippy --locked --keep-going {} --all-targets -- -D warnings", set.arguments);
        if workspace.run_cargo(&arguments).is_err() {
            failed.push(set.arguments);
        }
    }
    ensure!(failed.is_empty(), "warnings with {}", failed.join(" and with "));
    Ok(Outcome::Passed(format!("{} feature sets", FEATURE_SETS.len())))
}

/// A component that comes with the toolchain, but can be left out of it.
fn require_component(workspace: &Workspace, command: &str, component: &str) -> anyhow::Result<()> {
    let version = workspace.cargo(command).arg("--version").ignore_stdout().ignore_stderr();
    ensure!(version.run().is_ok(), "{component} is not installed: `rustup component add {component}` installs it");
    Ok(())
}

/// `sets` are packages and features; `kinds` selects the targets: without benchmarks, which `--all-targets` would run.
fn run_tests(workspace: &Workspace, sets: &[&str], kinds: &str) -> anyhow::Result<Outcome> {
    let mut notes = Vec::new();
    let mut failed = Vec::new();
    for set in sets {
        let arguments = format!("test --locked {set} {kinds} --no-fail-fast");
        announce(&arguments, &[]);
        let (status, tally) = tally::run_and_count(workspace.cargo(&arguments).into(), console::bytes)?;
        let note = format!("{set}: {tally}");
        if status.success() && tally.ran() > 0 { notes.push(note) } else { failed.push(format!("{note} ({status})")) }
    }
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    Ok(Outcome::Passed(notes.join("; ")))
}

fn check_docs(workspace: &Workspace) -> anyhow::Result<Outcome> {
    workspace.run_cargo_with("doc --locked --keep-going --workspace --no-deps", &[("RUSTDOCFLAGS", "-Dwarnings")])?;
    Ok(Outcome::passed())
}
