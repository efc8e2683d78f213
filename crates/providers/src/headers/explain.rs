//! What becomes of one header: for reports, and for people who wonder why a limit is not seen.

use http::header::RETRY_AFTER;

use super::{Field, ietf, ignored, parse_amount, parse_limit, pieces};
use crate::dialect::Dialect;
use crate::duration::{Reset, parse_http_date, parse_millis, parse_seconds};

/// What becomes of one header of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderUse {
    /// It is read.
    Read,
    /// It has to do with limits and is left aside, for this reason.
    Ignored(&'static str),
    /// It is known and its value is in no known form.
    Unreadable,
    /// It looks as if it had to do with limits, and nobody knows what it means.
    Unknown,
    /// It has nothing to do with limits.
    Unrelated,
}

/// What becomes of a header of a provider that speaks this dialect. The name is in lower case.
pub(crate) fn explain(dialect: &Dialect, name: &str, value: &str) -> HeaderUse {
    let is_hint = |is_readable: bool| if is_readable { HeaderUse::Read } else { unreadable(value) };
    match name {
        ietf::LIMIT | ietf::POLICY => return is_hint(ietf::is_readable(name, value)),
        "retry-after-ms" => return is_hint(parse_millis(value).is_some()),
        "x-should-retry" => return is_hint(matches!(value.trim_ascii(), "true" | "false")),
        _ if name == RETRY_AFTER.as_str() => {
            return is_hint(parse_seconds(value).is_some() || parse_http_date(value).is_some());
        }
        _ => {}
    }
    if let Some(meaning) = (dialect.meaning_of)(name) {
        let is_readable = match meaning.field {
            Field::Limit => parse_limit(value).is_some(),
            Field::Remaining => pieces(value, parse_amount).is_some(),
            Field::Reset => pieces(value, Reset::parse).is_some(),
            Field::Window => parse_seconds(value).is_some(),
        };
        return is_hint(is_readable);
    }
    match ignored::reason(name) {
        Some(reason) => HeaderUse::Ignored(reason),
        None if ignored::looks_like_a_limit(name) => HeaderUse::Unknown,
        None => HeaderUse::Unrelated,
    }
}

/// Why a value is no number: it may say so itself.
fn unreadable(value: &str) -> HeaderUse {
    let value = value.trim_ascii();
    let is_negative =
        value.strip_prefix('-').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    let words = ["", "none", "null", "n/a", "unlimited", "inf", "infinity", "infinite", "false", "nan"];
    if is_negative {
        HeaderUse::Ignored("a negative number stands for what is not tracked (Azure)")
    } else if words.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        HeaderUse::Ignored("the value says that there is none")
    } else {
        HeaderUse::Unreadable
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_has_one_use() {
        let check = |name: &str, value: &str, expected: HeaderUse| {
            let found = explain(Dialect::common(), name, value);
            match (found, expected) {
                // The reasons are for people.
                (HeaderUse::Ignored(reason), HeaderUse::Ignored(_)) => assert!(!reason.is_empty()),
                _ => assert_eq!(found, expected, "{name}: {value}"),
            }
        };
        let ignored = HeaderUse::Ignored("");
        check("x-ratelimit-limit-tokens", "30000", HeaderUse::Read);
        check("x-ratelimit-limit-tokens", "-1", ignored);
        check("x-ratelimit-limit-tokens", "unlimited", ignored);
        check("x-ratelimit-limit-tokens", "Sanitized", HeaderUse::Unreadable);
        check("x-ratelimit-reset-tokens", "0s, zzz", HeaderUse::Read);
        check("x-ratelimit-key", "deployment", ignored);
        check("x-ratelimit-limit-unicorns", "7", HeaderUse::Unknown);
        check("ratelimit", "\"a\";r=5", HeaderUse::Read);
        check("ratelimit", "five", HeaderUse::Unreadable);
        check("retry-after", "Sun, 02 Nov 2025 17:05:00 GMT", HeaderUse::Read);
        check("retry-after", "soon", HeaderUse::Unreadable);
        check("x-should-retry", "true", HeaderUse::Read);
        check("content-type", "text/html", HeaderUse::Unrelated);
    }
}
