//! What a step is.

use std::fmt;
use std::str::FromStr;

use super::steps::STEPS;
use crate::workspace::Workspace;

/// One check.
pub(super) struct Step {
    /// One word, for `--only` and the summary.
    pub(super) name: &'static str,
    /// What it shows when it passes.
    pub(super) what: &'static str,
    /// The command that runs it and nothing else.
    pub(super) alone: &'static str,
    /// Runs it. An error is a failure; its text is for the reader.
    pub(super) run: fn(&Workspace) -> anyhow::Result<Outcome>,
}

/// How a step ended that did not fail.
pub(super) enum Outcome {
    /// With what there is to say about it, if anything.
    Passed(String),
    /// Not run, and why: a tool that nobody has to have is not there.
    Skipped(String),
}

impl Outcome {
    /// Passed, with nothing to say.
    pub(super) fn passed() -> Self {
        Self::Passed(String::new())
    }
}

/// A step named on the command line.
pub(crate) struct Chosen(&'static Step);

impl Chosen {
    pub(super) fn is(&self, step: &Step) -> bool {
        self.0.name == step.name
    }
}

impl FromStr for Chosen {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        STEPS.iter().find(|step| step.name == name).map(Self).ok_or_else(|| {
            let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            format!("there is no step `{name}`; the steps are {}", names.join(", "))
        })
    }
}

impl fmt::Debug for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_found_by_its_name() {
        for step in STEPS {
            assert!(step.name.parse::<Chosen>().unwrap().is(step), "{}", step.name);
        }
    }

    #[test]
    fn an_unknown_step_is_answered_with_the_known_ones() {
        let error = "lint".parse::<Chosen>().unwrap_err();
        assert!(error.contains("`lint`") && error.contains("clippy"), "{error}");
    }

    #[test]
    fn a_step_that_has_no_command_of_its_own_is_run_alone_by_its_name() {
        for step in STEPS.iter().filter(|step| step.alone.contains("--only")) {
            assert_eq!(step.alone, format!("cargo xtask ci --only {}", step.name));
        }
    }
}
