//! How large a request is, before it is sent.

use serde_json::Value;
use tokenizer::{Encoding, PayloadKind};

use crate::RequestSize;

/// The size of a request's body. The path tells the interface where it is a known one, else the body's shape does.
pub(crate) fn of_body(endpoint: &str, body: &Value) -> RequestSize {
    let path = endpoint.split(['?', '#']).next().unwrap_or(endpoint).trim_end_matches('/');
    let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
    let kind = kind_of(path).unwrap_or_else(|| PayloadKind::of(body));
    let counted = tokenizer::count_payload_as(body, kind, Encoding::for_model_or_default(model));
    RequestSize {
        input_tokens: counted.input,
        metered_input_tokens: counted.input.max(metered(body)),
        max_output_tokens: if produces_tokens(path) {
            counted.max_output.or_else(|| nested_bound(body))
        } else {
            Some(0)
        },
        images: counted.images,
        shape: counted.shape,
    }
}

/// The bound where Bedrock's Converse and Ollama's own chat have it. Ollama's -1 is none.
fn nested_bound(body: &Value) -> Option<u64> {
    ["/inferenceConfig/maxTokens", "/options/num_predict"].iter().find_map(|at| body.pointer(at)?.as_u64())
}

/// What providers estimate with.
const CHARACTERS_PER_TOKEN: u64 = 4;
/// A string without white space that is longer than this is an encoded image or file, not a text.
const LONGEST_WORD: usize = 2_000;
/// Where a prompt stands in a body.
const PROMPTS: [&str; 7] = ["messages", "input", "prompt", "system", "instructions", "contents", "query"];
/// What stands beside it, and is read as it is written.
const DEFINITIONS: [&str; 4] = ["tools", "functions", "response_format", "text"];

/// What a limit may count for a prompt before anybody has read it: a quarter of its characters, one for each message, and
/// one for the whole. So count recorded answers of OpenAI's chat completions since April 2025.
fn metered(body: &Value) -> u64 {
    let count = |value: &Value| match value {
        Value::Array(items) => items.iter().map(message).sum(),
        other => message(other),
    };
    let prompts: u64 = PROMPTS.iter().filter_map(|name| body.get(name)).map(count).sum();
    let definitions: u64 = DEFINITIONS.iter().filter_map(|name| body.get(name)).map(written).sum();
    prompts.saturating_add(definitions).saturating_add(1)
}

/// One message, or a text of its own.
fn message(value: &Value) -> u64 {
    spoken(value).div_ceil(CHARACTERS_PER_TOKEN).saturating_add(1)
}

/// The characters of all texts in a value, without encoded images and files, names and roles. Values as they are parsed
/// are at most 128 levels deep.
fn spoken(value: &Value) -> u64 {
    match value {
        Value::String(text) if is_encoded(text) => 0,
        Value::String(text) => text.chars().count() as u64,
        Value::Array(items) => items.iter().map(spoken).sum(),
        Value::Object(members) => {
            let texts = members.iter().filter(|(name, _)| !matches!(name.as_str(), "role" | "type"));
            texts.map(|(_, member)| spoken(member)).sum()
        }
        _ => 0,
    }
}

/// Definitions as JSON, without encoded files.
fn written(value: &Value) -> u64 {
    let mut bytes = ByteCount(0);
    // A counter takes everything, and a value is always JSON.
    let _ = serde_json::to_writer(&mut bytes, value);
    bytes.0.saturating_sub(encoded(value)).div_ceil(CHARACTERS_PER_TOKEN)
}

fn is_encoded(text: &str) -> bool {
    let is_word = text.len() > LONGEST_WORD && !text.bytes().any(|byte| byte.is_ascii_whitespace());
    text.starts_with("data:") || (is_word && text.is_ascii())
}

/// Bytes of strings that hold encoded data. Values as they are parsed are at most 128 levels deep.
fn encoded(value: &Value) -> u64 {
    match value {
        Value::String(text) if is_encoded(text) => text.len() as u64,
        Value::Array(items) => items.iter().map(encoded).sum(),
        Value::Object(members) => members.values().map(encoded).sum(),
        _ => 0,
    }
}

struct ByteCount(u64);

impl std::io::Write for ByteCount {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn kind_of(path: &str) -> Option<PayloadKind> {
    const KINDS: [(&str, PayloadKind); 6] = [
        ("/chat/completions", PayloadKind::Chat),
        ("/completions", PayloadKind::Completions),
        ("/responses", PayloadKind::Responses),
        ("/embeddings", PayloadKind::Embeddings),
        ("/messages", PayloadKind::AnthropicMessages),
        ("/messages/count_tokens", PayloadKind::AnthropicMessages),
    ];
    KINDS.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, kind)| kind)
}

/// Whether the answer of this path is made of tokens.
fn produces_tokens(path: &str) -> bool {
    !["/embeddings", "/moderations", "/rerank", "/count_tokens", "/images/generations", "/audio/speech"]
        .iter()
        .any(|silent| path.ends_with(silent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bound_is_read_and_the_prompt_is_counted() {
        let body =
            json!({"model": "gpt-4o", "max_completion_tokens": 12, "messages": [{"role": "user", "content": "Hi"}]});
        let size = of_body("/v1/chat/completions", &body);
        assert_eq!((size.max_output_tokens, size.images), (Some(12), 0));
        assert!(size.input_tokens > 0);
        let unbounded = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(of_body("/chat/completions", &unbounded).max_output_tokens, None);
    }

    #[test]
    fn what_a_limit_may_count_is_a_quarter_of_the_characters_without_encoded_files() {
        let text = "word ".repeat(4_000);
        let image = format!("data:image/png;base64,{}", "A".repeat(400_000));
        for (content, least, most) in [
            (json!(text), 5_000, 5_100),
            (json!([{"type": "image_url", "image_url": {"url": image}}]), 1, 2_000),
            (json!([{"type": "input_audio", "input_audio": {"data": "A".repeat(400_000)}}]), 1, 3_000),
        ] {
            let body = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": content}]});
            let size = of_body("/v1/chat/completions", &body);
            assert!(size.metered_input_tokens >= size.input_tokens);
            assert!((least..=most).contains(&size.metered_input_tokens), "{}", size.metered_input_tokens);
        }
    }

    #[test]
    fn embeddings_produce_nothing() {
        let body = json!({"model": "text-embedding-3-small", "input": "some words"});
        assert_eq!(of_body("/v1/embeddings?x=1", &body).max_output_tokens, Some(0));
    }

    #[test]
    fn a_body_that_makes_no_sense_has_a_size() {
        for body in [json!(null), json!([]), json!({"messages": 3}), json!({"model": 1, "max_tokens": -4, "input": {}})]
        {
            for endpoint in ["", "/", "?", "/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/completions"] {
                let _ = of_body(endpoint, &body);
            }
        }
    }
}
