//! Dependencies between the workspace's packages point one way.
//!
//! `cli -> chat-limiter -> {transport, providers, tokenizer, limiter-core}` and `providers -> {limiter-core, tokenizer}`.
//! The simulator meters by its own arithmetic, so that an error in limiter-core's cannot sit on both sides of a test.

use super::Violation;
use super::manifest::Manifest;

/// What one package may depend on.
struct Rule {
    package: &'static str,
    /// Packages of the workspace it may use.
    may_use: May,
    /// Further ones that its tests, examples and benchmarks may use.
    tests_may_use: &'static [&'static str],
    /// Whether it may use packages from outside the workspace.
    outside: bool,
}

enum May {
    Anything,
    Only(&'static [&'static str]),
}

/// One row a package: a new package needs a new row, so that somebody decides where it stands.
const RULES: &[Rule] = &[
    Rule { package: "limiter-core", may_use: May::Only(&[]), tests_may_use: &[], outside: false },
    Rule { package: "tokenizer", may_use: May::Only(&[]), tests_may_use: &[], outside: true },
    Rule { package: "transport", may_use: May::Only(&[]), tests_may_use: &[], outside: true },
    Rule {
        package: "providers",
        may_use: May::Only(&["limiter-core", "tokenizer"]),
        tests_may_use: &[],
        outside: true,
    },
    Rule { package: "simulator", may_use: May::Only(&["tokenizer"]), tests_may_use: &[], outside: true },
    Rule {
        package: "chat-limiter",
        may_use: May::Only(&["limiter-core", "providers", "tokenizer", "transport"]),
        tests_may_use: &["simulator"],
        outside: true,
    },
    Rule { package: "chat-limiter-cli", may_use: May::Anything, tests_may_use: &[], outside: true },
    Rule { package: "chat-limiter-tests", may_use: May::Anything, tests_may_use: &[], outside: true },
    Rule { package: "chat-limiter-bench", may_use: May::Anything, tests_may_use: &[], outside: true },
    Rule { package: "other-clients", may_use: May::Anything, tests_may_use: &[], outside: true },
    Rule { package: "providers-fuzz", may_use: May::Only(&["providers"]), tests_may_use: &[], outside: true },
    Rule { package: "xtask", may_use: May::Only(&[]), tests_may_use: &[], outside: true },
];

/// Every dependency that points the wrong way, and every package outside the workspace's lints.
pub(super) fn check_dependencies(manifests: &[Manifest]) -> Vec<Violation> {
    let is_ours = |package: &str| manifests.iter().any(|manifest| manifest.package == package);
    let mut violations = Vec::new();
    for manifest in manifests {
        let mut complain = |line, message| {
            violations.push(Violation { path: manifest.path.clone(), line, message });
        };
        let package = manifest.package.as_str();
        if !manifest.inherits_lints && !manifest.is_apart {
            complain(0, "the workspace's lints do not apply: add `[lints]` with `workspace = true`".to_owned());
        }
        let Some(rule) = RULES.iter().find(|rule| rule.package == package) else {
            complain(0, format!("{package} has no row in the dependency rules of xtask's tidy: say what it may use"));
            continue;
        };
        for dependency in &manifest.dependencies {
            let used = dependency.package.as_str();
            if !rule.allows(used, dependency.for_tests, is_ours(used)) {
                complain(dependency.line, format!("{package} must not depend on {used}"));
            }
        }
    }
    violations
}

impl Rule {
    fn allows(&self, used: &str, for_tests: bool, is_ours: bool) -> bool {
        if !is_ours {
            return self.outside || for_tests;
        }
        let always = match self.may_use {
            May::Anything => true,
            May::Only(packages) => packages.contains(&used),
        };
        always || (for_tests && self.tests_may_use.contains(&used))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(package: &str, dependencies: &str) -> Manifest {
        let text = format!("[package]\nname = \"{package}\"\n[lints]\nworkspace = true\n{dependencies}");
        Manifest::parse("Cargo.toml", &text).unwrap()
    }

    fn violations(package: &str, dependencies: &str) -> Vec<String> {
        let mut all: Vec<Manifest> =
            RULES.iter().filter(|rule| rule.package != package).map(|rule| manifest(rule.package, "")).collect();
        all.push(manifest(package, dependencies));
        check_dependencies(&all).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn dependencies_point_one_way() {
        fn check(package: &str, table: &str, used: &str, allowed: bool) {
            let found = violations(package, &format!("[{table}]\n{used} = \"1\"\n"));
            let expected =
                if allowed { vec![] } else { vec![format!("Cargo.toml:6: {package} must not depend on {used}")] };
            assert_eq!(found, expected);
        }
        check("chat-limiter-cli", "dependencies", "chat-limiter", true);
        check("chat-limiter", "dependencies", "providers", true);
        check("chat-limiter", "dependencies", "simulator", false);
        check("chat-limiter", "dev-dependencies", "simulator", true);
        check("chat-limiter", "dependencies", "chat-limiter-cli", false);
        check("providers", "dependencies", "limiter-core", true);
        check("providers", "dependencies", "transport", false);
        check("simulator", "dependencies", "limiter-core", false);
        check("simulator", "dev-dependencies", "limiter-core", false);
        check("transport", "dependencies", "tokenizer", false);
        check("tokenizer", "dependencies", "limiter-core", false);
        check("limiter-core", "dependencies", "tokenizer", false);
    }

    #[test]
    fn only_the_core_needs_nothing_from_outside() {
        assert_eq!(violations("tokenizer", "[dependencies]\nserde = \"1\"\n"), Vec::<String>::new());
        assert_eq!(violations("limiter-core", "[dev-dependencies]\nproptest = \"1\"\n"), Vec::<String>::new());
        assert_eq!(
            violations("limiter-core", "[dependencies]\nserde = \"1\"\n"),
            ["Cargo.toml:6: limiter-core must not depend on serde"]
        );
    }

    #[test]
    fn a_package_without_a_row_or_lints_is_named() {
        let stranger = Manifest::parse("a/Cargo.toml", "[package]\nname = \"stranger\"\n").unwrap();
        let found: Vec<String> = check_dependencies(&[stranger]).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|it| it.starts_with("a/Cargo.toml: ")), "{found:?}");
    }
}
