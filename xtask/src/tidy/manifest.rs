//! What the checks need of a `Cargo.toml`.
//!
//! Reads the forms that manifests are written in, a line at a time; cargo itself has accepted the file.

/// A package, and what it depends on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Relative to the root.
    pub(super) path: String,
    /// The package's name.
    pub(super) package: String,
    /// In the order of the file.
    pub(super) dependencies: Vec<Dependency>,
    /// Whether the workspace's lints apply.
    pub(super) inherits_lints: bool,
    /// Whether it is a workspace of its own, which cannot inherit anything from this one.
    pub(super) is_apart: bool,
}

/// One dependency.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dependency {
    /// The package's name, whatever it is called here.
    pub(super) package: String,
    /// Whether only tests, examples and benchmarks see it.
    pub(super) for_tests: bool,
    /// From 1.
    pub(super) line: usize,
}

impl Manifest {
    /// Reads a manifest. One without a package (a virtual workspace's) is `None`.
    pub(super) fn parse(path: &str, text: &str) -> Option<Self> {
        let mut package = None;
        let mut dependencies: Vec<Dependency> = Vec::new();
        let (mut inherits_lints, mut is_apart) = (false, false);
        let mut section = "";
        // What a line means follows from the section it stands in.
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if let Some(header) = line.strip_prefix('[') {
                section = header.split_once(']').map_or(header, |(name, _)| name);
                is_apart |= section == "workspace";
                // `[dependencies.name]`
                if let Some((table, name)) = section.rsplit_once('.')
                    && let Some(for_tests) = dependency_table(table)
                {
                    dependencies.push(Dependency { package: unquoted(name).to_owned(), for_tests, line: number });
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else { continue };
            let (key, value) = (key.trim(), value.trim());
            if section == "package" && key == "name" {
                package = Some(unquoted(value).to_owned());
            } else if section == "lints" && key == "workspace" {
                inherits_lints = value.starts_with("true");
            } else if let Some(for_tests) = dependency_table(section) {
                let name = renamed(value).unwrap_or_else(|| unquoted(key.split('.').next().unwrap_or(key)));
                if is_package_name(name) {
                    dependencies.push(Dependency { package: name.to_owned(), for_tests, line: number });
                }
            } else if key == "package"
                && section.rsplit_once('.').is_some_and(|(table, _)| dependency_table(table).is_some())
                && let Some(dependency) = dependencies.last_mut()
            {
                dependency.package = unquoted(value).to_owned();
            }
        }
        Some(Self { path: path.to_owned(), package: package?, dependencies, inherits_lints, is_apart })
    }
}

/// Whether the dependencies of a section are for tests only, `None` for a section of another kind.
fn dependency_table(section: &str) -> Option<bool> {
    let table = section.rsplit('.').next().unwrap_or(section);
    let of_target = section.starts_with("target.");
    match table {
        "dev-dependencies" if section == table || of_target => Some(true),
        "dependencies" | "build-dependencies" if section == table || of_target => Some(false),
        _ => None,
    }
}

/// The name in `{ package = "name", ... }`.
fn renamed(value: &str) -> Option<&str> {
    let (_, after) = value.split_once("package")?;
    let quoted = after.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
    quoted.split('"').next()
}

/// Lines within a value of several lines are no dependencies.
fn is_package_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

fn unquoted(value: &str) -> &str {
    value.trim_start_matches(['"', '\'']).split(['"', '\'']).next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependencies(text: &str) -> Vec<(String, bool, usize)> {
        let text = format!("[package]\nname = \"a\"\n{text}");
        let manifest = Manifest::parse("Cargo.toml", &text).unwrap();
        manifest.dependencies.into_iter().map(|it| (it.package, it.for_tests, it.line)).collect()
    }

    #[test]
    fn dependencies_are_read_in_every_form() {
        fn check(text: &str, expected: &[(&str, bool, usize)]) {
            let found = dependencies(text);
            let found: Vec<_> = found.iter().map(|(name, tests, line)| (name.as_str(), *tests, *line)).collect();
            assert_eq!(found, expected, "{text}");
        }
        check("", &[]);
        check("[dependencies]\nb = \"1\"\n# c = \"1\"\n", &[("b", false, 4)]);
        check("[dependencies]\nb.workspace = true\n", &[("b", false, 4)]);
        check("[dependencies]\n\"b\" = { path = \"../b\" }\n", &[("b", false, 4)]);
        check("[dependencies]\nc = { package = \"b\", path = \"../b\" }\n", &[("b", false, 4)]);
        check("[dependencies.b]\nworkspace = true\nfeatures = []\n", &[("b", false, 3)]);
        check("[dependencies.c]\npackage = \"b\"\n", &[("b", false, 3)]);
        check("[dev-dependencies]\nb.workspace = true\n", &[("b", true, 4)]);
        check("[build-dependencies]\nb = \"1\"\n", &[("b", false, 4)]);
        check("[target.'cfg(unix)'.dependencies]\nb = \"1\"\n", &[("b", false, 4)]);
        check("[target.'cfg(unix)'.dev-dependencies.b]\nversion = \"1\"\n", &[("b", true, 3)]);
        check("[dependencies]\nb = { version = \"1\", features = [\n    \"c\",\n] }\n", &[("b", false, 4)]);
        check("[features]\nb = []\n[workspace.dependencies]\nc = \"1\"\n", &[]);
    }

    #[test]
    fn lints_are_inherited_or_not() {
        fn check(text: &str, expected: bool) {
            let text = format!("[package]\nname = \"a\"\n{text}");
            assert_eq!(Manifest::parse("Cargo.toml", &text).unwrap().inherits_lints, expected, "{text}");
        }
        check("[lints]\nworkspace = true\n", true);
        check("[lints]\nworkspace = false\n", false);
        check("[dependencies]\nb.workspace = true\n", false);
    }

    #[test]
    fn a_package_may_be_a_workspace_of_its_own() {
        let is_apart = |text: &str| Manifest::parse("Cargo.toml", text).unwrap().is_apart;
        assert!(is_apart("[package]\nname = \"a\"\n[workspace]\n"));
        assert!(!is_apart("[package]\nname = \"a\"\n"));
    }

    #[test]
    fn a_manifest_without_a_package_is_none() {
        assert_eq!(Manifest::parse("Cargo.toml", "[workspace]\nmembers = []\n"), None);
        assert_eq!(Manifest::parse("Cargo.toml", "= [[ \"\n]["), None);
    }
}
