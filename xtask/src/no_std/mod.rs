//! `cargo xtask no-std`: the proof that limiter-core needs only `core`, or `core` and `alloc`.
//!
//! `#![no_std]` alone proves little: a dependency, or a forgotten `extern crate`, may still bring `std` in. Here the crate
//! is checked against a sysroot in which there is nothing but the libraries it claims to need, so that anything else in
//! its graph is error E0463 ("can't find crate"). The libraries are those of the machine that compiles, so no further
//! target has to be installed.
//!
//! A proof that cannot fail proves nothing, so for each sysroot small crates that reach for more are checked too, and have
//! to fail with that error.

mod probe;
mod sysroot;

use std::process::Command;

use xshell::Cmd;

use crate::console;
use crate::workspace::{Workspace, announce};
use probe::Probe;
use sysroot::Sysroot;

/// One thing to prove: with these features, the crate needs only these libraries.
struct Claim {
    /// The name of the sysroot.
    name: &'static str,
    /// What the sysroot holds.
    libraries: &'static [&'static str],
    /// How limiter-core is built.
    features: &'static str,
    /// What must not build there.
    probes: &'static [Probe],
}

/// `compiler_builtins` is the code that the compiler itself calls (128-bit division, `memcpy`): part of every target.
const CLAIMS: &[Claim] = &[
    Claim {
        name: "core",
        libraries: &["core", "compiler_builtins"],
        features: "--no-default-features",
        probes: &[Probe::STD, Probe::STD_BY_NAME, Probe::ALLOC],
    },
    Claim {
        name: "alloc",
        libraries: &["core", "compiler_builtins", "alloc"],
        features: "--no-default-features --features alloc",
        probes: &[Probe::STD, Probe::STD_BY_NAME],
    },
];

/// Proves every claim, and says what was proven.
///
/// # Errors
///
/// limiter-core needs more than it claims; or a probe was built although it needs more, so that the proof is void.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<String> {
    let directory = workspace.target_dir().join("no-std");
    let host = workspace.host_target()?;
    for claim in CLAIMS {
        let sysroot = Sysroot::build(workspace, &directory, &host, claim.name, claim.libraries)?;
        let arguments = format!("check --locked --package limiter-core --lib {}", claim.features);
        announce(&format!("{arguments}   (sysroot with only {})", claim.libraries.join(", ")), &[]);
        let status = Command::from(against(&sysroot, workspace.cargo(&arguments))).status()?;
        anyhow::ensure!(
            status.success(),
            "limiter-core does not build with {} against a sysroot with only {}; E0463 above names what else it needs",
            claim.features,
            claim.libraries.join(", ")
        );
        for probe in claim.probes {
            let manifest = probe.write(workspace.shell(), &directory)?;
            let check = workspace.cargo("check --quiet --offline --color never --manifest-path").arg(manifest);
            let output = against(&sysroot, check).ignore_status().output()?;
            probe.must_have_failed(claim.name, output.status.success(), &String::from_utf8_lossy(&output.stderr))?;
            console::line(&format!("  {} fails there with E0463, as it must", probe.what));
        }
    }
    Ok("limiter-core needs only core; with the feature alloc only core and alloc".to_owned())
}

/// The command, made to build for the sysroot's target with its libraries, in a target directory of its own.
fn against<'a>(sysroot: &Sysroot, command: Cmd<'a>) -> Cmd<'a> {
    // Encoded, because a path may hold spaces. An explicit target keeps build scripts and macros, which run on this
    // machine and may use `std`, out of the flags' reach.
    command
        .args(["--target", &sysroot.target])
        .arg("--target-dir")
        .arg(&sysroot.target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", format!("--sysroot\u{1f}{}", sysroot.path.display()))
}
