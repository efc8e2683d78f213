//! How large a request is, before it is sent.

use serde_json::Value;
use tokenizer::{Encoding, PayloadKind};

use crate::RequestSize;

/// The size of a request's body. The path tells the interface where it is a known one, else the body's shape does.
pub(crate) fn of_body(endpoint: &str, body: &Value) -> RequestSize {
    let path = endpoint.split(['?', '#']).next().unwrap_or(endpoint).trim_end_matches('/');
    let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
    let kind = kind_of(path).unwrap_or_else(|| PayloadKind::of(body));
    let counted = tokenizer::count_payload_as(body, kind, Encoding::for_model_or_default(model));
    RequestSize {
        input_tokens: counted.input,
        max_output_tokens: if produces_tokens(path) { counted.max_output } else { Some(0) },
        images: counted.images,
    }
}

fn kind_of(path: &str) -> Option<PayloadKind> {
    const KINDS: [(&str, PayloadKind); 6] = [
        ("/chat/completions", PayloadKind::Chat),
        ("/completions", PayloadKind::Completions),
        ("/responses", PayloadKind::Responses),
        ("/embeddings", PayloadKind::Embeddings),
        ("/messages", PayloadKind::AnthropicMessages),
        ("/messages/count_tokens", PayloadKind::AnthropicMessages),
    ];
    KINDS.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, kind)| kind)
}

/// Whether the answer of this path is made of tokens.
fn produces_tokens(path: &str) -> bool {
    !["/embeddings", "/moderations", "/rerank", "/count_tokens", "/images/generations", "/audio/speech"]
        .iter()
        .any(|silent| path.ends_with(silent))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bound_is_read_and_the_prompt_is_counted() {
        let body =
            json!({"model": "gpt-4o", "max_completion_tokens": 12, "messages": [{"role": "user", "content": "Hi"}]});
        let size = of_body("/v1/chat/completions", &body);
        assert_eq!((size.max_output_tokens, size.images), (Some(12), 0));
        assert!(size.input_tokens > 0);
        let unbounded = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}]});
        assert_eq!(of_body("/chat/completions", &unbounded).max_output_tokens, None);
    }

    #[test]
    fn embeddings_produce_nothing() {
        let body = json!({"model": "text-embedding-3-small", "input": "some words"});
        assert_eq!(of_body("/v1/embeddings?x=1", &body).max_output_tokens, Some(0));
    }

    #[test]
    fn a_body_that_makes_no_sense_has_a_size() {
        for body in [json!(null), json!([]), json!({"messages": 3}), json!({"model": 1, "max_tokens": -4, "input": {}})]
        {
            for endpoint in ["", "/", "?", "/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/completions"] {
                let _ = of_body(endpoint, &body);
            }
        }
    }
}
