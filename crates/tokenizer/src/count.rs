//! Tokens of a whole request: its prompt, its images and the most it can produce.
//!
//! The first use of an encoding unpacks it, and a long prompt takes milliseconds: see [`Encoding::load`] and
//! [`Encoding::encode`].

mod anthropic;
mod chat;
mod content;
mod framing;
mod gemini;
mod image;
mod image_calculator;
mod image_size;
mod media;
mod output;
mod responses;
mod schema;
mod tally;
mod typescript;

pub use image_calculator::ImageTokenCalculator;
use serde_json::Value;

use crate::Encoding;
use crate::model::base_name;
use tally::Tally;

/// What a request is expected to be charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadTokens {
    /// Tokens of the prompt: messages, instructions, tools, schemas, and images and other media by flat rules.
    pub input: u64,
    /// Images in the prompt.
    pub images: u64,
    /// The most tokens the answers can have, all of them together. `None` where the request sets no limit.
    pub max_output: Option<u64>,
    /// What the prompt consists of: what [`InputCorrection`](crate::InputCorrection) learns from.
    pub shape: Shape,
}

/// What a prompt consists of, apart from its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Tokens of tools and schemas, of those in [`PayloadTokens::input`].
    pub definitions: u64,
    /// Tokens of images and other media, of those in [`PayloadTokens::input`].
    pub media: u64,
    /// Messages, items, or contents.
    pub messages: u64,
    /// Tools.
    pub tools: u64,
    /// Calls of tools, and their results.
    pub calls: u64,
}

/// The API that a request body is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayloadKind {
    /// OpenAI's chat completions, which most other providers accept too.
    Chat,
    /// OpenAI's responses.
    Responses,
    /// Embeddings: a string, a list of strings, token numbers, or lists of token numbers.
    Embeddings,
    /// OpenAI's old text completions.
    Completions,
    /// Anthropic's messages.
    AnthropicMessages,
    /// Gemini's and Vertex AI's `generateContent`.
    Gemini,
    /// Anything else: its strings are counted.
    Other,
}

impl PayloadKind {
    /// The API that `payload` looks to be written for. What cannot be told from the body alone, as between a chat
    /// completion and a message of Anthropic's without any setting of its own, is told from the model's name.
    #[must_use]
    pub fn of(payload: &Value) -> Self {
        let has = |key: &str| payload.get(key).is_some_and(|value| !value.is_null());
        let model = payload.get("model").and_then(Value::as_str).unwrap_or_default();
        if has("messages") {
            if anthropic::is_messages(payload, model) { Self::AnthropicMessages } else { Self::Chat }
        } else if has("contents") {
            Self::Gemini
        } else if has("input") {
            let embeds = model.contains("embed") || has("encoding_format") || has("dimensions");
            if embeds || is_token_numbers(payload.get("input")) { Self::Embeddings } else { Self::Responses }
        } else if has("prompt") {
            // The responses API can name a stored prompt, an object, and have no input of its own.
            if payload.get("prompt").is_some_and(Value::is_object) { Self::Responses } else { Self::Completions }
        } else {
            Self::Other
        }
    }
}

/// Counts a request body whose API is told from its shape.
///
/// Exact or within a token or two for OpenAI's text requests. An estimate where a provider does not publish its
/// tokenizer or how it writes tools, and for media, which are never counted as text.
///
/// Never fails: what is not understood is counted by its strings.
///
/// ```
/// use tokenizer::{Encoding, count_payload};
///
/// let payload = serde_json::json!({
///     "model": "gpt-4o",
///     "messages": [{"role": "user", "content": "hello world"}],
///     "max_completion_tokens": 100,
///     "n": 2,
/// });
/// let tokens = count_payload(&payload, Encoding::for_model_or_default("gpt-4o"));
/// assert_eq!(tokens.input, 9);
/// assert_eq!(tokens.max_output, Some(200));
/// ```
#[must_use]
pub fn count_payload(payload: &Value, encoding: Encoding) -> PayloadTokens {
    count_payload_as(payload, PayloadKind::of(payload), encoding)
}

/// Counts a request body written for a known API. Otherwise as [`count_payload`].
#[must_use]
pub fn count_payload_as(payload: &Value, kind: PayloadKind, encoding: Encoding) -> PayloadTokens {
    let model = payload.get("model").and_then(Value::as_str).unwrap_or_default();
    count_payload_for(payload, kind, model, encoding)
}

/// Counts a request body for a model that the request names elsewhere, as in the path of Gemini's, Azure's and Bedrock's
/// addresses. Otherwise as [`count_payload_as`].
#[must_use]
pub fn count_payload_for(payload: &Value, kind: PayloadKind, model: &str, encoding: Encoding) -> PayloadTokens {
    let mut tally = Tally::new(encoding, media::Prices::of(kind, model));
    match kind {
        PayloadKind::Chat => chat::count(payload, model, &mut tally),
        // Gemini's interactions have the shape of responses, and no frame.
        PayloadKind::Responses if base_name(model).starts_with("gemini") => texts(payload.get("input"), &mut tally),
        PayloadKind::Responses => responses::count(payload, model, &mut tally),
        PayloadKind::Embeddings => texts(payload.get("input"), &mut tally),
        PayloadKind::Completions => texts(payload.get("prompt"), &mut tally),
        PayloadKind::AnthropicMessages => anthropic::count(payload, model, &mut tally),
        PayloadKind::Gemini => gemini::count(payload, model, &mut tally),
        PayloadKind::Other => tally.strings(payload),
    }
    let shape =
        Shape { messages: listed(payload, &["messages", "input", "contents"]), tools: tools(payload), ..tally.shape() };
    PayloadTokens { input: tally.input(), images: tally.images(), max_output: output::max_output(payload), shape }
}

/// How many there are in the list that a body has under one of these names.
fn listed(payload: &Value, names: &[&str]) -> u64 {
    let list = names.iter().find_map(|name| payload.get(*name)?.as_array());
    list.map_or(0, |list| list.len() as u64)
}

/// How many tools a body lists. Gemini has lists of them in its list.
fn tools(payload: &Value) -> u64 {
    let nested = payload.get("tools").and_then(Value::as_array).into_iter().flatten();
    let nested: u64 = nested.map(|tool| listed(tool, &["functionDeclarations", "function_declarations"])).sum();
    if nested > 0 { nested } else { listed(payload, &["tools", "functions"]) }
}

/// A string, a list of strings, token numbers, or lists of token numbers: the input of embeddings, the prompt of
/// completions. A token number is one token.
///
/// <https://platform.openai.com/docs/api-reference/embeddings/create>
fn texts(input: Option<&Value>, tally: &mut Tally) {
    match input {
        Some(Value::Array(items)) => items.iter().for_each(|item| match item {
            Value::Number(_) => tally.add(1),
            Value::Array(tokens) if tokens.iter().all(Value::is_number) => tally.add(tokens.len() as u64),
            other => tally.content(other),
        }),
        Some(other) => tally.content(other),
        None => {}
    }
}

/// Whether this is a list of numbers, or of lists of numbers.
fn is_token_numbers(input: Option<&Value>) -> bool {
    match input.and_then(Value::as_array).and_then(|items| items.first()) {
        Some(Value::Array(tokens)) => tokens.first().is_some_and(Value::is_number),
        Some(first) => first.is_number(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
