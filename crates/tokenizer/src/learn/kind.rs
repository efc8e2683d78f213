//! Which requests are of one kind: those that differ in what is said and in nothing else.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A kind of request: all with the same tools, instructions, schema and settings, whatever their messages say. A program
/// sends requests of few kinds, and what is not counted right in one is mostly the same in all of its kind.
///
/// It is a hash, the same in every run of one build of this crate. Two kinds that share one are learned together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestKind(u64);

/// What is said, in the words of any interface.
const SAID: [&str; 13] = [
    "messages",
    "input",
    "contents",
    "prompt",
    "message",
    "chat_history",
    "documents",
    "query",
    "texts",
    "inputs",
    "inputText",
    "instances",
    "prediction",
];

/// Settings that change nothing in how a prompt is written.
const APART: [&str; 28] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens_to_sample",
    "maxOutputTokens",
    "maxTokens",
    "maxTokenCount",
    "num_predict",
    "temperature",
    "top_p",
    "topP",
    "top_k",
    "topK",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "presencePenalty",
    "frequencyPenalty",
    "seed",
    "random_seed",
    "stop",
    "stop_sequences",
    "stopSequences",
    "stream",
    "stream_options",
    "service_tier",
    "store",
    "background",
];

/// What tells one request, session or person from another: with it, each request would be a kind of its own.
const IDENTITIES: [&str; 15] = [
    "user",
    "user_id",
    "metadata",
    "labels",
    "prompt_cache_key",
    "safety_identifier",
    "previous_response_id",
    "conversation",
    "conversation_id",
    "session_id",
    "request_id",
    "custom_id",
    "id",
    "trace",
    "trace_id",
];

/// Where settings stand in an object of their own.
const SETTINGS: [&str; 6] =
    ["generationConfig", "generation_config", "inferenceConfig", "textGenerationConfig", "options", "parameters"];

/// Whether this field of a body, or of its settings, says nothing of its kind.
fn is_apart(name: &str) -> bool {
    SAID.contains(&name) || APART.contains(&name) || IDENTITIES.contains(&name)
}

impl RequestKind {
    /// The kind of what has no body that could be read.
    pub const NONE: Self = Self(0);

    /// The kind of a request body. Conversations with calls of tools in them are a kind apart.
    #[must_use]
    pub fn of(payload: &Value, has_calls: bool) -> Self {
        let mut hasher = DefaultHasher::new();
        has_calls.hash(&mut hasher);
        // A stack instead of a descent, as bodies may be nested without an end.
        let mut rest = vec![payload];
        let mut is_top = true;
        while let Some(value) = rest.pop() {
            match value {
                Value::Null => 0_u8.hash(&mut hasher),
                Value::Bool(value) => value.hash(&mut hasher),
                Value::Number(number) => number.hash(&mut hasher),
                Value::String(text) => text.hash(&mut hasher),
                Value::Array(items) => {
                    items.len().hash(&mut hasher);
                    rest.extend(items);
                }
                Value::Object(fields) => {
                    for (name, field) in fields {
                        let is_settings = SETTINGS.contains(&name.as_str());
                        if is_top && is_apart(name) {
                            continue;
                        }
                        name.hash(&mut hasher);
                        match field.as_object().filter(|_| is_top && is_settings) {
                            Some(settings) => {
                                let settings = settings.iter().filter(|(name, _)| !is_apart(name));
                                settings.for_each(|(name, setting)| {
                                    name.hash(&mut hasher);
                                    rest.push(setting);
                                });
                            }
                            None => rest.push(field),
                        }
                    }
                }
            }
            is_top = false;
        }
        Self(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(payload: &Value) -> RequestKind {
        RequestKind::of(payload, false)
    }

    #[test]
    fn what_is_said_makes_no_kind_and_what_surrounds_it_does() {
        let base = json!({"model": "m", "messages": [{"content": "a"}], "temperature": 1, "tools": [{"name": "f"}]});
        let mut other = base.clone();
        other["messages"] = json!([{"content": "b"}]);
        other["temperature"] = json!(0.5);
        other["max_tokens"] = json!(7);
        assert_eq!(kind(&base), kind(&other));
        for (key, value) in [("tools", json!([{"name": "g"}])), ("model", json!("n")), ("system", json!("Be brief."))] {
            let mut other = base.clone();
            other[key] = value;
            assert_ne!(kind(&base), kind(&other), "{key}");
        }
        assert_ne!(kind(&base), RequestKind::of(&base, true));
        assert_eq!(
            kind(&json!({"generationConfig": {"temperature": 1, "x": 2}})),
            kind(&json!({"generationConfig": {"x": 2}})),
        );
    }

    #[test]
    fn requests_of_one_kind_may_be_of_different_people_and_sessions() {
        let base = json!({"model": "m", "messages": [], "tools": [{"name": "f"}]});
        for name in IDENTITIES {
            let of = |value: Value| {
                let mut request = base.clone();
                request[name] = value;
                kind(&request)
            };
            assert_eq!(of(json!("one")), of(json!("another")), "{name}");
            assert_eq!(of(json!({"id": 1})), kind(&base), "{name}");
        }
        // The id of a tool is part of what surrounds what is said.
        assert_ne!(kind(&json!({"tools": [{"id": 1}]})), kind(&json!({"tools": [{"id": 2}]})));
        let ollama = |seed: u64| kind(&json!({"options": {"seed": seed, "num_ctx": 4_096}}));
        assert_eq!(ollama(1), ollama(2));
    }

    #[test]
    fn a_body_without_an_end_has_a_kind() {
        let deep = (0..2_000).fold(json!("x"), |inner, _| Value::Array(vec![inner]));
        assert_eq!(kind(&deep), kind(&deep));
    }
}
