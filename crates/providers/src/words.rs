//! The words by which providers say what is wrong, and what they mean.
//!
//! They are looked for in the message, in lower case. Each list holds what was seen in recorded answers or stands in a
//! provider's documentation.

use limiter_core::{Dimension, Nanos};

use crate::message;

/// Whether the words say that credit, budget or quota is used up, so that waiting does not help. In lower case.
pub(crate) fn tell_exhaustion(words: &str) -> bool {
    const WORDS: [&str; 33] = [
        "exceeded your current quota, please check your plan",
        "credit balance",
        "credits are depleted",
        "spend limit",
        "spending limit",
        "spending cap",
        "usage limit reached",
        "usage limit has been reached",
        "reached your usage limit",
        "hit your usage limit",
        "reached your monthly",
        "exceeded your monthly",
        "exceeded its monthly",
        "monthly budget",
        "monthly usage limit",
        "budget has been exceeded",
        "you will regain access",
        "billing hard limit",
        "key limit exceeded",
        "specified api usage limits",
        "insufficient credit",
        "insufficient balance",
        "insufficient fund",
        "insufficient quota",
        "used all available credits",
        "run out of credits",
        "out of credits",
        "more credits",
        "monthly included credits",
        "payment method is required",
        "purchase more credits",
        "have any credits",
        // A trial key's share of the month (Cohere).
        "api calls / month",
    ];
    contains_any(words, &WORDS)
}

/// Whether the words name a moment at which what is used up comes back. In lower case.
pub(crate) fn tell_reset(words: &str) -> bool {
    contains_any(words, &["will reset", "resets at", "resets in", "resets on"]) || wait(words).is_some()
}

/// Whether the words say that the request alone is too large. In lower case.
pub(crate) fn tell_size(words: &str) -> bool {
    const WORDS: [&str; 16] = [
        "request too large",
        // xAI; vLLM; llama.cpp; Hugging Face's and Together's servers
        "maximum prompt length",
        "longer than the maximum model length",
        "exceeds the available context size",
        "`max_new_tokens` must be <=",
        "prompt is too long",
        "maximum context length",
        "context length exceeded",
        "exceeds the context window",
        "exceed the context window",
        "exceed context limit",
        "exceeds the maximum number of tokens",
        "input is too long",
        "input tokens exceed",
        "messages is too long",
        "too many tokens: size limit",
    ];
    contains_any(words, &WORDS)
}

/// Whether the words say that the provider has no capacity. In lower case.
pub(crate) fn tell_overload(words: &str) -> bool {
    const WORDS: [&str; 11] = [
        "overloaded",
        "is busy",
        "too busy",
        "currently processing too many requests",
        "experiencing high",
        "capacity exceeded",
        "no capacity",
        "at capacity",
        "over capacity",
        "getting throttled",
        "capacity constraints",
    ];
    // Google's shared quota: nobody's limit was reached.
    contains_any(words, &WORDS) || words.contains("resource exhausted") && words.contains("try again later")
}

/// Whether the words say that the key is missing or wrong. In lower case.
pub(crate) fn tell_authentication(words: &str) -> bool {
    const WORDS: [&str; 8] = [
        "api key not valid",
        "incorrect api key",
        "invalid api key",
        "invalid x-api-key",
        "missing authentication",
        "no api key",
        "security token included in the request",
        "signature expired",
    ];
    contains_any(words, &WORDS)
}

fn contains_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// How long the message asks to wait.
pub(crate) fn wait(text: &str) -> Option<Nanos> {
    const PHRASES: [&str; 5] = ["available in ", "resets in ", "reset in ", "reset after ", "try again after "];
    message::wait(text).or_else(|| {
        let lower = text.to_ascii_lowercase();
        PHRASES.into_iter().find_map(|phrase| message::span_at_start(lower.split_once(phrase)?.1))
    })
}

/// What the message says is metered.
pub(crate) fn dimension(text: &str) -> Option<Dimension> {
    const PHRASES: [(&str, Dimension); 17] = [
        ("input_token_count", Dimension::InputTokens),
        ("input_tokens_per", Dimension::InputTokens),
        ("output_tokens_per", Dimension::OutputTokens),
        ("tokens_per", Dimension::Tokens),
        ("_requests", Dimension::Requests),
        ("requests_per", Dimension::Requests),
        ("number of tokens", Dimension::Tokens),
        ("number of requests", Dimension::Requests),
        ("api calls", Dimension::Requests),
        ("too many tokens", Dimension::Tokens),
        ("tokens limit", Dimension::Tokens),
        ("userbymodelby", Dimension::Requests),
        ("you have sent too many requests", Dimension::Requests),
        ("max rpm", Dimension::Requests),
        ("max rpd", Dimension::Requests),
        ("max tpm", Dimension::Tokens),
        ("max tpd", Dimension::Tokens),
    ];
    let lower = text.to_ascii_lowercase();
    if let Some((what, ..)) = counts(&lower).find(|(_, used, limit)| used >= limit) {
        return message::dimension(what);
    }
    message::dimension(text)
        .or_else(|| PHRASES.into_iter().find_map(|(phrase, dimension)| lower.contains(phrase).then_some(dimension)))
}

