//! A whole request counted, beside its texts encoded.

use std::hint::black_box;

use chat_limiter::tokenizer::{Encoding, PayloadKind, count_payload_as};
use serde_json::Value;

use super::REFERENCE;
use crate::client::requests;
use crate::processor;
use crate::report::{Count, Row, Section, Versus};

/// About so many bytes.
const BYTES: usize = 1_000;
const ROUNDS: usize = 200;

/// A chat request of a kilobyte: what the client counts before it sends one.
///
/// # Errors
///
/// The processor time is not told.
pub(super) fn section() -> anyhow::Result<Section> {
    let bodies: Vec<Value> = requests(BYTES).iter().filter_map(|body| serde_json::from_slice(body).ok()).collect();
    let mut fastest = [f64::INFINITY; 2];
    for _ in 0..ROUNDS {
        let counts: [fn(&Value) -> u64; 2] = [
            |body| count_payload_as(body, PayloadKind::Chat, Encoding::DEFAULT).input,
            |body| {
                let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
                let texts = messages.filter_map(|message| message.get("content")?.as_str());
                texts.map(|text| tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len() as u64).sum()
            },
        ];
        for (fastest, count) in fastest.iter_mut().zip(counts) {
            let before = processor::used()?;
            bodies.iter().for_each(|body| {
                black_box(count(black_box(body)));
            });
            let used = processor::used()?.saturating_sub(before);
            *fastest = fastest.min(used.as_secs_f64() * 1e9 / bodies.len().max(1) as f64);
        }
    }
    let [ours, theirs] = fastest;
    let mut section = Section::new("a chat request of about 1 KB");
    section.rows = vec![Row {
        name: "counted, with its frame".to_owned(),
        value: Some(ours),
        unit: "ns",
        versus: Some(Versus {
            name: format!("its texts encoded by {REFERENCE}"),
            value: Some(theirs),
            instructions: Count::NotCounted,
        }),
        ratio: Some(ours / theirs),
        ..Row::default()
    }];
    Ok(section)
}
