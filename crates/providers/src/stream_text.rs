//! The text in the events of a stream, whichever interface sends it.

use memchr::{memchr, memchr2};
use serde_json::Value;

/// The text of the answer that an event adds, without thoughts and calls of tools. `None` where it adds none.
///
/// It knows the events of OpenAI's chat completions, completions and responses, Anthropic's messages, Google's,
/// Cohere's, Amazon's and Ollama's streams by their form, and whole answers of the first three: a server that does not
/// stream sends one.
#[must_use]
pub fn stream_text(data: &str) -> Option<String> {
    let event: Value = serde_json::from_str(data).ok()?;
    let is_called = |name: &str| event.get("type").is_some_and(|it| it == name);
    let text = match &event {
        _ if is_called("response.output_text.delta") => joined(event.get("delta")),
        _ if event.get("choices").is_some() => {
            let choice = event.pointer("/choices/0")?;
            let texts = ["/delta/content", "/message/content", "/text"].map(|at| choice.pointer(at));
            texts.into_iter().flatten().find_map(|text| joined(Some(text)))
        }
        _ if event.get("candidates").is_some() => joined(event.pointer("/candidates/0/content/parts")),
        _ if event.get("output").is_some_and(Value::is_array) => {
            let items = event.get("output").and_then(Value::as_array)?;
            let texts: String = items.iter().filter_map(|item| joined(item.get("content"))).collect();
            (!texts.is_empty()).then_some(texts)
        }
        _ => {
            let places = [
                "/delta/text",                   // Anthropic
                "/delta/message/content/text",   // Cohere
                "/contentBlockDelta/delta/text", // Amazon
                "/message/content",              // Ollama
                "/content",                      // a whole message of Anthropic's
            ];
            places.iter().find_map(|at| joined(event.pointer(at)))
        }
    };
    text.filter(|text| !text.is_empty())
}

/// A text, or those of a list of parts that are not thoughts.
fn joined(content: Option<&Value>) -> Option<String> {
    match content? {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let is_answer = |part: &&Value| {
                let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
                matches!(kind, "text" | "output_text") && part.get("thought") != Some(&Value::Bool(true))
            };
            Some(parts.iter().filter(is_answer).filter_map(|part| part.get("text")?.as_str()).collect())
        }
        _ => None,
    }
}

/// The members that hold what a model produced: text, thoughts, and the arguments of calls.
const PRODUCED: [&[u8]; 9] = [
    b"content",
    b"text",
    b"thinking",
    b"reasoning",
    b"reasoning_content",
    b"partial_json",
    b"arguments",
    b"delta",
    b"refusal",
];

/// How many bytes of anything an event says were produced: text, thoughts and arguments of calls. For an estimate of a
/// stream that breaks off before it has stated its usage: English has about four bytes a token.
///
/// The event is not parsed, only its strings are looked at: this is asked of every event.
#[must_use]
pub fn produced_bytes(data: &str) -> u64 {
    let mut rest = data.as_bytes();
    let mut last: Option<&[u8]> = None;
    let mut produced = 0_u64;
    while let Some(start) = memchr(b'"', rest) {
        let (between, from) = rest.split_at(start);
        let Some((string, len, after)) = string(from.get(1..).unwrap_or_default()) else { break };
        rest = after;
        let key = last.take().filter(|_| between.trim_ascii() == b":");
        match key {
            // OpenAI's responses repeat at the end of each part what they have sent.
            Some(b"type") if string.starts_with(b"response.") && !string.ends_with(b".delta") => return 0,
            Some(key) if PRODUCED.contains(&key) => produced = produced.saturating_add(len),
            Some(_) => {}
            None => last = Some(string),
        }
    }
    produced
}

/// The string that begins here, after its quote: as it stands, how long it is without its escapes, and what follows.
fn string(text: &[u8]) -> Option<(&[u8], u64, &[u8])> {
    let (mut end, mut len) = (0, 0);
    loop {
        let next = memchr2(b'"', b'\\', text.get(end..)?)?;
        (end, len) = (end + next, len + next as u64);
        if text.get(end) == Some(&b'"') {
            return Some((text.get(..end)?, len, text.get(end + 1..)?));
        }
        // Of what is written as \uXXXX, most takes three bytes.
        (end, len) = if text.get(end + 1) == Some(&b'u') { (end + 6, len + 3) } else { (end + 2, len + 1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(data: &str, text: Option<&str>, produced: u64) {
        assert_eq!((stream_text(data).as_deref(), produced_bytes(data)), (text, produced), "{data}");
    }

    #[test]
    fn the_text_of_every_interface_is_found() {
        check(r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#, None, 0);
        check(r#"{"choices":[{"index":0,"delta":{"content":"Hi \"you\""}}],"usage":null}"#, Some("Hi \"you\""), 8);
        check(r#"{"choices":[{"text":"Hi"}]}"#, Some("Hi"), 2);
        check(r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}"#, Some("Hi"), 2);
        check(r#"{"type":"response.output_text.delta","delta":"Hi"}"#, Some("Hi"), 2);
        check(r#"{"candidates":[{"content":{"parts":[{"text":"H"},{"text":"i"}]}}]}"#, Some("Hi"), 2);
        check(r#"{"type":"content-delta","delta":{"message":{"content":{"text":"Hi"}}}}"#, Some("Hi"), 2);
        check(r#"{"contentBlockDelta":{"delta":{"text":"Hi"}}}"#, Some("Hi"), 2);
        check(r#"{"message":{"role":"assistant","content":"Hi"},"done":false}"#, Some("Hi"), 2);
    }

    #[test]
    fn thoughts_and_calls_are_produced_and_no_text() {
        check(r#"{"choices":[{"delta":{"reasoning_content":"Hm","content":null}}]}"#, None, 2);
        check(r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"Hm"}}"#, None, 2);
        check(r#"{"type":"content_block_delta","delta":{"partial_json":"{\"a\":"}}"#, None, 5);
        check(r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}}]}"#, None, 2);
        check(r#"{"candidates":[{"content":{"parts":[{"text":"Hm","thought":true}]}}]}"#, None, 2);
    }

    #[test]
    fn whole_answers_have_text_too() {
        check(r#"{"choices":[{"message":{"content":"Hi"}}]}"#, Some("Hi"), 2);
        check(r#"{"content":[{"type":"thinking","thinking":"Hm"},{"type":"text","text":"Hi"}]}"#, Some("Hi"), 4);
        check(r#"{"output":[{"content":[{"type":"output_text","text":"Hi"}]}]}"#, Some("Hi"), 2);
    }

    #[test]
    fn what_is_repeated_at_the_end_of_a_part_is_not_counted_twice() {
        check(r#"{"type":"response.output_text.done","text":"Hi"}"#, None, 0);
        check(r#"{"text":"Hi","type":"response.output_text.done"}"#, None, 0);
    }

    #[test]
    fn anything_else_has_no_text_and_ends() {
        for data in [
            "",
            "{",
            "\"",
            "[DONE]",
            "\"content\":\"",
            "{\"content\":\"\\",
            "{\"content\":\"\\u12",
            "null",
            "\"content\":\"\\u\"",
        ] {
            check(data, None, 0);
        }
        check(r#"{"error":{"message":"no content","type":"text"}}"#, None, 0);
        check(r#"{"choices":[{"delta":{"content":"\u4f60\n"}}]}"#, Some("\u{4f60}\n"), 4);
    }
}
