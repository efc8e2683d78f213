//! What becomes of the headers that have to do with limits.

use std::collections::BTreeMap;

use chat_limiter::providers::{HeaderUse, Provider, UnixTime};

use super::rows::Answer;

/// How many headers were read, left aside, or failed.
#[derive(Debug, Default)]
pub struct Headers {
    /// Read.
    pub read: u64,
    /// Left aside, for a reason.
    pub ignored: u64,
    /// Not understood: their names, or their values.
    pub failed: u64,
    /// The reasons.
    pub reasons: BTreeMap<&'static str, u64>,
}

impl Headers {
    /// Counts one answer's headers, and says which were not understood.
    pub(super) fn add(&mut self, provider: &dyn Provider, answer: &Answer) -> Vec<String> {
        let mut examples = Vec::new();
        let mut uses: BTreeMap<&str, Vec<(&str, HeaderUse)>> = BTreeMap::new();
        for (name, value) in &answer.headers {
            uses.entry(name).or_default().push((value, provider.explain_header(name, value)));
        }
        for (name, values) in uses {
            // Of a repeated header one value that can be read is enough.
            let is_read = values.iter().any(|(_, it)| *it == HeaderUse::Read);
            let Some((value, found)) = values.into_iter().next() else { continue };
            match if is_read { HeaderUse::Read } else { found } {
                HeaderUse::Read => self.read += 1,
                HeaderUse::Ignored(reason) => {
                    self.ignored += 1;
                    *self.reasons.entry(reason).or_default() += 1;
                }
                HeaderUse::Unrelated => {}
                failed => {
                    self.failed += 1;
                    examples.push(format!("{}: header {name}: {value}: {failed:?}", answer.provider));
                }
            }
        }
        // Whatever it says, it must be possible to read.
        let _ = provider.observe(answer.status, &answer.header_map(), UnixTime::default());
        examples
    }
}
