//! OpenTelemetry's names for what is done, and by whom.
//!
//! Sources: [spans](https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md) and
//! [attributes](https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/) of the conventions for generative
//! AI, as of version 1.41.

/// `gen_ai.operation.name`: what the end of a path asks for. What the conventions have no name for is `request`.
pub(super) fn operation(path: &str) -> &'static str {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    match () {
        () if ends(&["/chat/completions", "/messages", "/responses", "/chat", "/converse", "/converse-stream"]) => {
            "chat"
        }
        () if ends(&[":generatecontent", ":streamgeneratecontent"]) => "generate_content",
        () if ends(&["/completions", "/complete", "/generate"]) => "text_completion",
        () if ends(&["/embeddings", "/embed", ":embedcontent", ":batchembedcontents"]) => "embeddings",
        () => "request",
    }
}

/// `gen_ai.provider.name`: the conventions' name of a provider, else its own.
pub(super) fn provider(name: &str) -> &str {
    match name {
        "azure" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        "gemini" => "gcp.gemini",
        "mistral" => "mistral_ai",
        "vertex" => "gcp.vertex_ai",
        "xai" => "x_ai",
        own => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_by_its_end() {
        fn check(path: &str, expected: &str) {
            assert_eq!(operation(path), expected, "{path}");
        }
        check("/v1/chat/completions", "chat");
        check("/v1/messages/", "chat");
        check("/v1/messages/count_tokens", "request");
        check("/v1/responses", "chat");
        check("/v1beta/models/gemini-2.5-flash:streamGenerateContent", "generate_content");
        check("/v1/completions", "text_completion");
        check("/openai/deployments/mine/embeddings", "embeddings");
        check("/v1/models", "request");
        check("", "request");
    }

    #[test]
    fn every_provider_has_a_name() {
        for name in providers::Registry::standard().names() {
            assert!(!provider(name).is_empty());
        }
        assert_eq!(provider("mistral"), "mistral_ai");
        assert_eq!(provider("of-my-own"), "of-my-own");
    }
}
