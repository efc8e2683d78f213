//! Checks of Rust files.

use super::Finding;
use crate::source::Source;

/// Macros that are for the time of writing.
const LEFTOVERS: &[&str] = &["todo", "unimplemented", "dbg"];

/// Everything wrong with a Rust file.
pub(super) fn check(text: &str, source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(check_module_docs(text));
    findings.extend(check_leftovers(source));
    findings.extend(check_attributes(source));
    findings.sort();
    findings
}

/// A file says first what it is about.
fn check_module_docs(text: &str) -> Option<Finding> {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    // A crate may take its docs from a file.
    let documented = first.strip_prefix("//!").is_some_and(|docs| !docs.trim().is_empty());
    let documented = documented || first.starts_with("#![doc");
    (!documented).then(|| (1, "the file does not begin with module docs: say in `//!` what it is about".to_owned()))
}

fn check_leftovers(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, number) in source.code().lines().zip(1..) {
        for name in LEFTOVERS {
            let call = format!("{name}!");
            let found = line.match_indices(&call).any(|(at, _)| {
                let before = line.get(..at).unwrap_or_default();
                let after = line.get(at + call.len()..).unwrap_or_default();
                !before.ends_with(|c: char| c.is_alphanumeric() || c == '_') && !after.starts_with('=')
            });
            if found {
                findings.push((number, format!("`{call}` is left over")));
            }
        }
    }
    findings
}

fn check_attributes(source: &Source) -> Vec<Finding> {
    let attributes = source.attributes();
    attributes.iter().filter_map(|it| Some((it.line, complaint_about(&it.text)?.to_owned()))).collect()
}

/// What is wrong with an attribute, given without blanks and without the contents of strings.
fn complaint_about(attribute: &str) -> Option<&'static str> {
    let words = || attribute.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let conditional = attribute.starts_with("cfg_attr(");
    let is = |name: &str| words().next() == Some(name) || (conditional && words().any(|word| word == name));
    if is("ignore") {
        Some("a test that is not run rots: repair it or delete it")
    } else if is("should_panic") {
        Some("compare the result instead: `should_panic` passes on any panic, also on a wrong one")
    } else if is("allow")
        && words().any(|word| word == "dead_code" || word.starts_with("unused"))
        && !attribute.contains("reason=")
    {
        Some("unused code is deleted, or allowed with a `reason`")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        super::check(text, &Source::new(text)).into_iter().map(|(line, _)| line).collect()
    }

    fn check(text: &str, expected: &[usize]) {
        assert_eq!(lines(text), expected, "{text}");
    }

    #[test]
    fn a_file_begins_with_its_docs() {
        check("//! Docs.\n", &[]);
        check("\n//! Docs.\n", &[]);
        check("#![doc = include_str!(\"../README.md\")]\n", &[]);
        check("// A remark.\n//! Docs.\n", &[1]);
        check("//!\n//! Docs.\n", &[1]);
        check("use a;\n", &[1]);
        check("", &[1]);
    }

    #[test]
    fn leftovers_are_found_in_code_only() {
        check("//! Docs.\nfn a() { todo!() }\n", &[2]);
        check("//! Docs.\nfn a() {\n    unimplemented!(\"later\");\n    dbg!(1);\n}\n", &[3, 4]);
        check("//! Docs with todo!() in them.\n// dbg!(a)\nconst A: &str = \"todo!\";\n", &[]);
        check("//! Docs.\nmy_todo!();\nif todo != 1 {}\nif todo!=1 {}\n", &[]);
    }

    #[test]
    fn tests_are_run_and_say_what_they_expect() {
        check("//! Docs.\n#[test]\n#[ignore]\nfn a() {}\n", &[3]);
        check("//! Docs.\n#[ignore = \"slow\"]\nfn a() {}\n", &[2]);
        check("//! Docs.\n#[cfg_attr(windows, ignore)]\nfn a() {}\n", &[2]);
        check("//! Docs.\n#[should_panic(expected = \"a\")]\nfn a() {}\n", &[2]);
        check("//! Docs.\n/// Not `#[ignore]`.\n#[test]\nfn ignore() {}\n", &[]);
    }

    #[test]
    fn unused_code_is_allowed_only_with_a_reason() {
        check("//! Docs.\n#![allow(dead_code)]\n", &[2]);
        check("//! Docs.\n#[allow(unused_variables, clippy::all)]\nfn a() {}\n", &[2]);
        check("//! Docs.\n#[allow(\n    dead_code,\n    reason = \"a\"\n)]\nfn a() {}\n", &[]);
        check("//! Docs.\n#[cfg_attr(windows, allow(unused))]\nfn a() {}\n", &[2]);
        check("//! Docs.\n#[allow(clippy::too_many_lines)]\nfn a() {}\n", &[]);
    }
}
