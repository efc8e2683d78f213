//! What the providers' module makes of answers that providers really gave.
//!
//! The recordings are no part of the project: they are looked for in a directory of their own. What is expected of each
//! answer is written down beside it, or computed here with arithmetic that shares nothing with the code it checks
//! (`oracle.rs`).

mod bodies;
mod headers;
mod oracle;
mod refusals;
pub mod report;
mod rows;
mod windows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chat_limiter::providers::{Provider, Registry};

pub use bodies::Usages;
pub use headers::Headers;
pub use refusals::Refusals;
pub use windows::Windows;

/// Everything that was counted.
#[derive(Debug, Default)]
pub struct Outcome {
    /// By the name that the recordings have for the provider.
    pub providers: BTreeMap<String, Counts>,
    /// Refusals that were labelled.
    pub refusals: Refusals,
    /// Examples of what went wrong, for people.
    pub examples: Vec<String>,
}

/// What was counted of one provider.
#[derive(Debug, Default)]
pub struct Counts {
    /// Whether it is in the registry under this name. Of others nothing is promised but that nothing fails.
    pub is_supported: bool,
    /// Answers with their heads.
    pub answers: u64,
    /// What became of their headers.
    pub headers: Headers,
    /// Windows that one answer shows.
    pub windows: Windows,
    /// Whole answers in JSON.
    pub json: Usages,
    /// Streams of events.
    pub streams: Usages,
    /// Successes of which an error was noted, and those in which it was seen.
    pub inside: Inside,
    /// Answers without an error in which one was seen.
    pub false_alarms: u64,
    /// Errors by their kind: those with an error's status, and those inside a success.
    pub errors: BTreeMap<&'static str, u64>,
}

/// Errors inside successes.
#[derive(Debug, Default)]
pub struct Inside {
    /// Noted.
    pub noted: u64,
    /// Seen.
    pub seen: u64,
}

/// Where the recordings are kept beside the project.
#[must_use]
pub fn default_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus")
}

/// How many examples are kept.
const EXAMPLES: usize = 40;

impl Outcome {
    /// Reads all recordings in a directory.
    ///
    /// # Errors
    ///
    /// A file is missing, cannot be unpacked, or is not what it should be.
    pub fn of(directory: &Path) -> anyhow::Result<Self> {
        let mut outcome = Self::default();
        let providers = Providers { registry: Registry::standard() };
        let mut recorded = BTreeMap::new();
        rows::each(directory, "responses.jsonl.gz", |row| {
            let answer = rows::Answer::read(row);
            let provider = providers.of(&answer.provider, &answer.host);
            let counts = outcome.counts(&providers, &answer.provider);
            counts.answers += 1;
            let mut examples = counts.headers.add(provider.as_ref(), &answer);
            examples.extend(counts.windows.add(provider.as_ref(), &answer));
            outcome.remember(examples);
            recorded.insert(answer.id.clone(), answer.recorded);
        })?;
        rows::each(directory, "bodies.jsonl.gz", |row| {
            let body = rows::Body::read(row);
            let provider = providers.of(&body.provider, "");
            let Some(recorded) = recorded.get(&body.id) else { return };
            let counts = outcome.counts(&providers, &body.provider);
            let examples = bodies::add(counts, provider.as_ref(), &body, recorded);
            outcome.remember(examples);
        })?;
        rows::each(directory, "limited.jsonl.gz", |row| {
            let refusal = rows::Refusal::read(row);
            let provider = providers.of(&refusal.provider, "");
            let examples = outcome.refusals.add(provider.as_ref(), &refusal);
            outcome.remember(examples);
        })?;
        Ok(outcome)
    }

    fn counts(&mut self, providers: &Providers, name: &str) -> &mut Counts {
        let counts = self.providers.entry(name.to_owned()).or_default();
        counts.is_supported = providers.registry.by_name(name).is_ok();
        counts
    }

    fn remember(&mut self, examples: Vec<String>) {
        let free = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(examples.into_iter().take(free));
    }
}

/// Providers by the names that the recordings have for them.
struct Providers {
    registry: Registry,
}

impl Providers {
    /// The provider of this name or at this host; else any server that speaks OpenAI's interface.
    fn of(&self, name: &str, host: &str) -> Arc<dyn Provider> {
        let by_host = || self.registry.detect_from_url(&format!("https://{host}/"));
        let any = || Arc::new(chat_limiter::providers::OpenAiCompatible::new());
        self.registry.by_name(name).ok().or_else(by_host).unwrap_or_else(|| any())
    }
}
