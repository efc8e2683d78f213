//! Checks of any text file.

use super::Finding;
use super::files::Kind;

/// Where the packages of the lockfile may come from.
const PUBLIC_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Everything wrong with a text as a text.
pub(super) fn check(kind: Kind, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        match kind {
            Kind::Lockfile => findings.extend(check_source(line).map(|message| (number, message))),
            Kind::Manifest | Kind::CargoConfig => {
                findings.extend(check_registry_setting(line).map(|message| (number, message)));
            }
            Kind::Rust | Kind::Other => {}
        }
        if kind != Kind::Lockfile {
            if line.ends_with(char::is_whitespace) {
                findings.push((number, "blanks at the end of the line".to_owned()));
            }
            findings.extend(machine_path(line).map(|path| {
                (number, format!("`{path}` is a path of one machine; write it relative to the project or the user"))
            }));
            findings.extend(registry_host(line).map(|host| {
                (number, format!("`{host}` is a host of a package registry; the project names packages, not hosts"))
            }));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push((text.lines().count(), "the last line does not end with a newline".to_owned()));
    }
    findings
}

/// An absolute path that exists on one machine only, up to its first directory.
fn machine_path(line: &str) -> Option<String> {
    // Put together here, so that this file passes its own check.
    ["home", "root", "Users", "work"].into_iter().map(|directory| format!("/{directory}/")).find(|path| {
        // In the middle of a word it is part of a URL or of a relative path.
        line.match_indices(path.as_str()).any(|(at, _)| {
            !line.get(..at).is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric() || "._-}".contains(c)))
        })
    })
}

/// A host that serves packages or their index.
fn registry_host(line: &str) -> Option<String> {
    ["static", "index"].into_iter().map(|host| format!("{host}.crates.io")).find(|host| line.contains(host.as_str()))
}

/// A setting that takes packages from elsewhere: everybody has to be able to build a clone.
fn check_registry_setting(line: &str) -> Option<String> {
    let line = line.trim_start();
    let compact: String = line.split_whitespace().collect();
    let redirects = ["[source.", "[source]", "[registries", "[registry]", "replace-with="]
        .iter()
        .any(|start| compact.starts_with(start))
        || ["registry=", "registry-index="].iter().any(|setting| {
            compact.starts_with(setting)
                || compact.contains(&format!("{{{setting}"))
                || compact.contains(&format!(",{setting}"))
        });
    redirects.then(|| "takes packages from another registry; a clone must build with the public one".to_owned())
}

/// A package of the lockfile that does not come from the public registry.
fn check_source(line: &str) -> Option<String> {
    let source = line.strip_prefix("source = ")?.trim_matches('"');
    (source != PUBLIC_REGISTRY).then(|| format!("a package comes from {source}, not from the public registry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(kind: Kind, text: &str) -> Vec<usize> {
        check(kind, text).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn blanks_at_the_ends_are_found() {
        fn check(text: &str, expected: &[usize]) {
            assert_eq!(lines(Kind::Other, text), expected, "{text:?}");
        }
        check("", &[]);
        check("a\n\nb\n", &[]);
        check("a \nb\t\n", &[1, 2]);
        check("a\nb", &[2]);
        check("a\n    \n", &[2]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        fn check(before: &str, directory: &str, expected: bool) {
            let line = format!("{before}/{directory}/me\n");
            assert_eq!(lines(Kind::Rust, &line) == [1], expected, "{line}");
        }
        check("", "home", true);
        check("open(\"", "Users", true);
        check("see ", "work", true);
        check("file://", "root", true);
        check("https://example.com", "home", false);
        check("target", "work", false);
        check("", "usr", false);
        check("", "homes", false);
    }

    #[test]
    fn other_registries_are_found() {
        fn check(kind: Kind, line: &str, expected: bool) {
            assert_eq!(lines(kind, &format!("{line}\n")) == [1], expected, "{line}");
        }
        check(Kind::Other, &format!("curl https://{}.crates.io/x", "static"), true);
        check(Kind::Other, "published on crates.io", false);
        check(Kind::CargoConfig, "[source.crates-io]", true);
        check(Kind::CargoConfig, "replace-with = \"mirror\"", true);
        check(Kind::CargoConfig, "[registries.mine]", true);
        check(Kind::CargoConfig, "xtask = \"run --quiet --package xtask --\"", false);
        check(Kind::Manifest, "a = { version = \"1\", registry = \"mine\" }", true);
        check(Kind::Manifest, "a = { version = \"1\", features = [\"registry\"] }", false);
        check(Kind::Lockfile, &format!("source = \"{PUBLIC_REGISTRY}\""), false);
        check(Kind::Lockfile, "source = \"git+https://example.com/a\"", true);
        check(Kind::Lockfile, "checksum = \"00\"", false);
    }
}
