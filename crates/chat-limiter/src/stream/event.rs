//! One event of a stream.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::Error;

/// One event of a streamed answer, as the provider sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its type, where the provider names one: `content_block_delta` at Anthropic, none at OpenAI's chat completions.
    pub name: String,
    /// Its data: nearly always an object in JSON.
    pub data: Bytes,
}

impl Event {
    pub(super) fn decoded(event: providers::sse::Event<'_>) -> Self {
        Self { name: event.name.to_owned(), data: Bytes::copy_from_slice(event.data.as_bytes()) }
    }

    pub(super) const fn unnamed(data: Bytes) -> Self {
        Self { name: String::new(), data }
    }

    /// The text of the answer that it adds, in the form of any of the supported interfaces; `None` where it adds none: a
    /// beginning, a thought, a call of a tool, a usage.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        providers::stream_text(std::str::from_utf8(&self.data).ok()?)
    }

    /// Its data read as JSON.
    ///
    /// # Errors
    ///
    /// Where it is not JSON, or not of that type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let read = serde_json::from_slice(&self.data);
        read.map_err(|error| Error::request(format!("the event cannot be read: {error}")))
    }
}
