//! Gemini's and Vertex AI's `generateContent`.
//!
//! The tokenizer is not public, so the words are counted in the encoding that was asked for, and functions scaled by what
//! recorded requests were charged. Contents have next to no framing (<https://ai.google.dev/gemini-api/docs/tokens>), and
//! a schema that the answer must follow binds the decoder and is mostly not charged.

use serde_json::Value;

use super::tally::Tally;
use crate::model::base_name;

/// Around the name and arguments of a call, and around a result.
const CALL: u64 = 6;

/// How a generation of models is charged, in hundredths of what the encoding counts.
#[derive(Clone, Copy)]
struct Generation {
    /// A text.
    text: u64,
    /// A call of a function, or a result.
    call: u64,
    /// The JSON of a function, and of a schema for the answer where that is told.
    function: u64,
    schema: u64,
    /// A character of a thought's signature: later models are charged the thoughts of earlier turns.
    signature: u64,
}

impl Generation {
    fn of(model: &str) -> Self {
        let model = base_name(model);
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| model.starts_with(prefix));
        if begins(&["gemini-1"]) {
            Self { text: 108, call: 40, function: 42, schema: 0, signature: 0 }
        } else if begins(&["gemini-2.0"]) {
            Self { text: 108, call: 40, function: 42, schema: 42, signature: 0 }
        } else if begins(&["gemini-2"]) {
            Self { text: 108, call: 100, function: 115, schema: 0, signature: 3 }
        } else {
            Self { text: 118, call: 100, function: 115, schema: 0, signature: 17 }
        }
    }
}

pub(super) fn count(payload: &Value, model: &str, tally: &mut Tally) {
    let generation = Generation::of(model);
    tally.scaled(generation.text, |tally| {
        for key in ["systemInstruction", "system_instruction", "contents"] {
            payload.get(key).into_iter().for_each(|content| contents(content, generation, tally));
        }
    });
    tally.add(signatures(payload.get("contents")).saturating_mul(generation.signature) / 100);
    tally.definitions(|tally| {
        let tools = payload.get("tools").and_then(Value::as_array).into_iter().flatten();
        for tool in tools {
            let declared = ["functionDeclarations", "function_declarations"].iter().find_map(|key| tool.get(*key));
            let functions = declared.and_then(Value::as_array).into_iter().flatten();
            tally.scaled(generation.function, |tally| functions.for_each(|function| tally.json(function)));
        }
        let settings = ["generationConfig", "generation_config"].iter().find_map(|key| payload.get(*key));
        let schema = ["responseSchema", "response_schema", "responseJsonSchema"];
        let schema = settings.and_then(|settings| schema.iter().find_map(|key| settings.get(*key)));
        if let Some(schema) = schema.filter(|_| generation.schema > 0) {
            tally.scaled(generation.schema, |tally| tally.json(schema));
        }
    });
}

/// How many characters the signatures of thoughts have, in all calls.
fn signatures(contents: Option<&Value>) -> u64 {
    let contents = contents.and_then(Value::as_array).into_iter().flatten();
    let parts = contents.filter_map(|content| content.get("parts")?.as_array()).flatten();
    // What an answer was thought over for is not charged again, what a call was is.
    let calls = parts.filter(|part| part.get("functionCall").or_else(|| part.get("function_call")).is_some());
    let signature = |part: &Value| {
        let text = ["thoughtSignature", "thought_signature"].iter().find_map(|key| part.get(*key)?.as_str());
        text.map_or(0, |text| text.len() as u64)
    };
    calls.map(signature).sum()
}

/// A content, a list of contents, or a plain text: parts with roles around them, which cost nothing.
fn contents(content: &Value, generation: Generation, tally: &mut Tally) {
    match content {
        Value::Array(all) => all.iter().for_each(|one| parts(one, generation, tally)),
        one => parts(one, generation, tally),
    }
}

fn parts(content: &Value, generation: Generation, tally: &mut Tally) {
    match content.get("parts") {
        Some(Value::Array(parts)) => parts.iter().for_each(|each| part(each, generation, tally)),
        Some(one) => part(one, generation, tally),
        None => tally.content(content),
    }
}

fn part(part: &Value, generation: Generation, tally: &mut Tally) {
    // The summary of a thought is for people, and not charged again.
    if part.get("thought") == Some(&Value::Bool(true)) {
        return;
    }
    let called = ["functionCall", "function_call"].iter().find_map(|key| part.get(*key));
    let answered = ["functionResponse", "function_response"].iter().find_map(|key| part.get(*key));
    let Some(call) = called.or(answered) else {
        return tally.content(part);
    };
    tally.shape_mut().calls += 1;
    tally.scaled(generation.call, |tally| {
        tally.add(CALL);
        tally.field(call, "name");
        for key in ["args", "response"] {
            call.get(key).into_iter().for_each(|value| tally.json(value));
        }
    });
}
