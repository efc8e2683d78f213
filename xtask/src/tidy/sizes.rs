//! How long the files are. A report for people: a long file is a question, not an error.

use std::fmt::Write as _;

/// Past this many lines a file probably holds a second thing.
const LONG: usize = 500;

/// How many of the longest files are named.
const NAMED: usize = 10;

/// The lengths of the files.
#[derive(Default)]
pub(super) struct Sizes {
    /// Lines that are no tests, and the path.
    files: Vec<(usize, String)>,
}

impl Sizes {
    /// Adds a file by the number of its lines that are no tests.
    pub(super) fn add(&mut self, lines: usize, path: &str) {
        self.files.push((lines, path.to_owned()));
    }

    /// Median, 90th percentile, the longest, and those that are too long.
    pub(super) fn report(&self) -> String {
        let mut files = self.files.clone();
        files.sort_by(|(a, a_path), (b, b_path)| b.cmp(a).then_with(|| a_path.cmp(b_path)));
        let lengths: Vec<usize> = files.iter().rev().map(|(lines, _)| *lines).collect();
        let mut report = format!(
            "non-test lines of {} Rust files: median {}, 90 % have at most {}\n",
            files.len(),
            percentile(&lengths, 50),
            percentile(&lengths, 90),
        );
        for (lines, path) in files.iter().take(NAMED) {
            // Writing to a string cannot fail.
            let _ = writeln!(report, "{lines:>6}  {path}");
        }
        let long: Vec<&str> = files.iter().filter(|(lines, _)| *lines > LONG).map(|(_, path)| path.as_str()).collect();
        let long = if long.is_empty() { "none".to_owned() } else { long.join(", ") };
        let _ = write!(report, "past {LONG} lines: {long}");
        report
    }
}

/// The smallest of the `sorted` values that at least `percent` of them do not exceed; 0 where there are none.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        fn check(sorted: &[usize], percent: usize, expected: usize) {
            assert_eq!(percentile(sorted, percent), expected, "{sorted:?} {percent}");
        }
        check(&[], 50, 0);
        check(&[7], 50, 7);
        check(&[7], 90, 7);
        check(&[1, 2, 3, 4], 50, 2);
        check(&[1, 2, 3, 4, 5], 50, 3);
        check(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90, 9);
        check(&[1, 2, 3], 100, 3);
    }

    #[test]
    fn the_report_names_the_longest_first() {
        let mut sizes = Sizes::default();
        sizes.add(10, "a.rs");
        sizes.add(501, "b.rs");
        sizes.add(500, "c.rs");
        assert_eq!(
            sizes.report(),
            "non-test lines of 3 Rust files: median 500, 90 % have at most 501\n   \
             501  b.rs\n   500  c.rs\n    10  a.rs\npast 500 lines: b.rs"
        );
    }
}
