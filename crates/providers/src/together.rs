//! Together.
//!
//! Sources: <https://docs.together.ai/docs/rate-limits> (limits follow what succeeded lately), recorded answers. Its
//! requests are stated for a second and may be saved up for two: in all recorded ones `remaining` begins at the limit
//! times the reset of two seconds. `retry-after` stands on successes, too, and means nothing there.

use limiter_core::{Dimension, Nanos};

use crate::headers::{Field, Meaning, common};
use crate::{Dialect, Provider};

/// Together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Together;

static DIALECT: Dialect = Dialect { meaning_of, ..Dialect::COMMON };

impl Provider for Together {
    fn name(&self) -> &str {
        "together"
    }

    fn base_url(&self) -> &str {
        "https://api.together.xyz/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("TOGETHER_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        matches!(host, "api.together.xyz" | "api.together.ai")
    }
}

fn meaning_of(name: &str) -> Option<Meaning> {
    let (rest, dimension, number) = match (name.strip_prefix("x-tokenlimit-"), name.strip_prefix("x-ratelimit-")) {
        (Some(rest), _) => (rest, Dimension::Tokens, 200),
        (None, Some(rest)) => (rest, Dimension::Requests, 202),
        (None, None) => return common(name),
    };
    let dynamic = rest.strip_suffix("-dynamic").or_else(|| rest.strip_prefix("dynamic-"));
    let (field, is_dynamic) = dynamic.map_or((rest, false), |field| (field, true));
    match Field::parse(field) {
        Some(field) => {
            Some(Meaning { field, family: number + u8::from(is_dynamic), dimension, window: Some(Nanos::SECOND) })
        }
        None => common(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::test_support::{classify, observe, reading};

    #[test]
    fn requests_are_a_seconds_and_more_may_be_left_than_the_limit() {
        let lines = [
            ("x-ratelimit", "false"),
            ("x-ratelimit-limit", "30"),
            ("x-ratelimit-remaining", "59"),
            ("x-ratelimit-reset", "2"),
            ("retry-after", "2"),
        ];
        let observation = observe(&Together, 200, &lines);
        assert_eq!(observation.readings(), [reading(Dimension::Requests, Some(Nanos::SECOND), 30, 30, 2_000)]);
        assert_eq!(observation.retry_after, None);
    }

    #[test]
    fn of_the_fixed_and_the_adaptive_limit_the_lower_counts() {
        let lines = [
            ("x-tokenlimit-limit", "3000"),
            ("x-tokenlimit-remaining", "2900"),
            ("x-tokenlimit-limit-dynamic", "1500"),
            ("x-tokenlimit-remaining-dynamic", "1400"),
        ];
        let [tokens] = observe(&Together, 200, &lines).readings().to_vec()[..] else { panic!() };
        assert_eq!((tokens.dimension, tokens.limit, tokens.remaining), (Dimension::Tokens, Some(1_500), Some(1_400)));
    }

    #[test]
    fn refusals_are_told_apart() {
        let kind = |name: &str| {
            let body = format!(r#"{{"error":{{"message":"m","type":"{name}","param":null,"code":null}}}}"#);
            classify(&Together, 429, &[("x-ratelimit-reset", "1")], &body).kind
        };
        assert_eq!(kind("rate_limit"), ErrorKind::RateLimited);
        assert_eq!(kind("dynamic_request_limited"), ErrorKind::RateLimited);
        assert_eq!(kind("credit_limit"), ErrorKind::QuotaExhausted);
    }
}
