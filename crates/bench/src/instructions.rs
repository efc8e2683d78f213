//! Instructions for each operation, counted by valgrind: the same on a busy machine and on an idle one.
//!
//! The program runs itself under callgrind, once with N operations and once with 2N. Only the function [`measured`] is
//! counted, and the difference is divided by N, so that neither building the operation nor starting its batches
//! is in the figure. A clock that is read costs more there than it does outside: valgrind hides the kernel's shortcut
//! from the program, so that a system call is made in its place.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};

use crate::measure::Group;
use crate::operation::{Batch, Operation};
use crate::report::Count;

/// Whether instructions can be counted here, and how.
pub(crate) struct Instructions {
    is_installed: bool,
}

/// How many batches are counted once, and twice as many the other time.
const BATCHES: u64 = 8;

impl Instructions {
    pub(crate) fn new() -> Self {
        let version = Command::new("valgrind").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        Self { is_installed: version.is_ok_and(|status| status.success()) }
    }

    /// What a reader has to know.
    pub(crate) fn note(&self) -> &'static str {
        if self.is_installed {
            "instr.: instructions for each operation, counted by callgrind, in which reading a clock is a system call"
        } else {
            "instr.: n/a, because valgrind is not installed"
        }
    }

    /// Instructions for each operation of a candidate.
    pub(crate) fn count(&self, group: &Group, candidate: &str) -> anyhow::Result<Count> {
        if !self.is_installed {
            return Ok(Count::NotAvailable);
        }
        let directory = tempfile::tempdir()?;
        let files = [directory.path().join("once"), directory.path().join("twice")];
        let [once, twice] = &files;
        // Both at once: what else runs does not change the number.
        let mut runs = [start(group, candidate, BATCHES, once)?, start(group, candidate, 2 * BATCHES, twice)?];
        for run in &mut runs {
            let status = run.wait()?;
            ensure!(status.success(), "{candidate}: valgrind ended with {status}");
        }
        let (once, twice) = (total(once)?, total(twice)?);
        Ok(Count::Of((twice - once) / (BATCHES * group.batch) as f64))
    }
}

fn start(group: &Group, candidate: &str, batches: u64, file: &Path) -> anyhow::Result<Child> {
    let this = std::env::current_exe().context("the path of this program is not known")?;
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--toggle-collect=*measured_by_callgrind*"]);
    command.arg(format!("--callgrind-out-file={}", file.display()));
    command.arg(this).args(["repeat", group.key, candidate, &batches.to_string()]);
    command.stdout(Stdio::null()).spawn().context("cannot start valgrind")
}

/// The sum in a file that callgrind wrote.
fn total(file: &Path) -> anyhow::Result<f64> {
    let text = fs::read_to_string(file).context("callgrind wrote no file")?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total.context("callgrind's file has no total")?.trim().parse().context("callgrind's total is not a number")
}

/// Runs batches of one operation: what is started under valgrind.
///
/// # Errors
///
/// There is no such operation, or it did not do what it was meant to do.
pub(crate) fn repeat(groups: &[Group], group: &str, candidate: &str, batches: u64) -> anyhow::Result<()> {
    let group = groups.iter().find(|it| it.key == group).with_context(|| format!("there is no group `{group}`"))?;
    let mut operation = (group.candidate(candidate)?.build)();
    for _ in 0..batches {
        operation.prepare(group.batch);
        let batch = measured_by_callgrind(operation.as_mut(), group.batch);
        ensure!(batch.succeeded == group.batch, "{candidate}: only {} succeeded", batch.succeeded);
    }
    Ok(())
}

/// What is counted. Its name is in the options of callgrind, so it must stay a function.
#[inline(never)]
fn measured_by_callgrind(operation: &mut dyn Operation, times: u64) -> Batch {
    operation.run(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_callgrinds_file_is_read_and_one_without_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "events: Ir\nsummary: 7\nfn=(1) a\n12 345\ntotals: 6557\n").unwrap();
        assert_eq!(total(&file).unwrap(), 6_557.0);
        fs::write(&file, "events: Ir\n").unwrap();
        assert_eq!(total(&file).unwrap_err().to_string(), "callgrind's file has no total");
    }

    #[test]
    fn an_operation_is_repeated_by_its_names_and_others_are_named() {
        let groups = crate::core::groups();
        repeat(&groups, "refused", "limiter-core, time given", 1).unwrap();
        let error = repeat(&groups, "refused", "limiter-core", 1).unwrap_err();
        assert_eq!(error.to_string(), "the group refused has no operation `limiter-core`");
        assert_eq!(repeat(&groups, "none", "", 1).unwrap_err().to_string(), "there is no group `none`");
    }
}
