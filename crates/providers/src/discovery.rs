//! What a provider says about an account when it is asked: limits, credit, models.
//!
//! Requests to send and readers of their answers. Nothing is sent here: a caller joins the path with the base address
//! ([`join_url`](crate::join_url)), adds the key ([`Provider::authenticate`](crate::Provider::authenticate)) and passes
//! the body of a successful answer to the reader. The readers take what they understand and leave out the rest; only a
//! body of an altogether different shape is an error.

mod account;
pub mod anthropic;
mod model_list;
pub mod openai;
pub mod openrouter;

use http::{HeaderMap, Method};
use limiter_core::{Dimension, Limit, Nanos};
use serde_json::Value;
use thiserror::Error;

pub use account::{Account, AccountInquiry};
pub use model_list::{model_list, native_model_list, parse_model_list};

/// A request about the account. It has no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveryRequest {
    /// How it is asked.
    pub method: Method,
    /// The path and query, to be joined with the base address.
    pub path: String,
    /// The headers, without the key.
    pub headers: HeaderMap,
    /// Which key it takes.
    pub key: KeyKind,
}

/// Which key a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// None.
    None,
    /// The one that other requests are sent with.
    Ordinary,
    /// One that manages the organization; an ordinary one is refused.
    Admin,
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What is in it.
    pub items: Vec<T>,
    /// What to ask for the next part with; `None` at the end.
    pub next: Option<String>,
}

/// The limits that some models share.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ScopeLimits {
    /// What shares them: a model, a group, or a service such as `batch`.
    pub scope: String,
    /// The models, under every name that counts against these limits; none where it is no matter of models.
    pub models: Vec<String>,
    /// The limits.
    pub limits: Vec<Limit>,
    /// What is limited to zero: requests that need any of it are refused however long one waits.
    pub without_quota: Vec<Dimension>,
    /// Limits of what is not metered here (batch queues, sound), by the provider's own name and as they stand.
    pub other: Vec<(String, u64)>,
}

impl ScopeLimits {
    /// Whether these are limits of the key, which every model draws on.
    #[must_use]
    pub fn is_for_all(&self) -> bool {
        self.models.is_empty() && self.scope == "key"
    }

    /// Adds a limit. Of two on the same dimension and window the smaller one counts.
    pub(crate) fn add(&mut self, dimension: Dimension, window: Nanos, amount: u64) {
        if amount == 0 {
            if !self.without_quota.contains(&dimension) {
                self.without_quota.push(dimension);
            }
            return;
        }
        let limit = Limit::new(dimension, amount, window);
        let same = |known: &&mut Limit| known.dimension() == dimension && known.window() == limit.window();
        match self.limits.iter_mut().find(same) {
            Some(known) if known.amount() <= limit.amount() => {}
            Some(known) => *known = limit,
            None => self.limits.push(limit),
        }
    }
}

/// Why an answer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// It is not JSON.
    #[error("the answer is not JSON")]
    NotJson,
    /// It lacks what was asked for.
    #[error("the answer has no `{0}`")]
    Missing(&'static str),
}

impl DiscoveryRequest {
    fn get(path: impl Into<String>, key: KeyKind) -> Self {
        Self { method: Method::GET, path: path.into(), headers: HeaderMap::new(), key }
    }

    /// The same with a further field in the query.
    fn with_query(mut self, name: &str, value: &str) -> Self {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(name);
        self.path.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
                self.path.push(char::from(byte));
            } else {
                self.path.push_str(&format!("%{byte:02X}"));
            }
        }
        self
    }
}

fn parse(body: &[u8]) -> Result<Value, DiscoveryError> {
    serde_json::from_slice(body).map_err(|_| DiscoveryError::NotJson)
}

/// A whole number that is not negative, written as a number or as text. What is beyond a `u64` is the largest one.
fn count(value: Option<&Value>) -> Option<u64> {
    let value = value?;
    value.as_u64().or_else(|| {
        let number = amount(Some(value))?;
        // Casting a float saturates.
        (number >= 0.0).then_some(number as u64)
    })
}

/// A finite number, written as a number or as text.
fn amount(value: Option<&Value>) -> Option<f64> {
    let value = value?;
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    number.is_finite().then_some(number)
}

fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The members of a list; what is no list has none.
fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
