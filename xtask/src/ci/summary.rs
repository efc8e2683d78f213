//! The table at the end.

use std::fmt;

use super::stopwatch::Elapsed;

/// How one step went.
pub(super) struct Row {
    pub(super) step: &'static str,
    pub(super) verdict: &'static str,
    pub(super) time: Elapsed,
    /// Of several lines at most; the table shows the first.
    pub(super) note: String,
    pub(super) alone: &'static str,
}

/// How all steps went.
#[derive(Default)]
pub(super) struct Summary(Vec<Row>);

impl Summary {
    pub(super) fn add(&mut self, row: Row) {
        self.0.push(row);
    }

    /// The names of the steps that failed.
    pub(super) fn failed(&self) -> Vec<&'static str> {
        self.0.iter().filter(|row| row.failed()).map(|row| row.step).collect()
    }
}

impl Row {
    fn failed(&self) -> bool {
        self.verdict == "FAILED"
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<10} {:<8} {:>9}", "step", "result", "time")?;
        for row in &self.0 {
            write!(f, "\n{:<10} {:<8} {:>9}", row.step, row.verdict, row.time)?;
            let note = row.note.lines().next().unwrap_or_default();
            if !note.is_empty() {
                write!(f, "  {note}")?;
            }
            if row.failed() {
                write!(f, "\n{:<30} alone: {}", "", row.alone)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_table_says_what_failed_and_how_to_see_it_alone() {
        let row = |step, verdict, millis, note: &str| Row {
            step,
            verdict,
            time: Elapsed(Duration::from_millis(millis)),
            note: note.to_owned(),
            alone: "cargo xtask tidy",
        };
        let mut summary = Summary::default();
        summary.add(row("fmt", "ok", 250, ""));
        summary.add(row("tidy", "FAILED", 61_000, "2 violations\nmore"));
        summary.add(row("deny", "skipped", 0, "not installed"));
        assert_eq!(summary.failed(), ["tidy"]);
        assert_eq!(
            summary.to_string().lines().map(str::trim_end).collect::<Vec<_>>(),
            [
                "step       result        time",
                "fmt        ok           0.2 s",
                "tidy       FAILED      61.0 s  2 violations",
                "                               alone: cargo xtask tidy",
                "deny       skipped      0.0 s  not installed",
            ]
        );
    }
}
