//! How many tokens a prompt has: the provider's own rule, by characters.
//!
//! It is the rule that recorded chat answers of OpenAI follow since April 2025: each message counts a quarter of its
//! characters, rounded up, and one more; the whole counts one more. Text that is no message (instructions, tool
//! definitions) counts as one message, an image, sound or file a flat 85. Every face charges and reports the same count.

use serde_json::Value;

/// What an image, sound or file counts: OpenAI's base price of one image.
const MEDIA_TOKENS: u64 = 85;

/// A quarter of the characters, rounded up.
fn quarter(characters: u64) -> u64 {
    characters.div_ceil(4)
}

fn characters(text: &str) -> u64 {
    text.chars().count() as u64
}

/// The tokens of one message or item: its text and media, and one for the frame.
fn message(value: &Value) -> u64 {
    let mut weight = Weight::default();
    weight.add(value);
    quarter(weight.characters) + weight.media * MEDIA_TOKENS + 1
}

#[derive(Default)]
struct Weight {
    characters: u64,
    media: u64,
}

impl Weight {
    fn add(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.characters += characters(text),
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    match name.as_str() {
                        // Marks for the machine, not read by the model.
                        "type" | "role" | "id" | "call_id" | "tool_call_id" | "tool_use_id" | "cache_control"
                        | "signature" | "encrypted_content" | "status" => {}
                        "image_url" | "source" | "input_audio" | "file" | "file_data" | "file_url" => self.media += 1,
                        _ => self.add(field),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The tokens of a list of messages, or of one text.
fn messages(value: &Value) -> u64 {
    match value {
        Value::Array(items) => items.iter().map(message).sum(),
        other => message(other),
    }
}

/// The tokens of definitions that are sent as they are: tools, functions.
fn definitions(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Array(items) if items.is_empty() => 0,
        other => quarter(characters(&other.to_string())) + 1,
    }
}

/// The tokens of a conversation: a request body with `messages` or `input`, and what may stand beside them.
pub(crate) fn conversation(body: &Value) -> u64 {
    let spoken = ["messages", "input", "system", "instructions"].iter().filter_map(|name| body.get(name));
    let defined = ["tools", "functions"].iter().filter_map(|name| body.get(name));
    spoken.filter(|value| !value.is_null()).map(messages).sum::<u64>() + defined.map(definitions).sum::<u64>() + 1
}

/// The texts of a `prompt` or embedding `input`, as the tokens of each: a text, a list of token ids, or a list of
/// either. `None` for anything else.
pub(crate) fn texts(value: &Value) -> Option<Vec<u64>> {
    match value {
        Value::String(text) => Some(vec![quarter(characters(text))]),
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_u64) => Some(vec![items.len() as u64]),
        Value::Array(items) => items.iter().map(text).collect(),
        _ => None,
    }
}

fn text(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => Some(quarter(characters(text))),
        Value::Array(ids) if ids.iter().all(Value::is_u64) => Some(ids.len() as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_conversation_counts_characters_by_four_and_its_frames() {
        #[track_caller]
        fn check(body: Value, expected: u64) {
            assert_eq!(conversation(&body), expected, "{body}");
        }
        check(json!({"messages": [{"role": "user", "content": "12345678"}]}), 2 + 1 + 1);
        check(json!({"messages": [{"role": "user", "content": "123456789"}]}), 3 + 1 + 1);
        check(json!({"messages": [{"role": "user", "content": "äöüß"}]}), 1 + 1 + 1);
        check(json!({"messages": [{"content": "1234"}, {"content": "1234"}]}), 2 * 2 + 1);
        check(json!({"system": "1234", "messages": [{"content": "1234"}]}), 2 * 2 + 1);
        check(json!({"input": "1234", "instructions": null}), 2 + 1);
        check(json!({"messages": [{"content": null, "tool_calls": [{"function": {"name": "abcd"}}]}]}), 2 + 1);
        check(json!({"messages": [{"content": [{"type": "image_url", "image_url": {"url": "data:..."}}]}]}), 85 + 2);
        check(json!({"messages": [], "tools": ["12"]}), 2 + 1 + 1);
    }

    #[test]
    fn texts_are_counted_one_by_one() {
        #[track_caller]
        fn check(value: Value, expected: Option<Vec<u64>>) {
            assert_eq!(texts(&value), expected, "{value}");
        }
        check(json!("12345"), Some(vec![2]));
        check(json!(["1234", "12345"]), Some(vec![1, 2]));
        check(json!([1, 2, 3]), Some(vec![3]));
        check(json!([[1, 2], [3]]), Some(vec![2, 1]));
        check(json!([]), Some(vec![]));
        check(json!({"a": 1}), None);
        check(json!([1, "a"]), None);
        check(json!(null), None);
    }
}
