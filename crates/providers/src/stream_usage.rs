//! What a streamed answer says about its usage, its end and its errors.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use crate::classify;
use crate::sse::{Decoder, Event, EventTooLarge};
use crate::usage::Parts;
use crate::{Dialect, ErrorKind, Failure, Usage, anthropic, openai};

/// Follows a stream as it passes and keeps what it says about itself. The stream need not be held.
///
/// It knows the streams by their events, not by the provider, because one provider may offer several interfaces:
/// OpenAI's chat completions (usage in the last chunk, then `[DONE]`), OpenAI's responses (usage in
/// `response.completed`, no `[DONE]`), and Anthropic's messages (input in `message_start`, output in `message_delta`,
/// then `message_stop`).
///
/// ```
/// let mut stream = providers::StreamUsage::new();
/// stream.push(b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n")?;
/// stream.push(b"data: [DONE]\n\n")?;
/// assert_eq!(stream.usage().map(|usage| usage.total), Some(5));
/// assert!(stream.is_complete());
/// # Ok::<(), providers::sse::EventTooLarge>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct StreamUsage {
    decoder: Decoder,
    state: State,
}

#[derive(Clone, Debug, Default)]
struct State {
    parts: Parts,
    is_complete: bool,
    failure: Option<Failure>,
}

