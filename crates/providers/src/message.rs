//! What the words of an error message say: how long to wait, what ran out, and the numbers.
//!
//! Some providers say it nowhere else: OpenAI's Responses API refuses without any limit header.

use std::iter::Peekable;

use limiter_core::{Dimension, Nanos};

use crate::duration::{parse_go_duration, parse_seconds};

/// How long the message asks to wait: `Please try again in 18.642s`, `retry after 9 seconds`, `in 1 minute and 30 seconds`.
pub(crate) fn wait(message: &str) -> Option<Nanos> {
    const PHRASES: [&str; 4] = ["try again in ", "retry after", "retry in ", "please wait "];
    let lower = message.to_ascii_lowercase();
    PHRASES.into_iter().find_map(|phrase| lower.split_once(phrase).and_then(|(_, rest)| span_at_start(rest)))
}

/// The span that a text begins with, in one or more parts, at most to the end of the sentence.
pub(crate) fn span_at_start(text: &str) -> Option<Nanos> {
    let sentence = text.split(". ").next().unwrap_or(text);
    let mut words = sentence.trim_start_matches([':', ' ']).split_ascii_whitespace().peekable();
    while words.next_if(|word| matches!(*word, "about" | "approximately" | "another" | "for" | "~")).is_some() {}
    let mut total = part_of_span(&mut words)?;
    // Days, hours, minutes, seconds: no span has more parts.
    for _ in 0..3 {
        while words.next_if(|word| matches!(*word, "and" | ",")).is_some() {}
        let Some(part) = part_of_span(&mut words) else { break };
        total = total.saturating_add(part);
    }
    Some(total)
}

