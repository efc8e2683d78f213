//! Chat completions and the older completions: whole and streamed.

use serde_json::{Value, json};

use crate::faces::{Event, Events, Exchange, output_tokens};
use crate::text::Answer;
use crate::work::Work;

fn finish_reason(answer: &Answer) -> &'static str {
    if answer.cut { "length" } else { "stop" }
}

fn usage(work: &Work, answers: &[Answer]) -> Value {
    let (input, output) = (work.input_tokens, output_tokens(answers));
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": work.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}

/// A chat completion.
pub(crate) fn chat(work: &Work, answers: &[Answer], exchange: &Exchange) -> Value {
    let choice = |(index, answer): (usize, &Answer)| {
        json!({
            "index": index,
            "message": {"role": "assistant", "content": answer.text(), "refusal": null, "annotations": []},
            "logprobs": null,
            "finish_reason": finish_reason(answer),
        })
    };
    json!({
        "id": exchange.id("chatcmpl-", 29),
        "object": "chat.completion",
        "created": exchange.created(),
        "model": work.model,
        "choices": answers.iter().enumerate().map(choice).collect::<Vec<_>>(),
        "usage": usage(work, answers),
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    })
}

/// The chunks of a chat completion. Usage comes in a chunk without choices, and only where it was asked for.
pub(crate) fn chat_events(work: &Work, answers: &[Answer], exchange: &Exchange) -> Events {
    let frame = json!({
        "id": exchange.id("chatcmpl-", 29),
        "object": "chat.completion.chunk",
        "created": exchange.created(),
        "model": work.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    });
    let include_usage = work.include_usage;
    let usage = usage(work, answers);
    let chunk = move |choices: Value, usage: Option<&Value>| {
        let mut chunk = frame.clone();
        if let Some(fields) = chunk.as_object_mut() {
            fields.insert(String::from("choices"), choices);
            if include_usage {
                fields.insert(String::from("usage"), usage.cloned().unwrap_or(Value::Null));
            }
        }
        Event::data(chunk)
    };
    let delta = {
        let chunk = chunk.clone();
        move |index: usize, delta: Value, finish: Option<&str>| {
            chunk(json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}]), None)
        }
    };
    let answers: Vec<_> = answers.iter().cloned().enumerate().collect();
    let choices = answers.into_iter().flat_map(move |(index, answer)| {
        let first = delta(index, json!({"role": "assistant", "content": "", "refusal": null}), None);
        let last = delta(index, json!({}), Some(finish_reason(&answer)));
        let delta = delta.clone();
        let pieces = answer.pieces().map(move |piece| delta(index, json!({"content": piece}), None).token());
        std::iter::once(first).chain(pieces).chain([last])
    });
    let usage = include_usage.then(|| chunk(json!([]), Some(&usage)));
    Box::new(choices.chain(usage).chain([Event::data("[DONE]")]))
}

/// A completion of the older kind.
pub(crate) fn completion(work: &Work, answers: &[Answer], exchange: &Exchange) -> Value {
    let choice = |(index, answer): (usize, &Answer)| {
        json!({
            "text": answer.text(),
            "index": index,
            "logprobs": null,
            "finish_reason": finish_reason(answer),
        })
    };
    json!({
        "id": exchange.id("cmpl-", 29),
        "object": "text_completion",
        "created": exchange.created(),
        "model": work.model,
        "choices": answers.iter().enumerate().map(choice).collect::<Vec<_>>(),
        "usage": usage(work, answers),
    })
}

/// The chunks of a completion of the older kind.
pub(crate) fn completion_events(work: &Work, answers: &[Answer], exchange: &Exchange) -> Events {
    let (id, created, model) = (exchange.id("cmpl-", 29), exchange.created(), work.model.clone());
    let chunk = move |index: usize, text: &str, finish: Option<&str>| {
        Event::data(json!({
            "id": id,
            "object": "text_completion",
            "created": created,
            "choices": [{"text": text, "index": index, "logprobs": null, "finish_reason": finish}],
            "model": model,
        }))
    };
    let answers: Vec<_> = answers.iter().cloned().enumerate().collect();
    let choices = answers.into_iter().flat_map(move |(index, answer)| {
        let last = chunk(index, "", Some(finish_reason(&answer)));
        let chunk = chunk.clone();
        answer.pieces().map(move |piece| chunk(index, &piece, None).token()).chain([last])
    });
    Box::new(choices.chain([Event::data("[DONE]")]))
}
