//! A directory that looks to the compiler like an installation with fewer libraries.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::workspace::Workspace;

/// A sysroot with a few of the host's libraries, and where builds against it go.
pub(super) struct Sysroot {
    pub(super) path: PathBuf,
    pub(super) target: String,
    pub(super) target_dir: PathBuf,
}

impl Sysroot {
    /// Builds `directory/sysroot-{name}` anew from the installed toolchain, with only `libraries` in it.
    ///
    /// # Errors
    ///
    /// The toolchain lacks one of the libraries, or a file cannot be written.
    pub(super) fn build(
        workspace: &Workspace,
        directory: &Path,
        host: &str,
        name: &str,
        libraries: &[&str],
    ) -> anyhow::Result<Self> {
        let installed = workspace.shell().cmd("rustc").args(["--print", "sysroot"]).quiet().read()?;
        let path = directory.join(format!("sysroot-{name}"));
        let from = library_directory(Path::new(&installed), host);
        let to = library_directory(&path, host);
        workspace.shell().remove_path(&path)?;
        workspace.shell().create_dir(&to)?;

        let files = workspace.shell().read_dir(&from)?;
        for library in libraries {
            let mut found = false;
            for file in &files {
                let Some(file_name) = file.file_name() else { continue };
                if is_file_of(library, &file_name.to_string_lossy()) {
                    found = true;
                    link_or_copy(file, &to.join(file_name))?;
                }
            }
            anyhow::ensure!(found, "there is no library `{library}` in {}", from.display());
        }
        Ok(Self { path, target: host.to_owned(), target_dir: directory.join(format!("build-{name}")) })
    }
}

fn library_directory(sysroot: &Path, target: &str) -> PathBuf {
    sysroot.join("lib").join("rustlib").join(target).join("lib")
}

/// Whether `file` is `lib{library}-{hash}.rlib`, or the `.rmeta` that newer toolchains put beside it.
fn is_file_of(library: &str, file: &str) -> bool {
    file.strip_prefix("lib")
        .and_then(|rest| rest.strip_suffix(".rlib").or_else(|| rest.strip_suffix(".rmeta")))
        .and_then(|rest| rest.rsplit_once('-'))
        .is_some_and(|(name, _hash)| name == library)
}

/// The libraries are large: a link where the file system allows one.
fn link_or_copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_recognized_by_its_whole_name() {
        fn check(library: &str, file: &str, expected: bool) {
            assert_eq!(is_file_of(library, file), expected, "{library} {file}");
        }
        check("core", "libcore-120cbae4e86ec454.rlib", true);
        check("core", "libcore-120cbae4e86ec454.rmeta", true);
        check("compiler_builtins", "libcompiler_builtins-27cfc16bdf3bb694.rlib", true);
        check("core", "librustc_std_workspace_core-27cfc16bdf3bb694.rlib", false);
        check("core", "libcore_detect-27cfc16bdf3bb694.rlib", false);
        check("std", "libstd-27cfc16bdf3bb694.so", false);
        check("alloc", "alloc", false);
    }
}
