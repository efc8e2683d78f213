//! How many tests ran, read from the output of `cargo test` while it passes by.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::Context as _;

/// The sum of all `test result:` lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Runs a command, hands every line that it writes to `show` at once, and counts its tests.
///
/// # Errors
///
/// The command cannot be started, or its output cannot be read.
pub(super) fn run_and_count(mut command: Command, show: impl Fn(&[u8])) -> anyhow::Result<(ExitStatus, Tally)> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let mut output = BufReader::new(child.stdout.take().context("the output of cargo is missing")?);
    let mut tally = Tally::default();
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line)? > 0 {
        show(&line);
        tally.add(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok((child.wait()?, tally))
}

impl Tally {
    /// Tests that were run, whatever came out.
    pub(super) fn ran(&self) -> u64 {
        self.passed + self.failed
    }

    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s`.
    fn add(&mut self, line: &str) {
        // Doc tests that were merged into one program say so in front.
        let Some((_, counts)) = line.split_once("test result: ") else { return };
        let mut words = counts.split([' ', ';', '.']).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            let (Ok(count), Some(what)) = (word.parse::<u64>(), words.peek()) else { continue };
            match *what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_all_programs_are_added() {
        fn check(output: &str, expected: (u64, u64, u64)) {
            let mut tally = Tally::default();
            output.lines().for_each(|line| tally.add(line));
            assert_eq!((tally.passed, tally.failed, tally.ignored), expected, "{output}");
        }
        check("", (0, 0, 0));
        check("running 1 test\ntest a ... ok\n", (0, 0, 0));
        check(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s\n\
             test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 2.50s\n",
            (5, 4, 1),
        );
        check("test result: \n", (0, 0, 0));
        check("test result: ok. 99999999999999999999999 passed; 1 failed", (0, 1, 0));
    }
}
