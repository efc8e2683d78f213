//! OpenRouter: <https://openrouter.ai/docs/api-reference/limits>, its errors page, and recorded answers.
//!
//! A success says nothing about limits. A request limit is the platform's own and is told with its reset; a token limit
//! is one of the provider behind it and is passed on as an upstream 429.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::openai;
use super::{Event, Events, Exchange, Reply, milliseconds_up, output_tokens, put, seconds_up};
use super::{Limited, Problem};
use crate::quota::Dimension;
use crate::telling::Said;
use crate::text::Answer;
use crate::work::Work;

/// The provider that answers say they came from.
const PROVIDER: &str = "Simulated";

/// What a token costs, in nanodollars: prompt, completion.
const PRICES: (u64, u64) = (150, 600);

/// The models that are listed. Any other name is answered as well.
const MODELS: [&str; 4] =
    ["openai/gpt-4o-mini", "anthropic/claude-haiku-4.5", "mistralai/mistral-nemo", "deepseek/deepseek-r1-0528:free"];

/// The headers every answer carries.
pub(crate) fn common_headers(exchange: &Exchange) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, "x-generation-id", generation_id(exchange));
    put(&mut headers, "x-content-type-options", "nosniff");
    headers
}

fn generation_id(exchange: &Exchange) -> String {
    exchange.id(&format!("gen-{}-", exchange.created()), 20)
}

/// The list of models.
pub(crate) fn models() -> Value {
    let price = |nanodollars: u64| format!("0.{nanodollars:09}");
    let model = |id: &&str| {
        json!({
            "id": id,
            "canonical_slug": id,
            "name": id,
            "created": 1_750_000_000,
            "context_length": 128_000,
            "architecture": {
                "modality": "text->text",
                "input_modalities": ["text"],
                "output_modalities": ["text"],
                "tokenizer": "Other",
                "instruct_type": null,
            },
            "pricing": {"prompt": price(PRICES.0), "completion": price(PRICES.1)},
            "top_provider": {"context_length": 128_000, "max_completion_tokens": null, "is_moderated": false},
            "per_request_limits": null,
            "supported_parameters": ["max_tokens", "stop", "temperature", "tools", "top_p"],
        })
    };
    json!({"data": MODELS.iter().map(model).collect::<Vec<_>>()})
}

/// What the key may do.
pub(crate) fn key() -> Value {
    json!({"data": {
        "label": "sk-or-v1-sim...000",
        "limit": null,
        "limit_reset": null,
        "limit_remaining": null,
        "usage": 0,
        "usage_daily": 0,
        "usage_weekly": 0,
        "usage_monthly": 0,
        "is_free_tier": false,
        "is_provisioning_key": false,
        "is_management_key": false,
        "rate_limit": {"requests": -1, "interval": "10s", "note": "This field is deprecated and safe to ignore."},
    }})
}

fn error(status: StatusCode, message: &str, metadata: Option<Value>) -> Reply {
    let mut error = json!({"message": message, "code": status.as_u16()});
    if let (Some(fields), Some(metadata)) = (error.as_object_mut(), metadata) {
        fields.insert(String::from("metadata"), metadata);
    }
    Reply::new(status, json!({"error": error}))
}