/// The window that the message names.
pub(crate) fn window(text: &str) -> Option<Nanos> {
    const PHRASES: [(&str, Nanos); 10] = [
        ("per_day", Nanos::DAY),
        ("bymodelbyday", Nanos::DAY),
        ("per_minute", Nanos::MINUTE),
        ("byminute", Nanos::MINUTE),
        ("per 60s", Nanos::MINUTE),
        ("per-hour", Nanos::HOUR),
        ("max rpd", Nanos::DAY),
        ("max tpd", Nanos::DAY),
        ("max rpm", Nanos::MINUTE),
        ("max tpm", Nanos::MINUTE),
    ];
    message::window(text).or_else(|| {
        let lower = text.to_ascii_lowercase();
        PHRASES.into_iter().find_map(|(phrase, window)| lower.contains(phrase).then_some(window))
    })
}

/// The numbers of a refusal, with how much the request was over the limit where only that is said.
pub(crate) fn numbers(text: &str) -> message::Numbers {
    let mut numbers = message::numbers(text);
    let lower = text.to_ascii_lowercase();
    let first = |phrase: &str| lower.split_once(phrase).and_then(|(_, rest)| number_at_start(rest));
    if numbers.limit.is_none() {
        // "Rate limit of 50 per 86400s", "the limit for this model is 288000 tokens", "tokens allowed (1048576)",
        // "Max size: 8000 tokens", "organization max RPM: 3"
        let phrases =
            ["limit of ", "limit for this model is ", "tokens allowed (", "max size: ", "max rpm: ", "max tpm: "];
        numbers.limit = phrases.into_iter().find_map(first);
    }
    if let Some((_, used, limit)) = counts(&lower).find(|(_, used, limit)| used >= limit) {
        (numbers.used, numbers.limit) = (Some(used), Some(limit));
    }
    if numbers.requested.is_none() {
        // "the input token count (1250074) exceeds", "limit exceeded by 25836 tokens"
        numbers.requested = first("token count (")
            .or_else(|| first("exceeded by ").zip(numbers.limit).map(|(over, limit)| limit.saturating_add(over)));
    }
    numbers
}

/// The counts of xAI's refusals, such as `Requests per Minute (actual/limit): 61/60, Tokens per Minute (actual/limit): 9/16000`:
/// what is counted, how much of it, and the limit. In lower case.
fn counts(words: &str) -> impl Iterator<Item = (&str, u64, u64)> {
    const MARK: &str = " (actual/limit): ";
    words.match_indices(MARK).filter_map(|(at, _)| {
        let what = words.get(..at)?.rsplit([',', ':', '.']).next()?;
        let (used, rest) = words.get(at + MARK.len()..)?.split_once('/')?;
        Some((what, number_at_start(used)?, number_at_start(rest)?))
    })
}

fn number_at_start(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(text.len());
    let digits: String = text.get(..end)?.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_and_microsofts_words_name_the_limit() {
        let check = |text: &str, expected: (Option<Dimension>, Option<Nanos>)| {
            assert_eq!((dimension(text), window(text)), expected, "{text}");
        };
        check(
            "metric: generativelanguage.googleapis.com/generate_content_free_tier_input_token_count, limit: 9",
            (Some(Dimension::InputTokens), None),
        );
        check(
            "online_prediction_input_tokens_per_minute_per_base_model",
            (Some(Dimension::InputTokens), Some(Nanos::MINUTE)),
        );
        check("online_prediction_requests_per_base_model", (Some(Dimension::Requests), None));
        check("exceeded for UserByModelByDay", (Some(Dimension::Requests), Some(Nanos::DAY)));
        check("exceeded for UserByMinute", (None, Some(Nanos::MINUTE)));
    }

    #[test]
    fn the_wait_is_read_in_more_wordings() {
        let check = |text: &str, seconds: Option<u64>| assert_eq!(wait(text), seconds.map(Nanos::from_secs), "{text}");
        check("Request was throttled. Expected available in 1 second.", Some(1));
        check("Your limit resets in 2h5m.", Some(7_500));
        check("Please retry in 46s. It resets in 9s", Some(46));
        check("resets in a while", None);
    }

    #[test]
    fn how_much_too_large_a_request_was_is_read() {
        let check = |text: &str, limit, requested| {
            let numbers = numbers(text);
            assert_eq!((numbers.limit, numbers.requested), (limit, requested), "{text}");
        };
        check(
            "too many tokens: size limit exceeded by 25 tokens. The limit for this model is 1,000 tokens.",
            Some(1_000),
            Some(1_025),
        );
        check("The input token count (12) exceeds the maximum number of tokens allowed (8).", Some(8), Some(12));
        check("Rate limit of 50 per 86400s exceeded", Some(50), None);
        check("Request body too large for m model. Max size: 8000 tokens.", Some(8_000), None);
        check("request reached organization max RPM: 3, please try again after 1 seconds", Some(3), None);
        let counts =
            "Your rate limit is: Requests per Minute (actual/limit): 1/60, Tokens per Minute (actual/limit): 90/80.";
        check(counts, Some(80), None);
        assert_eq!((dimension(counts), numbers(counts).used), (Some(Dimension::Tokens), Some(90)));
        let counts = counts.replace("1/60", "61/60").replace("90/80", "9/80");
        assert_eq!((dimension(&counts), numbers(&counts).used), (Some(Dimension::Requests), Some(61)));
        check("none (actual/limit): x/y", None, None);
        check("limit of  per", None, None);
    }
}
