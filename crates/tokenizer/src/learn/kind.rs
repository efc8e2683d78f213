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

/// What is said, and settings that change nothing in how a prompt is written.
const APART: [&str; 21] = [
    "messages",
    "input",
    "contents",
    "prompt",
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "maxOutputTokens",
    "temperature",
    "top_p",
    "topP",
    "top_k",
    "topK",
    "seed",
    "stop",
    "stop_sequences",
    "stream",
    "stream_options",
    "user",
    "metadata",
    "prompt_cache_key",
];

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
                        let is_settings = name == "generationConfig" || name == "generation_config";
                        if is_top && APART.contains(&name.as_str()) {
                            continue;
                        }
                        name.hash(&mut hasher);
                        match field.as_object().filter(|_| is_top && is_settings) {
                            Some(settings) => {
                                let settings = settings.iter().filter(|(name, _)| !APART.contains(&name.as_str()));
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
    fn a_body_without_an_end_has_a_kind() {
        let deep = (0..2_000).fold(json!("x"), |inner, _| Value::Array(vec![inner]));
        assert_eq!(kind(&deep), kind(&deep));
    }
}
