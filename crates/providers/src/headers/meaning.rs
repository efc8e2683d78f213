//! What the name of a limit header states: a part of a limit, of something that is metered.

use limiter_core::{Dimension, Nanos};

/// What one header of a family states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Limit,
    Remaining,
    Reset,
    /// The span that the limit is stated for, in seconds.
    Window,
}

impl Field {
    /// The field named by the word that all families use.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "limit" => Self::Limit,
            "remaining" => Self::Remaining,
            "reset" => Self::Reset,
            "renewalperiod" => Self::Window,
            _ => return None,
        })
    }
}

/// What a header's name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) field: Field,
    /// Tells families of one dimension apart: headers with the same family and window state one limit.
    pub(crate) family: u8,
    pub(crate) dimension: Dimension,
    pub(crate) window: Option<Nanos>,
}

/// A month, as providers mean it that state limits for one.
pub(crate) const MONTH: Nanos = Nanos::from_secs(30 * 86_400);
const WEEK: Nanos = Nanos::from_secs(7 * 86_400);

/// What the name of a header means by the habits that most providers share:
/// `[x-]ratelimit-{limit,remaining,reset}[-{what}][-{window}]`, and the same with the field at the end.
pub(crate) fn common(name: &str) -> Option<Meaning> {
    let Some(rest) = strip_prefix(name) else { return anthropic(name) };
    let (field, family) = match rest.split_once('-') {
        None => (Field::parse(rest)?, ""),
        Some((first, family)) => match Field::parse(first) {
            Some(field) => (field, family),
            None => {
                let (family, last) = rest.rsplit_once('-')?;
                (Field::parse(last)?, family)
            }
        },
    };
    let (what, window) = split_window(family);
    // A provider's adaptive limit is stated beside the fixed one; the lower of two counts.
    let (what, is_dynamic) = what.strip_suffix("-dynamic").map_or((what, what == "dynamic"), |what| (what, true));
    let (dimension, variant) = match what {
        "" | "dynamic" => (Dimension::Requests, 1),
        "requests" | "request" | "req" => (Dimension::Requests, 0),
        "tokens" | "token" => (Dimension::Tokens, 0),
        "project-tokens" => (Dimension::Tokens, 1),
        "input-tokens" | "prompt-tokens" | "tokens-prompt" => (Dimension::InputTokens, 0),
        "tokens-cache-adjusted-prompt" => (Dimension::InputTokens, 1),
        "output-tokens" | "completion-tokens" | "tokens-generated" => (Dimension::OutputTokens, 0),
        "images" => (Dimension::Images, 0),
        "input-images" => (Dimension::Images, 1),
        "concurrent" | "concurrent-requests" => (Dimension::Concurrent, 0),
        _ => return None,
    };
    Some(Meaning { field, family: number(dimension, variant, is_dynamic), dimension, window })
}

/// `anthropic-ratelimit-{family}-{limit,remaining,reset}`, all of a minute. Others that offer Anthropic's models pass them
/// on.
pub(crate) fn anthropic(name: &str) -> Option<Meaning> {
    const FAMILIES: [(&str, u8, Dimension); 4] = [
        ("requests-", 192, Dimension::Requests),
        ("tokens-", 193, Dimension::Tokens),
        ("input-tokens-", 194, Dimension::InputTokens),
        ("output-tokens-", 195, Dimension::OutputTokens),
    ];
    let rest = name.strip_prefix("anthropic-ratelimit-")?;
    let (field, family, dimension) = FAMILIES
        .into_iter()
        .find_map(|(prefix, family, dimension)| Some((rest.strip_prefix(prefix)?, family, dimension)))?;
    Some(Meaning { field: Field::parse(field)?, family, dimension, window: Some(Nanos::MINUTE) })
}

/// `x-ratelimit-`, `ratelimit-` and the spellings with one more hyphen.
fn strip_prefix(name: &str) -> Option<&str> {
    let name = name.strip_prefix("x-").unwrap_or(name);
    name.strip_prefix("ratelimit-").or_else(|| name.strip_prefix("rate-limit-"))
}

