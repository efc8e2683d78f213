//! The content of a message: a text, or a list of parts of which some are media.

use serde_json::{Map, Value};

use super::media::Medium;
use super::tally::{DEEPEST, Tally};

impl Tally {
    /// Adds a message's content in the shape of any provider: a string, a part, or a list of parts.
    pub(super) fn content(&mut self, content: &Value) {
        self.content_at(content, 0);
    }

    fn content_at(&mut self, content: &Value, depth: usize) {
        if depth > DEEPEST {
            return self.strings(content);
        }
        match content {
            Value::String(text) => self.text(text),
            Value::Array(parts) => parts.iter().for_each(|part| self.content_at(part, depth + 1)),
            Value::Object(part) => self.part(content, part, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn part(&mut self, value: &Value, part: &Map<String, Value>, depth: usize) {
        if let Some(medium) = Medium::of_part(part) {
            return self.medium(medium);
        }
        match part.get("type").and_then(Value::as_str) {
            // Settings beside the text (cache control, citations, signatures) are no part of the prompt.
            Some("text" | "input_text" | "output_text" | "refusal" | "thinking" | "reasoning" | "summary_text") => {
                let keys = ["text", "refusal", "thinking", "reasoning"];
                keys.iter().filter_map(|key| part.get(*key)).for_each(|text| self.content_at(text, depth + 1));
            }
            Some("tool_use") => {
                self.field(value, "name");
                part.get("input").into_iter().for_each(|input| self.json(input));
            }
            Some("tool_result") => {
                part.get("content").into_iter().for_each(|result| self.content_at(result, depth + 1));
            }
            Some("document") => {
                self.field(value, "title");
                self.field(value, "context");
                let source = part.get("source");
                let text = source.and_then(|source| source.get("data").or_else(|| source.get("content")));
                text.into_iter().for_each(|text| self.content_at(text, depth + 1));
            }
            Some("redacted_thinking") => {}
            _ if part.contains_key("text") => {
                part.get("text").into_iter().for_each(|text| self.content_at(text, depth + 1));
            }
            _ => self.strings(value),
        }
    }
}