/// What OpenRouter answers when something is wrong.
pub(crate) fn refuse(problem: &Problem, _exchange: &Exchange) -> Reply {
    let invalid = |message: &str| error(StatusCode::BAD_REQUEST, message, None);
    match problem {
        Problem::UnknownPath { .. } => error(StatusCode::NOT_FOUND, "Not Found", None),
        Problem::WrongMethod { allowed, .. } => {
            let mut reply = error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", None);
            put(&mut reply.headers, "allow", allowed);
            reply
        }
        Problem::NoKey => error(StatusCode::UNAUTHORIZED, "Missing Authentication header", None),
        Problem::WrongKey => error(StatusCode::UNAUTHORIZED, "User not found.", None),
        Problem::BodyTooLarge => error(StatusCode::PAYLOAD_TOO_LARGE, "Payload Too Large", None),
        Problem::NotJson => invalid("Invalid JSON in request body"),
        Problem::Missing("model") => invalid("No models provided"),
        Problem::Missing("messages") | Problem::Empty("messages") => {
            invalid("Input required: specify \"prompt\" or \"messages\"")
        }
        Problem::Missing(name) | Problem::Empty(name) => invalid(&format!("Input required: specify \"{name}\"")),
        Problem::WrongType { parameter, expected, found } => {
            invalid(&format!("Invalid input at \"{parameter}\": expected {expected}, received {found}"))
        }
        Problem::TooSmall { parameter, minimum, .. } => {
            invalid(&format!("Invalid input at \"{parameter}\": must be at least {minimum}"))
        }
        Problem::TooLarge { parameter, maximum, .. } => {
            invalid(&format!("Invalid input at \"{parameter}\": must be at most {maximum}"))
        }
        Problem::Limited(limited) => limit_reached(limited),
        Problem::ServerError => error(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error", None),
        Problem::Overloaded => {
            let metadata = json!({"error_type": "provider_overloaded", "provider_name": PROVIDER});
            error(StatusCode::SERVICE_UNAVAILABLE, "Provider is overloaded", Some(metadata))
        }
    }
}

fn limit_reached(limited: &Limited) -> Reply {
    let (model, refusal) = (&limited.model, &limited.refusal);
    let Some(wait) = refusal.wait else {
        let message = format!("Prompt tokens limit exceeded: {} > {}.", refusal.requested, refusal.limit);
        return error(StatusCode::PAYMENT_REQUIRED, &message, None);
    };
    if refusal.dimension == Dimension::Requests && limited.said == Said::All {
        platform_limit_reached(model, refusal.limit, limited.at.saturating_add(wait))
    } else {
        let raw = format!(
            "{model} is temporarily rate-limited upstream. Please retry shortly, or add your own key to accumulate \
             your rate limits: https://openrouter.ai/settings/integrations"
        );
        let metadata = json!({"raw": raw, "provider_name": PROVIDER});
        let mut reply = error(StatusCode::TOO_MANY_REQUESTS, "Provider returned error", Some(metadata));
        if limited.said != Said::Nothing {
            put(&mut reply.headers, "retry-after", seconds_up(wait));
        }
        reply
    }
}

/// The platform's own 429. `reset` is when the request fits, as a span since the Unix epoch.
fn platform_limit_reached(model: &str, limit: u64, reset: Duration) -> Reply {
    let message = if model.ends_with(":free") {
        String::from("Rate limit exceeded: free-models-per-min. ")
    } else {
        format!(
            "Rate limit exceeded: limit_rpm/{model}/00000000-0000-4000-8000-000000000000. High demand for {model} on \
             OpenRouter - limited to {limit} requests per minute. Please retry shortly."
        )
    };
    let (limit, reset) = (limit.to_string(), milliseconds_up(reset).to_string());
    let headers = json!({"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset});
    let metadata = json!({"headers": headers, "provider_name": null});
    let mut reply = error(StatusCode::TOO_MANY_REQUESTS, &message, Some(metadata));
    put(&mut reply.headers, "x-ratelimit-limit", limit);
    put(&mut reply.headers, "x-ratelimit-remaining", 0);
    put(&mut reply.headers, "x-ratelimit-reset", reset);
    reply
}

fn usage(work: &Work, output: u64) -> Value {
    let input = work.input_tokens;
    let dollars = |nanodollars: u64| nanodollars as f64 / 1e9;
    let (prompt, completion) = (input.saturating_mul(PRICES.0), output.saturating_mul(PRICES.1));
    let cost = dollars(prompt.saturating_add(completion));
    json!({
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "cost": cost,
        "is_byok": false,
        "prompt_tokens_details": {"cached_tokens": work.cached_tokens, "audio_tokens": 0},
        "cost_details": {
            "upstream_inference_cost": cost,
            "upstream_inference_prompt_cost": dollars(prompt),
            "upstream_inference_completions_cost": dollars(completion),
        },
        "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0},
    })
}

fn finish_reason(answer: &Answer) -> &'static str {
    if answer.cut { "length" } else { "stop" }
}

/// A chat completion.
pub(crate) fn chat(work: &Work, answers: &[Answer], exchange: &Exchange) -> Value {
    let choice = |(index, answer): (usize, &Answer)| {
        json!({
            "logprobs": null,
            "finish_reason": finish_reason(answer),
            "native_finish_reason": finish_reason(answer),
            "index": index,
            "message": {"role": "assistant", "content": answer.text(), "refusal": null, "reasoning": null},
        })
    };
    json!({
        "id": generation_id(exchange),
        "provider": PROVIDER,
        "model": work.model,
        "object": "chat.completion",
        "created": exchange.created(),
        "choices": answers.iter().enumerate().map(choice).collect::<Vec<_>>(),
        "usage": usage(work, output_tokens(answers)),
    })
}

/// The chunks of a chat completion: a comment first, and usage unasked in the last chunk, which still has choices.
pub(crate) fn events(work: &Work, answers: &[Answer], exchange: &Exchange) -> Events {
    let (id, created, model) = (generation_id(exchange), exchange.created(), work.model.clone());
    let usage = usage(work, output_tokens(answers));
    let chunk = move |index: usize, content: &str, finish: Option<&str>, usage: Option<&Value>| {
        let mut chunk = json!({
            "id": id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "provider": PROVIDER,
            "choices": [{
                "index": index,
                "delta": {"content": content, "role": "assistant"},
                "finish_reason": finish,
                "native_finish_reason": finish,
            }],
        });
        if let (Some(fields), Some(usage)) = (chunk.as_object_mut(), usage) {
            fields.insert(String::from("usage"), usage.clone());
        }
        Event::data(chunk)
    };
    let comment = Event { data: bytes::Bytes::from_static(b": OPENROUTER PROCESSING\n\n"), tokens: 0 };
    let last_index = answers.len().saturating_sub(1);
    let last = chunk(last_index, "", answers.last().map(finish_reason), Some(&usage));
    let answers: Vec<_> = answers.iter().cloned().enumerate().collect();
    let choices = answers.into_iter().flat_map(move |(index, answer)| {
        let end = chunk(index, "", Some(finish_reason(&answer)), None);
        let chunk = chunk.clone();
        answer.pieces().map(move |piece| chunk(index, &piece, None, None).token()).chain([end])
    });
    Box::new(std::iter::once(comment).chain(choices).chain([last, Event::data("[DONE]")]))
}

/// The answer to an embedding request.
pub(crate) fn embeddings(work: &Work, exchange: &Exchange) -> Value {
    let cost = work.input_tokens.saturating_mul(PRICES.0) as f64 / 1e9;
    json!({
        "id": generation_id(exchange),
        "provider": PROVIDER,
        "object": "list",
        "data": openai::vectors(work, exchange),
        "model": work.model,
        "usage": {"prompt_tokens": work.input_tokens, "total_tokens": work.input_tokens, "cost": cost, "is_byok": false},
    })
}
