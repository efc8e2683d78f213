//! What can be wrong with a request, before any provider puts it in words.

use http::Method;

use crate::quota::{Reading, Refusal};
use crate::telling::{Said, Telling};

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Nothing is at this path.
    UnknownPath { method: Method, path: String },
    /// The path is asked with another method.
    WrongMethod { method: Method, path: String, allowed: Method },
    /// No key was sent.
    NoKey,
    /// The key that was sent is not the right one.
    WrongKey,
    /// The body is larger than can be taken.
    BodyTooLarge,
    /// The body is not JSON.
    NotJson,
    /// A parameter is missing.
    Missing(&'static str),
    /// A parameter is an empty list.
    Empty(&'static str),
    /// A parameter has another type.
    WrongType { parameter: &'static str, expected: &'static str, found: &'static str },
    /// A number is below what is allowed.
    TooSmall { parameter: &'static str, minimum: u64, found: i64 },
    /// A number, or the length of a list, is above what is allowed.
    TooLarge { parameter: &'static str, maximum: u64, found: u64 },
    /// A limit is in the way.
    Limited(Box<Limited>),
    /// The provider failed.
    ServerError,
    /// The provider has too much to do.
    Overloaded,
}

/// A limit that is in the way, and what may be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limited {
    pub(crate) model: String,
    pub(crate) refusal: Refusal,
    /// All limits at that moment.
    pub(crate) readings: Vec<Reading>,
    /// When it was decided: the span since the Unix epoch.
    pub(crate) at: std::time::Duration,
    /// How much is said of it.
    pub(crate) said: Said,
    /// And in which form.
    pub(crate) telling: Telling,
}
