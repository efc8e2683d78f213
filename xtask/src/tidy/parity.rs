//! `docs/PARITY.md` names a test in every row of its tables, and every test that it names exists.
//!
//! A test is named as `` `file.rs::name` ``, with as much of the file's path in front as tells it from others. A row that
//! nothing can show begins its last cell with `no test:` and a reason.

use super::Violation;
use super::files::{File, Kind};

/// The file that is looked at.
const PATH: &str = "docs/PARITY.md";

/// What is wrong in it.
pub(super) fn check(files: &[File]) -> Vec<Violation> {
    let Some(parity) = files.iter().find(|file| file.path == PATH) else { return Vec::new() };
    let lines: Vec<&str> = parity.text.lines().collect();
    let mut violations = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut complain = |message| violations.push(Violation { path: PATH.to_owned(), line: index + 1, message });
        for (file, name) in references(line) {
            if let Err(message) = find(files, file, name) {
                complain(message);
            }
        }
        let is_head = lines.get(index + 1).is_some_and(|next| is_rule(next));
        if line.starts_with('|') && !is_rule(line) && !is_head && !names_a_test(line) {
            complain("the row names no test: add `file.rs::name`, or `no test:` and why".to_owned());
        }
    }
    violations
}

/// Whether a line is the one between a table's head and its rows.
fn is_rule(line: &str) -> bool {
    line.starts_with("|-")
}

fn names_a_test(row: &str) -> bool {
    let last = row.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim();
    last.starts_with("no test:") || references(last).next().is_some()
}

/// The tests that a line names: the file, and the name.
fn references(line: &str) -> impl Iterator<Item = (&str, &str)> {
    // Every second piece between backticks is code.
    line.split('`').skip(1).step_by(2).filter_map(|code| {
        let (file, name) = code.split_once("::")?;
        file.ends_with(".rs").then_some((file, name))
    })
}

/// Looks for the test `name` in the one file whose path ends with `suffix`.
fn find(files: &[File], suffix: &str, name: &str) -> Result<(), String> {
    let is_meant = |path: &str| path.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    let mut meant = files.iter().filter(|file| file.kind == Kind::Rust && is_meant(&file.path));
    let file = meant.next().ok_or_else(|| format!("there is no file {suffix}"))?;
    if let Some(other) = meant.next() {
        return Err(format!("{suffix} may be {} or {}: say more of the path", file.path, other.path));
    }
    if is_test(&file.text, name) { Ok(()) } else { Err(format!("there is no test {name} in {}", file.path)) }
}

/// Whether the text has a function of this name with an attribute that makes it a test.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_function = |line: &str| {
        let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        rest.and_then(|rest| rest.strip_prefix(name)).is_some_and(|rest| rest.starts_with('('))
    };
    lines.iter().enumerate().filter(|(_, line)| is_function(line)).any(|(index, _)| {
        let above = lines.iter().take(index).rev().take_while(|line| line.starts_with("#["));
        above.into_iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, kind: Kind, text: &str) -> File {
        File { path: path.to_owned(), kind, text: text.to_owned() }
    }

    #[track_caller]
    fn check_table(row: &str, expected: &[&str]) {
        let files = [
            file(PATH, Kind::Other, &format!("| what | where | test |\n|---|---|---|\n{row}\n")),
            file("crates/a/src/one.rs", Kind::Rust, "#[test]\n    fn it_holds() {}\nfn helper() {}\n"),
            file("crates/b/src/one.rs", Kind::Rust, "#[tokio::test(start_paused = true)]\nasync fn it_waits() {}\n"),
        ];
        let found: Vec<String> = check(&files).iter().map(ToString::to_string).collect();
        let expected: Vec<String> = expected.iter().map(|message| format!("{PATH}:3: {message}")).collect();
        assert_eq!(found, expected, "{row}");
    }

    #[test]
    fn a_test_that_exists_is_found_by_the_end_of_its_path() {
        check_table("| x | `y` | `a/src/one.rs::it_holds` |", &[]);
        check_table("| x | `y` | `crates/b/src/one.rs::it_waits`, `a/src/one.rs::it_holds` |", &[]);
        check_table("| x | `y` | no test: it is a property of the type |", &[]);
    }

    #[test]
    fn what_is_not_there_or_no_test_is_named() {
        check_table("| x | y | `a/src/two.rs::it_holds` |", &["there is no file a/src/two.rs"]);
        check_table("| x | y | `src/two/one.rs::it_holds` |", &["there is no file src/two/one.rs"]);
        check_table("| x | y | `a/src/one.rs::helper` |", &["there is no test helper in crates/a/src/one.rs"]);
        check_table("| x | y | `a/src/one.rs::it_hold` |", &["there is no test it_hold in crates/a/src/one.rs"]);
        let both = "one.rs may be crates/a/src/one.rs or crates/b/src/one.rs: say more of the path";
        check_table("| x | y | `one.rs::it_holds` |", &[both]);
    }

    #[test]
    fn a_row_without_a_test_is_named() {
        let missing = "the row names no test: add `file.rs::name`, or `no test:` and why";
        check_table("| x | `a/src/one.rs::it_holds` | y |", &[missing]);
        check_table("| x | y | |", &[missing]);
        check_table("Words, `code` and `Type::name` are no rows.", &[]);
    }
}
