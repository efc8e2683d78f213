//! OpenAI: <https://developers.openai.com/api/docs/guides/rate-limits>, its API reference, and recorded answers.

mod chat;
mod duration;
mod embeddings;
mod error;
mod responses;

use std::time::Duration;

use http::HeaderMap;
use serde_json::{Value, json};

pub(crate) use chat::{chat, chat_events, completion, completion_events};
pub(crate) use embeddings::{embeddings, vectors};
pub(crate) use error::refuse;
pub(crate) use responses::{response, response_events};

use super::{Exchange, put, seconds_up};
use crate::quota::{Dimension, Reading};
use crate::telling::{Resets, Telling};

/// The organization that 429s name.
const ORGANIZATION: &str = "org-simulated";

/// The models that are listed. Any other name is answered as well.
const MODELS: [(&str, u64); 8] = [
    ("gpt-4o", 1_715_367_049),
    ("gpt-4o-mini", 1_721_172_741),
    ("gpt-4.1", 1_744_316_542),
    ("gpt-4.1-mini", 1_744_318_173),
    ("gpt-5", 1_754_425_777),
    ("gpt-3.5-turbo-instruct", 1_692_901_427),
    ("text-embedding-3-small", 1_705_948_997),
    ("text-embedding-3-large", 1_705_953_180),
];

/// The list of models.
pub(crate) fn models() -> Value {
    let data: Vec<Value> = MODELS
        .iter()
        .map(|(id, created)| json!({"id": id, "object": "model", "created": created, "owned_by": "system"}))
        .collect();
    json!({"object": "list", "data": data})
}

/// The headers every answer carries.
pub(crate) fn common_headers(exchange: &Exchange, processing: Duration) -> HeaderMap {
    let mut headers = HeaderMap::new();
    put(&mut headers, "x-request-id", exchange.hex_id("req_", 32));
    put(&mut headers, "openai-processing-ms", processing.as_millis());
    put(&mut headers, "openai-version", "2020-10-01");
    put(&mut headers, "openai-organization", ORGANIZATION);
    put(&mut headers, "x-content-type-options", "nosniff");
    headers
}

fn span(span: Duration) -> String {
    duration::go(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

/// The limits. Resets are Go durations until the limit is full, cut to the millisecond as recorded ones are.
/// A limit for the day is told beside that for the minute, under a name of its own as inference services do it.
pub(crate) fn limit_headers(readings: &[Reading], at: Duration, telling: Telling) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for reading in readings {
        let [limit, remaining, reset] = match reading.dimension {
            Dimension::Requests => {
                ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"]
            }
            Dimension::Tokens => {
                ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"]
            }
            Dimension::DailyRequests => [
                "x-ratelimit-limit-requests-day",
                "x-ratelimit-remaining-requests-day",
                "x-ratelimit-reset-requests-day",
            ],
            Dimension::InputTokens | Dimension::OutputTokens => continue,
        };
        put(&mut headers, limit, reading.limit);
        put(
            &mut headers,
            remaining,
            match reading.dimension {
                Dimension::Tokens => telling.rounded(reading.remaining, reading.limit),
                _ => reading.remaining,
            },
        );
        match telling.resets {
            Resets::Span => put(&mut headers, reset, span(reading.until_full)),
            Resets::Oldest => put(&mut headers, reset, span(reading.until_more)),
            Resets::Minute => put(&mut headers, reset, span(Duration::from_secs(60))),
            Resets::EpochSeconds => put(&mut headers, reset, seconds_up(at.saturating_add(reading.until_full))),
            Resets::Never => {}
        }
    }
    headers
}
