//! How long an answer takes.

use std::time::Duration;

use crate::Config;
use crate::random::Random;

/// Keeps the draws for latencies apart from other draws with the same seed.
const SALT: u64 = 0x1a7e;
/// The shape of the Pareto distribution: finite mean, infinite variance.
const SHAPE: f64 = 1.5;
/// The most that a latency is multiplied by.
const MOST: f64 = 30.0;

/// The latencies of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Latency {
    /// Until the answer, or the first event of its stream.
    pub(crate) to_answer: Duration,
    /// For each output token on top.
    pub(crate) per_output_token: Duration,
}

impl Latency {
    /// The latencies of the request that arrived as number `number` at a provider as `config` says.
    pub(crate) fn draw(config: &Config, number: u64) -> Self {
        let thousandths = if config.latency_tail { tail(config.seed, number) } else { 1_000 };
        let stretched = |latency: Duration| {
            let nanoseconds = latency.as_nanos().saturating_mul(thousandths) / 1_000;
            Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
        };
        Self { to_answer: stretched(config.latency), per_output_token: stretched(config.latency_per_output_token) }
    }
}

/// By how many thousandths request `number` is stretched.
fn tail(seed: u64, number: u64) -> u128 {
    let drawn = 1.0 - Random::keyed(&[seed, SALT, number]).fraction();
    (drawn.powf(-1.0 / SHAPE).min(MOST) * 1e3) as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_tail_every_request_takes_what_is_configured() {
        let config =
            Config::default().with_latency(Duration::from_nanos(7)).with_latency_per_output_token(Duration::MAX);
        let latency = Latency::draw(&config, 1);
        assert_eq!(latency.to_answer, Duration::from_nanos(7));
        assert_eq!(latency.per_output_token, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn a_tail_stretches_as_a_pareto_distribution_of_shape_one_and_a_half() {
        let draws: Vec<u128> = (0..10_000).map(|number| tail(1, number)).collect();
        let above = |factor: u128| draws.iter().filter(|&&drawn| drawn > factor * 1_000).count();
        assert!(draws.iter().all(|drawn| (1_000..=30_000).contains(drawn)));
        // 1 / 2^1.5, 1 / 4^1.5 and 1 / 9^1.5 of all.
        assert!((3_350..3_720).contains(&above(2)), "{}", above(2));
        assert!((1_150..1_350).contains(&above(4)), "{}", above(4));
        assert!((310..430).contains(&above(9)), "{}", above(9));
        assert!(draws.contains(&30_000));
    }

    #[test]
    fn the_seed_and_the_number_decide_who_is_slow() {
        let draw = |seed, number| Latency::draw(&Config::default().with_latency_tail(true).with_seed(seed), number);
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }
}
