//! What goes wrong on purpose, and how often.

use crate::random::Random;

/// The shares of admitted requests that go wrong, each from 0 to 1; together at most 1.
///
/// Which requests are hit follows from the seed and the order of arrival alone, so a run can be repeated. A fault
/// strikes after the limits were asked: a request that failed has been charged, as OpenAI documents it
/// ("Unsuccessful requests contribute to your per-minute limit", <https://developers.openai.com/api/docs/guides/rate-limits>).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Answered with a 500.
    pub server_error_rate: f64,
    /// Answered with the provider's "overloaded": 503, at Anthropic 529.
    pub overloaded_rate: f64,
    /// The connection is dropped without an answer.
    pub reset_rate: f64,
    /// Answered with a 200 whose body is not JSON.
    pub garbage_rate: f64,
    /// Accepted and never answered.
    pub hang_rate: f64,
    /// A stream that breaks off in the middle. Strikes streamed answers only.
    pub stream_break_rate: f64,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    ServerError,
    Overloaded,
    Reset,
    Garbage,
    Hang,
    StreamBreak,
}

/// Keeps the draws for faults apart from other draws with the same seed.
const SALT: u64 = 0xfa17;

impl Faults {
    /// Each rate with its name.
    pub(crate) const fn rates(&self) -> [(&'static str, f64); 6] {
        [
            ("server_error_rate", self.server_error_rate),
            ("overloaded_rate", self.overloaded_rate),
            ("reset_rate", self.reset_rate),
            ("garbage_rate", self.garbage_rate),
            ("hang_rate", self.hang_rate),
            ("stream_break_rate", self.stream_break_rate),
        ]
    }

    /// The fault of the request that arrived as number `number`.
    pub(crate) fn draw(&self, seed: u64, number: u64) -> Option<Fault> {
        const KINDS: [Fault; 6] =
            [Fault::ServerError, Fault::Overloaded, Fault::Reset, Fault::Garbage, Fault::Hang, Fault::StreamBreak];
        let mut drawn = Random::keyed(&[seed, SALT, number]).fraction();
        for (kind, (_, rate)) in KINDS.into_iter().zip(self.rates()) {
            if drawn < rate {
                return Some(kind);
            }
            drawn -= rate;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rates_nothing_goes_wrong() {
        assert!((0..1_000).all(|number| Faults::default().draw(1, number).is_none()));
    }

    #[test]
    fn each_kind_strikes_about_as_often_as_its_rate_says() {
        let faults = Faults { reset_rate: 0.1, garbage_rate: 0.2, ..Faults::default() };
        let count = |kind| (0..10_000).filter(|&number| faults.draw(3, number) == Some(kind)).count();
        assert!((900..1_100).contains(&count(Fault::Reset)));
        assert!((1_850..2_150).contains(&count(Fault::Garbage)));
        assert_eq!(count(Fault::Hang), 0);
    }

    #[test]
    fn the_seed_decides_who_is_hit() {
        let faults = Faults { reset_rate: 0.5, ..Faults::default() };
        let run = |seed| (0..100).map(|number| faults.draw(seed, number)).collect::<Vec<_>>();
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
