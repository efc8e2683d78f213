//! Gemini's and Vertex AI's `generateContent`.
//!
//! The tokenizer is not public, so the words are counted in the encoding that was asked for. Contents have next to no
//! framing (<https://ai.google.dev/gemini-api/docs/tokens>), and a schema that the answer must follow binds the decoder and
//! is not charged.

use serde_json::Value;

use super::tally::Tally;

/// Around the name and arguments of a call, and around a result.
const CALL: u64 = 6;

pub(super) fn count(payload: &Value, tally: &mut Tally) {
    for key in ["systemInstruction", "system_instruction", "contents"] {
        payload.get(key).into_iter().for_each(|content| contents(content, tally));
    }
    let tools = payload.get("tools").and_then(Value::as_array).into_iter().flatten();
    for tool in tools {
        let declared = ["functionDeclarations", "function_declarations"].iter().find_map(|key| tool.get(*key));
        declared.and_then(Value::as_array).into_iter().flatten().for_each(|function| tally.json(function));
    }
}

/// A content, a list of contents, or a plain text: parts with roles around them, which cost nothing.
fn contents(content: &Value, tally: &mut Tally) {
    match content {
        Value::Array(all) => all.iter().for_each(|one| parts(one, tally)),
        one => parts(one, tally),
    }
}

fn parts(content: &Value, tally: &mut Tally) {
    match content.get("parts") {
        Some(Value::Array(parts)) => parts.iter().for_each(|each| part(each, tally)),
        Some(one) => part(one, tally),
        None => tally.content(content),
    }
}

fn part(part: &Value, tally: &mut Tally) {
    let called = ["functionCall", "function_call"].iter().find_map(|key| part.get(*key));
    let answered = ["functionResponse", "function_response"].iter().find_map(|key| part.get(*key));
    let Some(call) = called.or(answered) else {
        return tally.content(part);
    };
    tally.add(CALL);
    tally.field(call, "name");
    for key in ["args", "response"] {
        call.get(key).into_iter().for_each(|value| tally.json(value));
    }
}
