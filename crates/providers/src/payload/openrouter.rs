//! OpenRouter's chat completions: OpenAI's form for the models of many providers.
//!
//! Sources: <https://openrouter.ai/docs/api-reference/overview> (it maps `max_tokens` to what each model wants) and
//! <https://openrouter.ai/docs/use-cases/usage-accounting>.

use serde_json::{Value, json};

use super::{ChatRequest, PayloadError, openai};

/// The body, with the usage (and so the cost) asked for.
pub(crate) fn body(request: &ChatRequest) -> Result<Value, PayloadError> {
    let mut body = openai::body_for_any_server(request)?;
    if let Some(fields) = body.as_object_mut() {
        fields.entry("usage").or_insert_with(|| json!({"include": true}));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    #[test]
    fn the_cost_is_asked_for_and_the_bound_keeps_its_name() {
        let request = ChatRequest { max_tokens: Some(8), ..ChatRequest::new("openai/o3", vec![Message::user("Hi")]) };
        let expected = json!({"model": "openai/o3", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8,
            "usage": {"include": true}});
        assert_eq!(body(&request), Ok(expected));
    }

    #[test]
    fn what_the_caller_says_about_usage_stays() {
        let mut request = ChatRequest::new("a/b", vec![Message::user("Hi")]);
        request.extra.insert("usage".to_owned(), json!({"include": false}));
        assert_eq!(body(&request).unwrap()["usage"], json!({"include": false}));
    }
}
