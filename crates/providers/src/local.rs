//! Servers that run on one's own machine and limit nothing: Ollama and vLLM.
//!
//! Sources: <https://github.com/ollama/ollama/blob/main/docs/api.md> (usage as `prompt_eval_count` and `eval_count`, errors
//! as a text; 503 where its queue is full), <https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html>. Where
//! a proxy in front of them states limits, they are read as everybody's are.

use crate::Provider;

/// Ollama, on this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ollama;

/// vLLM, on this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct VLlm;

impl Provider for Ollama {
    fn name(&self) -> &str {
        "ollama"
    }

    fn base_url(&self) -> &str {
        "http://127.0.0.1:11434/v1"
    }

    /// None is needed on this machine.
    fn key_variable(&self) -> Option<&str> {
        None
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "ollama.com"
    }
}

impl Provider for VLlm {
    fn name(&self) -> &str {
        "vllm"
    }

    fn base_url(&self) -> &str {
        "http://127.0.0.1:8000/v1"
    }

    /// None is needed unless it was started with one.
    fn key_variable(&self) -> Option<&str> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::classify;
    use crate::{ErrorKind, Usage};

    #[test]
    fn ollamas_own_counts_are_usage() {
        let body = br#"{"model":"m","done":true,"prompt_eval_count":21,"eval_count":9,"eval_duration":5}"#;
        assert_eq!(Ollama.usage(body), Some(Usage { input: 21, output: 9, total: 30, ..Usage::default() }));
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |status, body: &str| classify(&Ollama, status, &[], body).kind;
        assert_eq!(kind(404, r#"{"error":"model 'x' not found"}"#), ErrorKind::NotFound);
        assert_eq!(
            kind(503, r#"{"error":"server busy, please try again. maximum pending requests exceeded"}"#),
            ErrorKind::Overloaded
        );
        let long = r#"{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.","type":"BadRequestError","code":400}"#;
        let failure = classify(&VLlm, 400, &[], long);
        assert_eq!((failure.kind, failure.excess()), (ErrorKind::TooLarge, Some(904)));
    }
}
