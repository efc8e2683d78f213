//! What a request took, as the provider counted it, in one form for all providers.

use serde_json::Value;

/// The tokens that a provider counted for one request.
///
/// Providers disagree about what includes what; this form does not:
///
/// * `input` is everything that was read: new, cached and cache-written tokens together. Anthropic's `input_tokens`
///   leaves both cache fields out; they are added here.
/// * `output` is everything that was produced, reasoning included.
/// * `total` is the provider's own total where it states one, else `input + output`.
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
    /// Reads the `usage` member of a body, in the form of any of the supported interfaces.
    ///
    /// Sources: the API references of [OpenAI](https://platform.openai.com/docs/api-reference) (chat completions and
    /// responses), [Anthropic](https://platform.claude.com/docs/en/api/messages) and
    /// [OpenRouter](https://openrouter.ai/docs/use-cases/usage-accounting). `None` where no tokens are counted.
    #[must_use]
    pub fn from_member(usage: &Value) -> Option<Self> {
        Parts::read(usage).finish()
    }

    /// Reads the bytes of a whole JSON answer; `None` where they are something else.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        /// Reads past everything else, so that a large answer (thousands of vectors) is not built in memory.
        #[derive(serde::Deserialize)]
        struct Answer {
            usage: Option<Value>,
        }
        let answer: Answer = serde_json::from_slice(body).ok()?;
        Self::from_member(&answer.usage?)
    }

    /// Reads an answer or an event of a stream: its `usage`, or that of the `response` or `message` in it.
    #[must_use]
    pub fn from_answer(answer: &Value) -> Option<Self> {
        [answer.get("usage"), answer.pointer("/response/usage"), answer.pointer("/message/usage")]
            .into_iter()
            .flatten()
            .find_map(Self::from_member)
    }
}

/// The fields of a usage as they were sent. A stream sends some early and others late: the last of each counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    input: Option<u64>,
    cached: Option<u64>,
    cache_written: Option<u64>,
    /// Whether `input` leaves the cache fields out, as Anthropic's does.
    cache_is_apart: bool,
    output: Option<u64>,
    reasoning: Option<u64>,
    total: Option<u64>,
    cost: Option<f64>,
}

impl Parts {
    pub(crate) fn read(usage: &Value) -> Self {
        let count = |path: &str| usage.pointer(path).and_then(Value::as_u64);
        let any = |paths: &[&str]| paths.iter().find_map(|path| count(path));
        let cached_apart = count("/cache_read_input_tokens");
        let written_apart = count("/cache_creation_input_tokens");
        Self {
            input: any(&["/prompt_tokens", "/input_tokens"]),
            cached: cached_apart
                .or_else(|| any(&["/prompt_tokens_details/cached_tokens", "/input_tokens_details/cached_tokens"])),
            cache_written: written_apart.or_else(|| {
                any(&["/prompt_tokens_details/cache_write_tokens", "/input_tokens_details/cache_write_tokens"])
            }),
            cache_is_apart: count("/prompt_tokens").is_none() && (cached_apart.is_some() || written_apart.is_some()),
            output: any(&["/completion_tokens", "/output_tokens"]),
            reasoning: any(&[
                "/completion_tokens_details/reasoning_tokens",
                "/output_tokens_details/reasoning_tokens",
                "/output_tokens_details/thinking_tokens",
            ]),
            total: count("/total_tokens"),
            cost: usage.get("cost").and_then(Value::as_f64),
        }
    }

    /// Takes over every field that `later` states.
    pub(crate) fn update(&mut self, later: &Self) {
        self.input = later.input.or(self.input);
        self.cached = later.cached.or(self.cached);
        self.cache_written = later.cache_written.or(self.cache_written);
        self.cache_is_apart |= later.cache_is_apart;
        self.output = later.output.or(self.output);
        self.reasoning = later.reasoning.or(self.reasoning);
        self.total = later.total.or(self.total);
        self.cost = later.cost.or(self.cost);
    }

    pub(crate) fn finish(&self) -> Option<Usage> {
        let output = self.output.unwrap_or(0);
        if self.input.is_none() && self.output.is_none() && self.total.is_none() {
            return None;
        }
        let cached_input = self.cached.unwrap_or(0);
        let cache_written = self.cache_written.unwrap_or(0);
        let mut input = self.input.unwrap_or_else(|| self.total.unwrap_or(0).saturating_sub(output));
        if self.cache_is_apart {
            input = input.saturating_add(cached_input).saturating_add(cache_written);
        }
        Some(Usage {
            input,
            cached_input,
            cache_written,
            output,
            reasoning: self.reasoning.unwrap_or(0),
            total: self.total.unwrap_or_else(|| input.saturating_add(output)),
            cost: self.cost,
        })
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
    fn counts_beyond_all_bounds_saturate() {
        let member = json!({"input_tokens": u64::MAX, "cache_read_input_tokens": u64::MAX, "output_tokens": u64::MAX});
        assert_eq!(Usage::from_member(&member).map(|usage| usage.total), Some(u64::MAX));
    }
}