/// One part of a span: `30s`, `1m26.4s`, `5 minutes`.
fn part_of_span<'a>(words: &mut Peekable<impl Iterator<Item = &'a str>>) -> Option<Nanos> {
    let number = words.next_if(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let number = number.trim_end_matches(['.', ',', ';', ')', '!']);
    if let Some(span) = parse_go_duration(number).filter(|_| number != "0") {
        return Some(span);
    }
    let unit = words.next()?.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
    let factor = match unit.split('(').next().unwrap_or_default() {
        "ms" | "millisecond" | "milliseconds" => {
            return parse_seconds(number).map(|span| Nanos::new(span.get() / 1_000));
        }
        "s" | "sec" | "secs" | "second" | "seconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    parse_seconds(number).map(|span| Nanos::new(span.get().saturating_mul(factor)))
}

/// What the message says is metered. The first phrase that occurs decides: abbreviations first, because the advice that
/// follows them mentions other dimensions.
pub(crate) fn dimension(message: &str) -> Option<Dimension> {
    const PHRASES: [(&str, Dimension); 22] = [
        ("(itpm)", Dimension::InputTokens),
        ("(otpm)", Dimension::OutputTokens),
        ("(tpm)", Dimension::Tokens),
        ("(tpd)", Dimension::Tokens),
        ("(rpm)", Dimension::Requests),
        ("(rpd)", Dimension::Requests),
        ("(ipm)", Dimension::Images),
        ("input tokens per", Dimension::InputTokens),
        ("prompt tokens per", Dimension::InputTokens),
        ("request tokens", Dimension::InputTokens),
        ("output tokens per", Dimension::OutputTokens),
        ("tokens per", Dimension::Tokens),
        ("tokens_usage_based per", Dimension::Tokens),
        ("reached for tokens", Dimension::Tokens),
        ("token rate limit", Dimension::Tokens),
        ("images per", Dimension::Images),
        ("concurren", Dimension::Concurrent),
        ("requests per", Dimension::Requests),
        ("requests rate limit", Dimension::Requests),
        ("call rate limit", Dimension::Requests),
        ("-models-per-", Dimension::Requests),
        ("too many requests", Dimension::Requests),
    ];
    let lower = message.to_ascii_lowercase();
    PHRASES.into_iter().find_map(|(phrase, dimension)| lower.contains(phrase).then_some(dimension))
}

/// The window that the message names: of several the first, because advice about others follows.
pub(crate) fn window(message: &str) -> Option<Nanos> {
    const PHRASES: [(&str, Nanos); 18] = [
        ("(rpd)", Nanos::DAY),
        ("(tpd)", Nanos::DAY),
        ("(rpm)", Nanos::MINUTE),
        ("(tpm)", Nanos::MINUTE),
        ("per day", Nanos::DAY),
        ("per-day", Nanos::DAY),
        ("perday", Nanos::DAY),
        ("per 86400s", Nanos::DAY),
        ("daily", Nanos::DAY),
        ("per hour", Nanos::HOUR),
        ("per-hour", Nanos::HOUR),
        ("per min", Nanos::MINUTE),
        ("per-min", Nanos::MINUTE),
        ("permin", Nanos::MINUTE),
        ("/ min", Nanos::MINUTE),
        ("/1min", Nanos::MINUTE),
        ("per second", Nanos::SECOND),
        ("per-second", Nanos::SECOND),
    ];
    let lower = message.to_ascii_lowercase();
    let found = PHRASES.into_iter().filter_map(|(phrase, window)| Some((lower.find(phrase)?, window)));
    found.min_by_key(|(at, _)| *at).map(|(_, window)| window)
}

/// The numbers of a refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub(crate) limit: Option<u64>,
    pub(crate) used: Option<u64>,
    pub(crate) requested: Option<u64>,
}

/// Reads `Limit 30000, Used 14567, Requested 24754` and its older and foreign forms.
pub(crate) fn numbers(message: &str) -> Numbers {
    let lower = message.to_ascii_lowercase();
    let after = |phrases: &[&str]| phrases.iter().find_map(|phrase| number_after(&lower, phrase));
    let before = |phrases: &[&str]| phrases.iter().find_map(|phrase| number_before(&lower, phrase));
    let compared = lower
        .split_once(" > ")
        .and_then(|(left, right)| Some((sum_at_end(left.trim_end_matches(" tokens"))?, first_number(right)?)));
    // "exceed context limit: 188240 + 21333 > 200000"
    let is_sum = lower.split_once(" > ").is_some_and(|(left, _)| left.contains(" + "));
    if let Some((requested, limit)) = compared.filter(|_| is_sum) {
        return Numbers { limit: Some(limit), used: None, requested: Some(requested) };
    }
    Numbers {
        limit: after(&[
            "limit",
            "can only afford",
            "maximum context length is",
            "maximum prompt length is",
            "limited to",
        ])
        .or_else(|| before(&[" input tokens per", " output tokens per", " tokens per", " requests per"]))
        .or(compared.map(|(_, limit)| limit)),
        used: after(&["used", "current"]),
        requested: after(&[
            "requested up to",
            "requested",
            "you requested about",
            "messages resulted in",
            "request contains",
        ])
        .or(compared.map(|(left, _)| left)),
    }
}

/// The first number that directly follows `phrase` (behind a colon or spaces at most), anywhere in the text.
fn number_after(text: &str, phrase: &str) -> Option<u64> {
    text.match_indices(phrase).find_map(|(start, _)| {
        let rest = text.get(start + phrase.len()..)?;
        let rest = rest.trim_start_matches([' ', ':']);
        rest.starts_with(|c: char| c.is_ascii_digit()).then(|| first_number(rest)).flatten()
    })
}

fn number_before(text: &str, phrase: &str) -> Option<u64> {
    text.match_indices(phrase).find_map(|(start, _)| {
        let before = text.get(..start)?;
        before.ends_with(|c: char| c.is_ascii_digit()).then(|| last_number(before)).flatten()
    })
}

/// The number at the start of the text: digits, with commas between groups; a fraction is cut off.
fn first_number(text: &str) -> Option<u64> {
    let digits = text.split(|c: char| !c.is_ascii_digit() && c != ',').next()?;
    whole(digits)
}

fn last_number(text: &str) -> Option<u64> {
    let digits = text.rsplit(|c: char| !c.is_ascii_digit() && c != ',').next()?;
    whole(digits)
}

/// The number at the end of the text, or the sum of two, `188240 + 21333`.
fn sum_at_end(text: &str) -> Option<u64> {
    let last = last_number(text)?;
    let first =
        text.rsplit_once(" + ").filter(|(_, end)| end.bytes().all(|byte| byte.is_ascii_digit() || byte == b','));
    Some(first.and_then(|(front, _)| last_number(front)).map_or(last, |first| first.saturating_add(last)))
}

fn whole(digits: &str) -> Option<u64> {
    let plain: String = digits.chars().filter(char::is_ascii_digit).collect();
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_read_in_every_wording() {
        let check = |text: &str, millis: Option<u64>| assert_eq!(wait(text), millis.map(Nanos::from_millis), "{text}");
        check("Please try again in 18.642s. Visit ...", Some(18_642));
        check("Please try again in 644ms.", Some(644));
        check("Please try again in 7m12s. Visit", Some(432_000));
        check("please retry after 9 seconds.", Some(9_000));
        check("Please wait 5631 seconds before", Some(5_631_000));
        check("Try again in 2 minutes", Some(120_000));
        check("retry in 0.5 s!", Some(500));
        check("Please try again later.", None);
        check("try again in a moment", None);
        check("try again in ", None);
        check("try again in 5", None);
        check("Please try again in 1 minute and 30 seconds.", Some(90_000));
        check("Please try again in 1h 2m 3s.", Some(3_723_000));
        check("try again in 2 minutes. 10 seconds is the least", Some(120_000));
        check("Rate limited. Retry after: 30 seconds", Some(30_000));
        check("Retry-after is set. Please wait for 30 second(s) before", Some(30_000));
        check("Please try again in about 5 minutes.", Some(300_000));
        assert_eq!(wait("try again in 99999999999999999999999 days"), Some(Nanos::MAX));
    }

    #[test]
    fn what_ran_out_is_read() {
        let check = |text: &str, expected: (Option<Dimension>, Option<Nanos>)| {
            assert_eq!((dimension(text), window(text)), expected, "{text}");
        };
        let minute = Some(Nanos::MINUTE);
        check(
            "on tokens per min (TPM): Limit 3. The input or output tokens must be",
            (Some(Dimension::Tokens), minute),
        );
        check("on requests per day (RPD): Limit 2", (Some(Dimension::Requests), Some(Nanos::DAY)));
        check("the rate limit of 40,000 input tokens per minute", (Some(Dimension::InputTokens), minute));
        check("limit of 8,000 output tokens per minute", (Some(Dimension::OutputTokens), minute));
        check("Rate limit exceeded for images per minute", (Some(Dimension::Images), minute));
        check("Number of concurrent connections has exceeded", (Some(Dimension::Concurrent), None));
        check("Rate limit exceeded: free-models-per-min. ", (Some(Dimension::Requests), minute));
        check("free-models-per-day-high-balance", (Some(Dimension::Requests), Some(Nanos::DAY)));
        check("Rate limit reached for tokens. Limit: 1.0 / min.", (Some(Dimension::Tokens), minute));
        check(
            "free-models-per-min. Add 10 credits to unlock 1000 requests per day",
            (Some(Dimension::Requests), minute),
        );
        check("on requests (RPM): Limit 3. For your daily usage see", (Some(Dimension::Requests), minute));
        check("something else", (None, None));
    }

    #[test]
    fn the_numbers_are_read() {
        let check = |text: &str, limit, used, requested| {
            assert_eq!(numbers(text), Numbers { limit, used, requested }, "{text}");
        };
        check(
            "Rate limit reached: Limit 30000, Used 14567, Requested 24754.",
            Some(30_000),
            Some(14_567),
            Some(24_754),
        );
        check("Limit: 150000.000000 / min. Current: 176000.000000 / min", Some(150_000), Some(176_000), None);
        check("Limit: 5/1min. Current: 6/1min.", Some(5), Some(6), None);
        check("Limit: 2,000,000 enqueued tokens", Some(2_000_000), None, None);
        check("rate limit of 40,000 input tokens per minute", Some(40_000), None, None);
        check("You requested up to 65536 tokens, but can only afford 304.", Some(304), None, Some(65_536));
        check("Prompt tokens limit exceeded: 230799 > 91442.", Some(91_442), None, Some(230_799));
        check("prompt is too long: 205000 tokens > 200000 maximum", Some(200_000), None, Some(205_000));
        check(
            "`max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input",
            Some(200_000),
            None,
            Some(209_573),
        );
        check(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
            Some(8_192),
            None,
            Some(9_000),
        );
        check(
            "This model's maximum prompt length is 131072 but the request contains 139000 tokens.",
            Some(131_072),
            None,
            Some(139_000),
        );
        check("limited to 1 requests per minute", Some(1), None, None);
        check("Limit 99999999999999999999999", None, None, None);
        check("no numbers", None, None, None);
    }
}
