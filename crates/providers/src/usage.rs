//! What a request took, as the provider counted it, in one form for all providers.

mod member;
mod parts;

use serde_json::Value;

use parts::Answer;
pub(crate) use parts::Parts;

/// The tokens that a provider counted for one request.
///
/// Providers disagree about what includes what; this form does not:
///
/// * `input` is everything that was read: new, cached and cache-written tokens together. Anthropic's `input_tokens` and
///   Bedrock's `inputTokens` leave both cache fields out; they are added here, and so are the tokens that Google's tools
///   read.
/// * `output` is everything that was produced, reasoning included. Google and xAI's chat completions count reasoning
///   beside it; it is added here.
/// * `total` is the provider's own total where it states one, and at least `input + output`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens read, cached ones included.
    pub input: u64,
    /// The part of `input` that came out of a cache.
    pub cached_input: u64,
    /// The part of `input` that was written into a cache.
    pub cache_written: u64,
    /// Tokens produced, reasoning included.
    pub output: u64,
    /// The part of `output` that was reasoning.
    pub reasoning: u64,
    /// Tokens in all.
    pub total: u64,
    /// What was charged, in US dollars, where the provider says so.
    pub cost: Option<f64>,
}

impl Usage {
    /// Tokens in all but those of the prompt: at least `output`, and more where the total states more.
    #[must_use]
    pub fn produced(&self) -> u64 {
        self.total.saturating_sub(self.input).max(self.output)
    }

    /// Reads a usage member, in the form of any of the supported interfaces: OpenAI's two, Anthropic's, Google's, Cohere's,
    /// Amazon's. `None` where no tokens are counted.
    ///
    /// Sources: the API references of [OpenAI](https://platform.openai.com/docs/api-reference) (chat completions and
    /// responses), [Anthropic](https://platform.claude.com/docs/en/api/messages),
    /// [OpenRouter](https://openrouter.ai/docs/use-cases/usage-accounting),
    /// [Google](https://ai.google.dev/api/generate-content#UsageMetadata), [Cohere](https://docs.cohere.com/reference/chat) and
    /// [Amazon](https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_TokenUsage.html).
    #[must_use]
    pub fn from_member(usage: &Value) -> Option<Self> {
        Parts::read(usage).finish()
    }

    /// Reads the bytes of a whole JSON answer; `None` where they are something else. Of an array of answers, which Google
    /// sends where a stream is asked for in JSON, the last one that states a field counts.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
        let mut parts = Parts::default();
        if is_array {
            let answers: Vec<Answer<'_>> = serde_json::from_slice(body).ok()?;
            answers.iter().for_each(|answer| parts.update(&answer.parts()));
        } else {
            parts = serde_json::from_slice::<Answer<'_>>(body).ok()?.parts();
        }
        parts.finish()
    }

    /// Reads an answer or an event of a stream: its usage, or that of what it carries.
    #[must_use]
    pub fn from_answer(answer: &Value) -> Option<Self> {
        Parts::of_answer(answer).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(member: Value, expected: Option<Usage>) {
        assert_eq!(Usage::from_member(&member), expected, "{member}");
    }

    #[test]
    fn a_chat_completion_states_prompt_and_completion() {
        check(
            json!({"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49,
                "prompt_tokens_details": {"cached_tokens": 16, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 5}}),
            Some(Usage { input: 40, cached_input: 16, output: 9, reasoning: 5, total: 49, ..Usage::default() }),
        );
        check(json!({"prompt_tokens": 8, "total_tokens": 8}), Some(Usage { input: 8, total: 8, ..Usage::default() }));
    }

    #[test]
    fn a_response_states_input_and_output() {
        check(
            json!({"input_tokens": 70, "input_tokens_details": {"cached_tokens": 64}, "output_tokens": 6,
                "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 76}),
            Some(Usage { input: 70, cached_input: 64, output: 6, reasoning: 2, total: 76, ..Usage::default() }),
        );
    }

    #[test]
    fn anthropics_cache_fields_are_added_to_the_input() {
        check(
            json!({"input_tokens": 3, "cache_creation_input_tokens": 1000, "cache_read_input_tokens": 20,
                "output_tokens": 11, "output_tokens_details": {"thinking_tokens": 4}}),
            Some(Usage {
                input: 1023,
                cached_input: 20,
                cache_written: 1000,
                output: 11,
                reasoning: 4,
                total: 1034,
                cost: None,
            }),
        );
    }

    #[test]
    fn openrouter_states_the_cost() {
        check(
            json!({"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6, "cost": 0.00025,
                "prompt_tokens_details": null}),
            Some(Usage { input: 5, output: 1, total: 6, cost: Some(0.00025), ..Usage::default() }),
        );
    }

    #[test]
    fn usage_is_found_only_in_a_body_that_is_whole_and_json() {
        let whole = r#"{"usage":{"total_tokens":8},"text":["a\n",{"b":1.5e3}]}"#;
        assert!(Usage::from_body(whole.as_bytes()).is_some());
        for end in 0..whole.len() {
            assert_eq!(Usage::from_body(&whole.as_bytes()[..end]), None, "{}", &whole[..end]);
        }
        for broken in [
            format!("{whole}{whole}"),
            format!("{whole},"),
            whole.replace("1.5e3", "1.5e"),
            whole.replace("\\n", "\\x"),
            whole.replace("\\n", "\n"),
            whole.replace("b\":", "b\""),
        ] {
            assert_ne!(broken, whole);
            assert_eq!(Usage::from_body(broken.as_bytes()), None, "{broken}");
        }
    }

    #[test]
    fn what_counts_no_tokens_is_no_usage() {
        for member in [
            json!(null),
            json!({}),
            json!([]),
            json!("8"),
            json!({"type": "duration", "seconds": 4}),
            json!({"prompt_tokens": -4}),
            json!({"prompt_tokens": "12"}),
        ] {
            check(member, None);
        }
    }

    #[test]
    fn a_total_below_its_parts_loses_nothing_of_them() {
        for total in [0, 9, 10, 12, 15] {
            check(
                json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": total}),
                Some(Usage { input: 10, output: 5, total: 15, ..Usage::default() }),
            );
            let usage = Usage { input: 10, output: 5, total, ..Usage::default() };
            assert_eq!(usage.produced(), 5, "{total}");
        }
        assert_eq!(Usage { input: 10, output: 5, total: 18, ..Usage::default() }.produced(), 8);
    }

    #[test]
    fn counts_beyond_all_bounds_saturate() {
        let member = json!({"input_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX, "output_tokens": u64::MAX});
        assert_eq!(Usage::from_member(&member).map(|usage| usage.total), Some(u64::MAX));
    }
}
