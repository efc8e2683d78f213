//! Responses: whole, and as typed events.

use serde_json::{Value, json};

use crate::faces::{Event, Events, Exchange, output_tokens};
use crate::text::Answer;
use crate::work::Work;

/// How far a response has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    InProgress,
    Ended,
}

/// A response, whole.
pub(crate) fn response(work: &Work, answers: &[Answer], exchange: &Exchange) -> Value {
    at(Stage::Ended, work, answers, exchange)
}

fn at(stage: Stage, work: &Work, answers: &[Answer], exchange: &Exchange) -> Value {
    let ended = stage == Stage::Ended;
    let cut = ended && answers.iter().any(|answer| answer.cut);
    let status = match stage {
        Stage::InProgress => "in_progress",
        Stage::Ended if cut => "incomplete",
        Stage::Ended => "completed",
    };
    let (input, output) = (work.input_tokens, output_tokens(answers));
    let usage = json!({
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": work.cached_tokens},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output,
    });
    json!({
        "id": exchange.hex_id("resp_", 48),
        "object": "response",
        "created_at": exchange.created(),
        "status": status,
        "background": false,
        "error": null,
        "incomplete_details": cut.then(|| json!({"reason": "max_output_tokens"})),
        "instructions": null,
        "max_output_tokens": work.ceiling,
        "max_tool_calls": null,
        "model": work.model,
        "output": if ended { answers.iter().map(|answer| item(&answer.text(), status, exchange)).collect() } else { vec![] },
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "reasoning": {"effort": null, "summary": null},
        "service_tier": if ended { "default" } else { "auto" },
        "store": true,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": ended.then_some(usage),
        "user": null,
        "metadata": {},
    })
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
}

fn item(text: &str, status: &str, exchange: &Exchange) -> Value {
    json!({
        "id": exchange.hex_id("msg_", 48),
        "type": "message",
        "status": status,
        "content": [part(text)],
        "role": "assistant",
    })
}

/// The events of a response. Its usage is in the last one; there is no `[DONE]`.
pub(crate) fn response_events(work: &Work, answers: &[Answer], exchange: &Exchange) -> Events {
    let Some(answer) = answers.first() else { return Box::new(std::iter::empty()) };
    let ended = at(Stage::Ended, work, answers, exchange);
    let status = if answer.cut { "incomplete" } else { "completed" };
    let id = exchange.hex_id("msg_", 48);
    let place = json!({"item_id": id, "output_index": 0, "content_index": 0});
    let began = json!({"id": id, "type": "message", "status": "in_progress", "content": [], "role": "assistant"});
    let opening = [
        json!({"type": "response.created", "response": at(Stage::InProgress, work, answers, exchange)}),
        json!({"type": "response.in_progress", "response": at(Stage::InProgress, work, answers, exchange)}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": began}),
        with(&place, json!({"type": "response.content_part.added", "part": part("")})),
    ];
    let text = answer.text();
    let closing = [
        with(&place, json!({"type": "response.output_text.done", "text": text, "logprobs": []})),
        with(&place, json!({"type": "response.content_part.done", "part": part(&text)})),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item(&text, status, exchange)}),
        json!({"type": format!("response.{status}"), "response": ended}),
    ];
    let deltas = answer.pieces().map(move |piece| {
        (with(&place, json!({"type": "response.output_text.delta", "delta": piece, "logprobs": []})), true)
    });
    let silent = |event| (event, false);
    let events = opening.into_iter().map(silent).chain(deltas).chain(closing.into_iter().map(silent));
    Box::new(events.enumerate().map(|(number, (event, token))| {
        let event = Event::named(&with(&event, json!({"sequence_number": number})));
        if token { event.token() } else { event }
    }))
}

/// The fields of both objects.
fn with(first: &Value, second: Value) -> Value {
    let mut all = first.clone();
    if let (Some(all), Value::Object(second)) = (all.as_object_mut(), second) {
        all.extend(second);
    }
    all
}
