//! Headers that look like limits and are left aside, each with the reason.

/// Whether a header has to do with limits and retries, going by its name: one that does is either read or stands here.
pub(crate) fn looks_like_a_limit(name: &str) -> bool {
    const WORDS: [&str; 8] =
        ["ratelimit", "rate-limit", "retry", "call-limit", "call-remaining", "tokenlimit", "x-codex-", "quota"];
    WORDS.iter().any(|word| name.contains(word))
        || name.starts_with("anthropic-priority-")
        || name.starts_with("anthropic-fast-")
}

/// Why a header is left aside; `None` for one that is not known.
pub(crate) fn reason(name: &str) -> Option<&'static str> {
    RULES.iter().find(|(part, place, _)| place.fits(name, part)).map(|(_, _, reason)| *reason)
}

enum Place {
    Whole,
    Start,
    End,
    Anywhere,
}

impl Place {
    fn fits(&self, name: &str, part: &str) -> bool {
        match self {
            Self::Whole => name == part,
            Self::Start => name.starts_with(part),
            Self::End => name.ends_with(part),
            Self::Anywhere => name.contains(part),
        }
    }
}

const RULES: &[(&str, Place, &str)] = &[
    ("tokens_usage_based", Place::End, "repeats the tokens header (OpenAI, 2023-24)"),
    ("tokens-usage-based", Place::End, "repeats the tokens header (OpenAI, 2023-24)"),
    ("-query-cost", Place::End, "what this request took, which the body's usage states"),
    ("-audio-seconds-minute", Place::End, "seconds of audio are not metered here"),
    ("audio-megabytes", Place::Anywhere, "megabytes of audio are not metered here"),
    ("-ocr-pages-minute", Place::End, "pages are not metered here"),
    ("-input-characters-minute", Place::End, "characters are not metered here"),
    ("x-ratelimit-over-limit", Place::Whole, "whether spare capacity served the request: no amount"),
    ("x-ratelimit-key", Place::Whole, "the name of a deployment (Azure)"),
    ("x-ratelimit-type", Place::Whole, "which limit refused, read with the error and not with the limits (Azure)"),
    ("x-ratelimit-abusepenalty-active", Place::Whole, "a penalty in force, without an amount (Azure)"),
    ("x-ratelimit", Place::Whole, "a switch, no amount (Together)"),
    ("x-ratelimit-resource", Place::Whole, "the name of what is metered"),
    ("x-ratelimit-policy", Place::Whole, "a name"),
    ("x-ratelimit-model", Place::Whole, "a name"),
    ("x-ratelimit-used", Place::Start, "follows from the limit and what remains"),
    ("llm_provider-", Place::Start, "what a gateway was told by the provider behind it (LiteLLM)"),
    ("retry-count", Place::End, "the gateway's own retries"),
    ("retry-attempt-count", Place::End, "the gateway's own retries"),
    ("x-max-retry-attempts-reached", Place::Whole, "the gateway's own retries (Mistral)"),
    (
        "anthropic-priority-",
        Place::Start,
        "the bucket of the priority tier, out of which a request falls into the ordinary one",
    ),
    ("anthropic-fast-", Place::Start, "the bucket of fast mode, beside the ordinary one"),
    (
        "anthropic-ratelimit-unified-",
        Place::Start,
        "a subscription's share of an amount that is not stated; its reset is read where it refuses",
    ),
    ("x-codex-", Place::Start, "a subscription's share of an amount that is not stated"),
    ("x-dashscope-", Place::Start, "not documented"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_aside_has_a_reason() {
        for name in [
            "x-ratelimit-limit-tokens_usage_based",
            "x-ratelimit-tokens-query-cost",
            "ratelimitbysize-query-cost",
            "x-ratelimit-remaining-audio-seconds-minute",
            "anthropic-ratelimit-unified-5h-utilization",
            "anthropic-priority-input-tokens-limit",
            "x-codex-primary-used-percent",
        ] {
            assert!(looks_like_a_limit(name) && reason(name).is_some(), "{name}");
        }
        for name in ["x-ratelimit-limit-unicorns", "x-ratelimit-limit-tokens"] {
            assert!(looks_like_a_limit(name) && reason(name).is_none(), "{name}");
        }
        assert!(!looks_like_a_limit("content-length") && !looks_like_a_limit("x-request-id"));
    }
}