/// One number for each family that can be told apart, beside its window: six dimensions, two variants, fixed or adaptive.
fn number(dimension: Dimension, variant: u8, is_dynamic: bool) -> u8 {
    let dimension = u8::try_from(dimension.index()).unwrap_or(u8::MAX);
    dimension.saturating_mul(4).saturating_add(variant * 2 + u8::from(is_dynamic))
}

/// Splits the window off the end: `tokens-minute`, `requests-day`, `req-10-second`, or the window alone.
fn split_window(family: &str) -> (&str, Option<Nanos>) {
    const UNITS: [(&str, Nanos); 9] = [
        ("second", Nanos::SECOND),
        ("minute", Nanos::MINUTE),
        ("1m", Nanos::MINUTE),
        ("hour", Nanos::HOUR),
        ("1h", Nanos::HOUR),
        ("day", Nanos::DAY),
        ("1d", Nanos::DAY),
        ("week", WEEK),
        ("month", MONTH),
    ];
    for (name, unit) in UNITS {
        let Some(what) = family.strip_suffix(name).filter(|what| what.is_empty() || what.ends_with('-')) else {
            continue;
        };
        let what = what.trim_end_matches('-');
        let what = what.strip_suffix("-per").unwrap_or(what);
        let (front, count) = what.rsplit_once('-').unwrap_or(("", what));
        return match count.parse::<u8>() {
            Ok(count) if count > 0 => (front, Some(Nanos::new(unit.get().saturating_mul(count.into())))),
            _ => (what, Some(unit)),
        };
    }
    (family, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(Field, Dimension, Option<Nanos>)>) {
        let found = common(name).map(|meaning| (meaning.field, meaning.dimension, meaning.window));
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn the_field_may_stand_first_or_last() {
        check("x-ratelimit-remaining-tokens", Some((Field::Remaining, Dimension::Tokens, None)));
        check("x-ratelimit-tokens-remaining", Some((Field::Remaining, Dimension::Tokens, None)));
        check("x-rate-limit-limit", Some((Field::Limit, Dimension::Requests, None)));
        check("ratelimit-reset", Some((Field::Reset, Dimension::Requests, None)));
    }

    #[test]
    fn the_window_may_stand_at_the_end() {
        check("x-ratelimit-limit-requests-day", Some((Field::Limit, Dimension::Requests, Some(Nanos::DAY))));
        check("x-ratelimit-limit-req-10-second", Some((Field::Limit, Dimension::Requests, Some(Nanos::from_secs(10)))));
        check(
            "x-ratelimit-limit-tokens-5-minute",
            Some((Field::Limit, Dimension::Tokens, Some(Nanos::from_secs(300)))),
        );
        check("x-ratelimit-limit-minute", Some((Field::Limit, Dimension::Requests, Some(Nanos::MINUTE))));
        check("x-ratelimit-limit-tokens-per-minute", Some((Field::Limit, Dimension::Tokens, Some(Nanos::MINUTE))));
    }

    #[test]
    fn names_that_state_no_limit_mean_nothing() {
        for name in ["x-ratelimit-over-limit", "x-ratelimit-key", "x-ratelimit", "x-ratelimit-", "content-length", ""] {
            check(name, None);
        }
    }

    #[test]
    fn families_are_told_apart() {
        let mut families: Vec<_> = [
            "x-ratelimit-limit",
            "x-ratelimit-limit-dynamic",
            "x-ratelimit-limit-requests",
            "x-ratelimit-limit-requests-day",
            "x-ratelimit-limit-tokens",
            "x-ratelimit-limit-tokens-dynamic",
            "x-ratelimit-limit-tokens-minute",
            "x-ratelimit-limit-tokens-month",
            "x-ratelimit-limit-project-tokens",
            "x-ratelimit-limit-images",
            "x-ratelimit-limit-input-images",
        ]
        .map(|name| common(name).map(|it| (it.family, it.window)).unwrap())
        .to_vec();
        let count = families.len();
        families.sort_unstable();
        families.dedup();
        assert_eq!(families.len(), count);
    }
}
