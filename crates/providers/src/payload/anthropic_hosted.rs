//! Anthropic's messages where others host its models: the model is part of the path, and the version of the body.
//!
//! Sources: <https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai>,
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html>.

use serde_json::{Value, json};

use super::body::path_segment;
use super::{ChatPayload, ChatRequest, PayloadError, anthropic};

/// Who hosts the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Google's Vertex AI.
    Vertex,
    /// Amazon Bedrock's InvokeModel.
    Bedrock,
}

pub(crate) fn payload(request: &ChatRequest, host: Host) -> Result<ChatPayload, PayloadError> {
    let mut payload = anthropic::payload(request)?;
    let is_stream = request.is_stream();
    let model = path_segment(&request.model);
    let (version, path) = match (host, is_stream) {
        (Host::Vertex, false) => ("vertex-2023-10-16", format!("/models/{model}:rawPredict")),
        (Host::Vertex, true) => ("vertex-2023-10-16", format!("/models/{model}:streamRawPredict")),
        (Host::Bedrock, false) => ("bedrock-2023-05-31", format!("/model/{model}/invoke")),
        (Host::Bedrock, true) => ("bedrock-2023-05-31", format!("/model/{model}/invoke-with-response-stream")),
    };
    if let Value::Object(members) = &mut payload.body {
        members.remove("model");
        if host == Host::Bedrock {
            // The path says it.
            members.remove("stream");
        }
        members.entry("anthropic_version").or_insert_with(|| json!(version));
    }
    payload.endpoint = path.into();
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    #[test]
    fn the_model_is_in_the_path_and_the_version_in_the_body() {
        let mut request = ChatRequest::new("claude-haiku-4-5@20251001", vec![Message::user("Hi")]);
        request.stream = Some(true);
        let sent = payload(&request, Host::Vertex).unwrap();
        assert_eq!(sent.endpoint, "/models/claude-haiku-4-5@20251001:streamRawPredict");
        let messages = json!([{"role": "user", "content": "Hi"}]);
        let expected = json!({"anthropic_version": "vertex-2023-10-16", "max_tokens": 4096, "messages": messages,
            "stream": true});
        assert_eq!(sent.body, expected);
        request.model = "us.anthropic.claude-haiku-4-5-20251001-v1:0".to_owned();
        let sent = payload(&request, Host::Bedrock).unwrap();
        assert_eq!(sent.endpoint, "/model/us.anthropic.claude-haiku-4-5-20251001-v1:0/invoke-with-response-stream");
        let expected = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 4096, "messages": messages});
        assert_eq!(sent.body, expected);
    }
}
