//! SambaNova.
//!
//! Sources: <https://docs.sambanova.ai/docs/en/models/rate-limits> (requests a minute and a day, by tier; headers with
//! resets such as `4h17m`), recorded answers (402 without a payment method).

use limiter_core::{Dimension, Nanos};

use crate::headers::{Meaning, common};
use crate::{Dialect, Provider};

/// SambaNova.
#[derive(Clone, Copy, Debug, Default)]
pub struct SambaNova;

static DIALECT: Dialect = Dialect { meaning_of, ..Dialect::COMMON };

impl Provider for SambaNova {
    fn name(&self) -> &str {
        "sambanova"
    }

    fn base_url(&self) -> &str {
        "https://api.sambanova.ai/v1"
    }

    fn key_variable(&self) -> Option<&str> {
        Some("SAMBANOVA_API_KEY")
    }

    fn dialect(&self) -> &Dialect {
        &DIALECT
    }

    fn owns_host(&self, host: &str) -> bool {
        host == "api.sambanova.ai"
    }
}

fn meaning_of(name: &str) -> Option<Meaning> {
    let meaning = common(name)?;
    let is_minute = meaning.window.is_none() && meaning.dimension == Dimension::Requests;
    Some(Meaning { window: if is_minute { Some(Nanos::MINUTE) } else { meaning.window }, ..meaning })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::test_support::{classify, observe, reading};

    #[test]
    fn the_minute_and_the_day_are_read() {
        let lines = [
            ("x-ratelimit-limit-requests", "30"),
            ("x-ratelimit-remaining-requests", "29"),
            ("x-ratelimit-reset-requests", "42"),
            ("x-ratelimit-limit-requests-day", "4800"),
            ("x-ratelimit-remaining-requests-day", "4799"),
            ("x-ratelimit-reset-requests-day", "4h17m"),
        ];
        let expected = [
            reading(Dimension::Requests, Some(Nanos::MINUTE), 30, 29, 42_000),
            reading(Dimension::Requests, Some(Nanos::DAY), 4_800, 4_799, 15_420_000),
        ];
        assert_eq!(observe(&SambaNova, 200, &lines).readings(), expected);
    }

    #[test]
    fn without_a_payment_method_nothing_is_waited_for() {
        let body = r#"{"code":"PAYMENT_METHOD_REQUIRED","message":"A payment method is required."}"#;
        let failure = classify(&SambaNova, 402, &[], body);
        assert_eq!((failure.kind, failure.is_retryable()), (ErrorKind::QuotaExhausted, false));
    }
}
