//! Embeddings.

use serde_json::{Value, json};

use crate::faces::Exchange;
use crate::text;
use crate::work::Work;

/// The vectors asked for, each in its envelope.
pub(crate) fn vectors(work: &Work, exchange: &Exchange) -> Vec<Value> {
    let Some(asked) = work.vectors else { return Vec::new() };
    let one = |index: usize| {
        let vector = text::vector(exchange.seed, exchange.prompt, index as u64, asked.dimensions);
        let embedding = if asked.base64 { json!(text::base64(&vector)) } else { json!(vector) };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    (0..asked.count).map(one).collect()
}

/// The answer to an embedding request.
pub(crate) fn embeddings(work: &Work, exchange: &Exchange) -> Value {
    json!({
        "object": "list",
        "data": vectors(work, exchange),
        "model": work.model,
        "usage": {"prompt_tokens": work.input_tokens, "total_tokens": work.input_tokens},
    })
}
