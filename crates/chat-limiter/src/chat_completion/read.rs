//! The texts in an answer, in any of the forms that providers answer in.

use serde_json::Value;

use super::Choice;

/// What was produced. Empty where the answer is none that is known.
pub(super) fn choices(answer: &Value) -> Vec<Choice> {
    let list = |name: &str| answer.get(name).and_then(Value::as_array);
    if let Some(choices) = list("choices") {
        return numbered(choices.iter().map(openai));
    }
    if let Some(candidates) = list("candidates") {
        return numbered(candidates.iter().map(gemini));
    }
    let (text, reason) = if let Some(content) = list("content") {
        (texts(content), word(answer, "stop_reason"))
    } else if let Some(output) = list("output") {
        (
            output.iter().filter_map(|item| Some(texts(item.get("content")?.as_array()?))).collect(),
            word(answer, "status"),
        )
    } else if let Some(message) = answer.pointer("/output/message") {
        (content_of(message), word(answer, "stopReason"))
    } else if let Some(message) = answer.get("message").filter(|message| message.is_object()) {
        (content_of(message), word(answer, "finish_reason").or_else(|| word(answer, "done_reason")))
    } else {
        return Vec::new();
    };
    numbered([(text, reason)])
}

fn numbered(found: impl IntoIterator<Item = (String, Option<String>)>) -> Vec<Choice> {
    let choice = |(index, (content, finish_reason))| Choice { index, content, finish_reason };
    found.into_iter().enumerate().map(choice).collect()
}

/// OpenAI's: a message, or in the old interface a text.
fn openai(choice: &Value) -> (String, Option<String>) {
    let text = match choice.get("message") {
        Some(message) => content_of(message),
        None => word(choice, "text").unwrap_or_default(),
    };
    (text, word(choice, "finish_reason"))
}

fn gemini(candidate: &Value) -> (String, Option<String>) {
    let parts = candidate.pointer("/content/parts").and_then(Value::as_array);
    // What the model thought stands among the parts.
    let said = |part: &&Value| part.get("thought").and_then(Value::as_bool) != Some(true);
    let text = parts.into_iter().flatten().filter(said).filter_map(|part| word(part, "text")).collect();
    (text, word(candidate, "finishReason"))
}

/// The content of a message: a text, or a list of parts.
fn content_of(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => texts(parts),
        _ => String::new(),
    }
}

/// The parts that are texts. What was thought is in parts without a `text`, or of another type.
fn texts(parts: &[Value]) -> String {
    let is_text = |part: &&Value| {
        let kind = part.get("type").and_then(Value::as_str);
        matches!(kind, None | Some("text" | "output_text"))
    };
    parts.iter().filter(is_text).filter_map(|part| word(part, "text")).collect()
}

fn word(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}