impl StreamUsage {
    /// A follower at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A follower that refuses events larger than `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self { decoder: Decoder::with_limit(limit), ..Self::default() }
    }

    /// Takes in the next bytes of the stream, in any split.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`]. What was read before stays available, so a caller may as well forward the rest unread.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EventTooLarge> {
        let state = &mut self.state;
        self.decoder.push(bytes, |event| state.read(event))
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`] as in [`StreamUsage::push`].
    pub fn finish(&mut self) -> Result<(), EventTooLarge> {
        let state = &mut self.state;
        self.decoder.finish(|event| state.read(event))
    }

    /// Takes in an event that was decoded elsewhere.
    pub fn read(&mut self, event: Event<'_>) {
        self.state.read(event);
    }

    /// The tokens counted so far; `None` where nothing was said about them. Final once the stream has ended.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.state.parts.finish()
    }

    /// Whether the stream has said that it is complete. One that ends without was cut off; some servers never say it.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.state.is_complete
    }

    /// The first error that the stream has reported.
    #[must_use]
    pub const fn failure(&self) -> Option<&Failure> {
        self.state.failure.as_ref()
    }
}

impl State {
    fn read(&mut self, event: Event<'_>) {
        if event.data.trim_ascii() == "[DONE]" {
            self.is_complete = true;
            return;
        }
        // Most events carry a piece of text and nothing of interest here; parsing those would be most of the work.
        if event.name != "error" && !is_telling(event.data.as_bytes()) {
            return;
        }
        let Ok(value) = serde_json::from_str::<Value>(event.data) else { return };
        self.parts.update(&Parts::of_answer(&value));
        let event_type = value.get("type").and_then(Value::as_str).unwrap_or(event.name);
        let is_last = |name: &str| ENDS.contains(&name);
        if is_last(event_type) || value.get("event_type").and_then(Value::as_str).is_some_and(is_last) {
            self.is_complete = true;
        }
        if self.failure.is_none() {
            self.failure = failure_of(event_type, &value);
        }
    }
}

/// The events by which a stream says that it is complete: Anthropic's, OpenAI's responses', Cohere's two interfaces'.
const ENDS: [&str; 6] =
    ["message_stop", "response.completed", "response.incomplete", "response.failed", "message-end", "stream-end"];

/// Whether an event may hold anything of interest: a usage that is not null, an error, an end.
fn is_telling(data: &[u8]) -> bool {
    // Built once: building takes as long as searching an event.
    static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("sage"));
    static OTHERS: LazyLock<[Finder<'static>; 5]> =
        LazyLock::new(|| ["\"error\"", "_stop\"", "\"response.", "-end\"", "ocationMetrics"].map(Finder::new));
    // Every chunk of some streams has a usage of null.
    let states_usage = USAGE.find_iter(data).any(|at| {
        let rest = data.get(at + USAGE.needle().len()..).unwrap_or_default();
        let rest = rest.strip_prefix(b"Metadata").unwrap_or(rest);
        let rest = rest.strip_prefix(b"\"").unwrap_or_default().trim_ascii_start();
        rest.strip_prefix(b":").unwrap_or_default().trim_ascii_start().starts_with(b"{")
    });
    states_usage || OTHERS.iter().any(|word| word.find(data).is_some())
}

fn failure_of(event_type: &str, value: &Value) -> Option<Failure> {
    let is_error = event_type == "error" || event_type == "response.failed";
    let is_end = value.get("event_type").is_some() || event_type == "message-end";
    let names_error =
        is_end || value.get("error").is_some_and(|error| !error.is_null()) || value.get("choices").is_some();
    if !is_error && !names_error {
        return None;
    }
    let found = classify::failure_in_answer(dialect_of(value), value);
    found.or_else(|| is_error.then(|| Failure::new(ErrorKind::Unknown)))
}

/// Anthropic's errors are wrapped in an object of type `error`; everything else is in OpenAI's form.
fn dialect_of(value: &Value) -> &'static Dialect {
    let is_anthropic = value.get("type").is_some_and(|name| name == "error") && value.get("error").is_some();
    if is_anthropic { &anthropic::DIALECT } else { &openai::DIALECT }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(stream: &str) -> StreamUsage {
        let mut usage = StreamUsage::new();
        usage.push(stream.as_bytes()).unwrap();
        usage.finish().unwrap();
        usage
    }

    #[track_caller]
    fn check(stream: &str, expected: Option<(u64, u64, u64)>, is_complete: bool, failure: Option<ErrorKind>) {
        let followed = follow(stream);
        let usage = followed.usage().map(|usage| (usage.input, usage.output, usage.total));
        let kind = followed.failure().map(|failure| failure.kind);
        assert_eq!((usage, followed.is_complete(), kind), (expected, is_complete, failure), "{stream}");
    }

    #[test]
    fn a_chat_stream_ends_with_its_usage() {
        let stream = concat!(
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}],\"usage\":null}\n\n",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\n\n",
            "data: [DONE]\n\n"
        );
        check(stream, Some((9, 1, 10)), true, None);
    }

    #[test]
    fn of_repeated_usage_the_last_counts() {
        let stream = concat!(
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\r\n\r\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11}}\r\n\r\n",
        );
        check(stream, Some((9, 2, 11)), false, None);
    }

    #[test]
    fn a_response_stream_ends_with_the_response() {
        let stream = concat!(
            "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"usage\":null,\"error\":null}}\n\n",
            "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"error\":null,",
            "\"usage\":{\"input_tokens\":7,\"output_tokens\":3,\"total_tokens\":10}}}\n\n",
        );
        check(stream, Some((7, 3, 10)), true, None);
    }

    #[test]
    fn a_response_stream_may_fail() {
        let stream = concat!(
            "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"usage\":null,",
            "\"error\":{\"code\":\"server_error\",\"message\":\"oh no\"}}}\n\n",
        );
        check(stream, None, true, Some(ErrorKind::Transient));
        let stream =
            "event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow\"}\n\n";
        check(stream, None, false, Some(ErrorKind::RateLimited));
    }

    #[test]
    fn a_message_stream_says_input_first_and_output_last() {
        let stream = concat!(
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,",
            "\"cache_creation_input_tokens\":10,\"cache_read_input_tokens\":20,\"output_tokens\":1}}}\n\n",
            "event: ping\ndata: {\"type\": \"ping\"}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},",
            "\"usage\":{\"output_tokens\":15}}\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        );
        check(stream, Some((33, 15, 48)), true, None);
    }

    #[test]
    fn a_message_stream_may_break_off_with_an_error() {
        let stream = concat!(
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
        );
        check(stream, Some((3, 1, 4)), false, Some(ErrorKind::Overloaded));
    }

    #[test]
    fn an_error_in_a_chunk_is_judged_by_its_code() {
        let stream = concat!(
            ": PROCESSING\n\n",
            "data: {\"error\":{\"code\":502,\"message\":\"Upstream error\"},\"choices\":[{\"finish_reason\":\"error\"}]}\n\n",
        );
        check(stream, None, false, Some(ErrorKind::Transient));
        check("data: {\"choices\":[{\"finish_reason\":\"error\"}]}\n\n", None, false, Some(ErrorKind::Transient));
    }

    #[test]
    fn coheres_streams_end_with_their_error() {
        let stream = "data: {\"type\":\"message-end\",\"delta\":{\"error\":\"oh no\",\"finish_reason\":\"ERROR\"}}\n\n";
        check(stream, None, true, Some(ErrorKind::Transient));
        assert_eq!(follow(stream).failure().map(|failure| failure.message.as_str()), Some("oh no"));
        let stream = concat!(
            "data: {\"event_type\":\"stream-end\",\"finish_reason\":\"ERROR_LIMIT\",",
            "\"response\":{\"meta\":{\"tokens\":{\"input_tokens\":3,\"output_tokens\":4}}}}\n\n"
        );
        check(stream, Some((3, 4, 7)), true, Some(ErrorKind::Transient));
        let stream = "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\"}}\n\n";
        check(stream, None, true, None);
    }

    #[test]
    fn text_about_errors_is_no_error() {
        let stream =
            "data: {\"choices\":[{\"delta\":{\"content\":\"{\\\"error\\\": 5}\"},\"finish_reason\":null}]}\n\n";
        check(stream, None, false, None);
    }

    #[test]
    fn what_is_no_json_is_passed_over() {
        check(
            "data: \"usage\"\n\ndata: {\"usage\": 7\n\ndata: {\"usage\": 7}\n\ndata: [\"usage\"]\n\n",
            None,
            false,
            None,
        );
    }
}
