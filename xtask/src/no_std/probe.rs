//! Crates that need more than a sysroot holds, to see that they are refused.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use xshell::Shell;

/// A one-line crate that needs a library which must not be there.
pub(super) struct Probe {
    /// What it does, for people.
    pub(super) what: &'static str,
    name: &'static str,
    source: &'static str,
    needs: &'static str,
}

impl Probe {
    /// A crate like most: `std` is there without being asked for.
    pub(super) const STD: Self =
        Self { what: "a crate with std", name: "with-std", source: "pub fn probe() {}\n", needs: "std" };

    /// A crate that says `no_std` and does not keep it.
    pub(super) const STD_BY_NAME: Self = Self {
        what: "a no_std crate that names std",
        name: "names-std",
        source: "#![no_std]\nextern crate std;\n",
        needs: "std",
    };

    /// A crate that allocates.
    pub(super) const ALLOC: Self = Self {
        what: "a no_std crate that names alloc",
        name: "names-alloc",
        source: "#![no_std]\nextern crate alloc;\n",
        needs: "alloc",
    };

    /// Writes the crate under `directory` and returns its manifest.
    pub(super) fn write(&self, shell: &Shell, directory: &Path) -> anyhow::Result<PathBuf> {
        let package = directory.join("probes").join(self.name);
        let manifest = package.join("Cargo.toml");
        // Its own workspace: it lies inside ours, and must not look like a forgotten member of it.
        let text = format!("[workspace]\n[package]\nname = \"{}\"\nedition = \"2024\"\n", self.name);
        shell.write_file(&manifest, text)?;
        shell.write_file(package.join("src/lib.rs"), self.source)?;
        Ok(manifest)
    }

    /// Checks that the build failed, and for the one reason that proves something.
    ///
    /// # Errors
    ///
    /// It was built, or failed for another reason.
    pub(super) fn must_have_failed(&self, sysroot: &str, built: bool, errors: &str) -> anyhow::Result<()> {
        ensure!(!built, "{} was built against the sysroot `{sysroot}`, so that the proof is void", self.what);
        let reason = format!("error[E0463]: can't find crate for `{}`", self.needs);
        ensure!(
            errors.contains(&reason),
            "{} failed against the sysroot `{sysroot}`, but not with \"{reason}\":\n{errors}",
            self.what
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_missing_crate_is_a_reason_that_proves_something() {
        fn check(built: bool, errors: &str, proves: bool) {
            assert_eq!(Probe::STD.must_have_failed("core", built, errors).is_ok(), proves, "{built} {errors}");
        }
        check(false, "error[E0463]: can't find crate for `std`\n", true);
        check(false, "error[E0463]: can't find crate for `core`\n", false);
        check(false, "error: no such command", false);
        check(false, "", false);
        check(true, "", false);
    }
}
