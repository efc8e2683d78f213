//! What a configuration must satisfy, and what it is told when it does not.

use std::time::Duration;

use thiserror::Error;

use super::Config;
use crate::{Disturbance, HiddenLimit};

/// The longest bucket depth: 31 days.
const MAX_DEPTH: Duration = Duration::from_secs(31 * 86_400);
/// The most that a prompt's count is multiplied by.
const MAX_PROMPT_FACTOR: f64 = 10.0;
/// The longest answer, in tokens: what the largest models produce at most.
const MAX_OUTPUT: u64 = 128_000;

impl Config {
    /// Whether a provider can be run with these numbers.
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        let limits = [
            ("requests_per_minute", Some(self.requests_per_minute)),
            ("tokens_per_minute", Some(self.tokens_per_minute)),
            ("input_tokens_per_minute", self.input_tokens_per_minute),
            ("output_tokens_per_minute", self.output_tokens_per_minute),
            ("requests_per_day", self.requests_per_day),
        ];
        self.hidden_limits.iter().try_for_each(HiddenLimit::validate)?;
        if let Some(&(limit, _)) = limits.iter().find(|(_, amount)| *amount == Some(0)) {
            return Err(ConfigError::ZeroLimit { limit });
        }
        let rates = self.faults.rates();
        for (name, value) in
            rates.into_iter().chain([("start_fill", self.start_fill), ("cached_share", self.cached_share)])
        {
            share(name, value)?;
        }
        let sum = rates.iter().map(|(_, rate)| rate).sum::<f64>();
        // Ten times 0.1 is a little more than 1 in binary; that is not what this error is for.
        if sum > 1.0 + 1e-9 {
            return Err(ConfigError::TooManyFaults { sum });
        }
        if self.bucket_depth.is_zero() || self.bucket_depth > MAX_DEPTH {
            return Err(ConfigError::BucketDepth { depth: self.bucket_depth });
        }
        let (least, most) = self.output_tokens;
        if least == 0 || least > most || most > MAX_OUTPUT {
            return Err(ConfigError::OutputTokens { least, most });
        }
        if !(self.prompt_factor > 0.0 && self.prompt_factor <= MAX_PROMPT_FACTOR) {
            return Err(ConfigError::PromptFactor { value: self.prompt_factor });
        }
        self.disturbances.iter().try_for_each(Disturbance::validate)
    }
}

impl Disturbance {
    fn validate(&self) -> Result<(), ConfigError> {
        let (name, from, until) = match *self {
            Self::OtherClient { from, until, share: taken } => {
                share("other_client_share", taken)?;
                ("other_client", from, until)
            }
            Self::ChargeChange { .. } => return Ok(()),
            Self::LimitFactor { factor, .. } if factor > 0.0 && factor.is_finite() => return Ok(()),
            Self::LimitFactor { factor, .. } => return Err(ConfigError::LimitFactor { value: factor }),
            Self::Failing { from, until } => ("failing", from, until),
            Self::Stopped { from, until } => ("stopped", from, until),
        };
        if from > until { Err(ConfigError::EndsBeforeItBegins { name, from, until }) } else { Ok(()) }
    }
}

impl HiddenLimit {
    const fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::InFlight { most: 0 } => Err(ConfigError::ZeroLimit { limit: "max_in_flight" }),
            Self::Requests { per_minute: 0 } => Err(ConfigError::ZeroLimit { limit: "hidden_requests_per_minute" }),
            Self::AtRandom { one_in: 0 | 1 } => Err(ConfigError::RefusesAll),
            Self::InFlight { .. } | Self::EachSecond | Self::Requests { .. } | Self::AtRandom { .. } => Ok(()),
        }
    }
}

fn share(name: &'static str, value: f64) -> Result<(), ConfigError> {
    if (0.0..=1.0).contains(&value) { Ok(()) } else { Err(ConfigError::NotAShare { name, value }) }
}

/// Why a [`Config`] describes no provider.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A limit of zero would never admit anything.
    #[error("{limit} must be at least 1")]
    ZeroLimit {
        /// The name of the setting.
        limit: &'static str,
    },
    /// A rate or fill is not between 0 and 1.
    #[error("{name} must be between 0 and 1, not {value}")]
    NotAShare {
        /// The name of the setting.
        name: &'static str,
        /// What it was set to.
        value: f64,
    },
    /// The fault rates add up to more than every request.
    #[error("the fault rates must add up to at most 1, not {sum}")]
    TooManyFaults {
        /// What they add up to.
        sum: f64,
    },
    /// The bucket depth is zero or longer than 31 days.
    #[error("the bucket depth must be more than zero and at most 31 days, not {depth:?}")]
    BucketDepth {
        /// What it was set to.
        depth: Duration,
    },
    /// The range of output lengths is empty, starts at zero or goes beyond 128,000.
    #[error("output tokens must range from at least 1 to at most 128000, not from {least} to {most}")]
    OutputTokens {
        /// The least output tokens.
        least: u64,
        /// The most output tokens.
        most: u64,
    },
    /// The prompt factor is not between 0 and 10, or is 0.
    #[error("prompt_factor must be more than 0 and at most 10, not {value}")]
    PromptFactor {
        /// What it was set to.
        value: f64,
    },
    /// A limit is to become nothing, or more than any number.
    #[error("limit_factor must be a number more than 0, not {value}")]
    LimitFactor {
        /// What it was set to.
        value: f64,
    },
    /// Every request would be refused at random.
    #[error("one request in at least 2 can be refused at random")]
    RefusesAll,
    /// A disturbance is to end before it begins.
    #[error("{name} must not end before it begins: from {from:?} until {until:?}")]
    EndsBeforeItBegins {
        /// The name of the disturbance.
        name: &'static str,
        /// When it is to begin.
        from: Duration,
        /// When it is to end.
        until: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Faults;

    #[test]
    fn the_default_is_valid_and_splits_its_tokens_four_to_one() {
        assert_eq!(Config::default().validate(), Ok(()));
        assert_eq!(Config::default().split_limits(), (800_000, 200_000));
        assert_eq!(Config::default().with_tokens_per_minute(1).split_limits(), (1, 1));
    }

    #[test]
    fn what_cannot_be_run_is_refused_by_name() {
        #[track_caller]
        fn check(config: Config, expected: &str) {
            assert_eq!(config.validate().unwrap_err().to_string(), expected);
        }
        let faults = |faults| Config::default().with_faults(faults);
        check(Config::default().with_requests_per_minute(0), "requests_per_minute must be at least 1");
        check(Config::default().with_tokens_per_minute(0), "tokens_per_minute must be at least 1");
        check(Config::default().with_output_tokens_per_minute(0), "output_tokens_per_minute must be at least 1");
        check(Config::default().with_requests_per_day(0), "requests_per_day must be at least 1");
        let hidden = |limit| Config::default().with_hidden_limits(vec![limit]);
        check(hidden(HiddenLimit::InFlight { most: 0 }), "max_in_flight must be at least 1");
        check(hidden(HiddenLimit::Requests { per_minute: 0 }), "hidden_requests_per_minute must be at least 1");
        check(hidden(HiddenLimit::AtRandom { one_in: 1 }), "one request in at least 2 can be refused at random");
        check(Config::default().with_start_fill(1.5), "start_fill must be between 0 and 1, not 1.5");
        check(faults(Faults { reset_rate: -0.1, ..Faults::default() }), "reset_rate must be between 0 and 1, not -0.1");
        check(
            faults(Faults { hang_rate: f64::NAN, ..Faults::default() }),
            "hang_rate must be between 0 and 1, not NaN",
        );
        check(
            faults(Faults { hang_rate: 0.75, garbage_rate: 0.75, ..Faults::default() }),
            "the fault rates must add up to at most 1, not 1.5",
        );
        check(
            Config::default().with_bucket_depth(Duration::ZERO),
            "the bucket depth must be more than zero and at most 31 days, not 0ns",
        );
        check(
            Config::default().with_output_tokens(9, 3),
            "output tokens must range from at least 1 to at most 128000, not from 9 to 3",
        );
        check(Config::default().with_cached_share(1.1), "cached_share must be between 0 and 1, not 1.1");
        let factor = "prompt_factor must be more than 0 and at most 10, not ";
        for value in [0.0, 10.5, f64::NAN] {
            check(Config::default().with_prompt_factor(value), &format!("{factor}{value}"));
        }
    }

    #[test]
    fn disturbances_that_cannot_be_are_refused_by_name() {
        #[track_caller]
        fn check(disturbance: Disturbance, expected: Option<&str>) {
            let config = Config::default().with_disturbances(vec![disturbance]);
            assert_eq!(config.validate().err().map(|error| error.to_string()).as_deref(), expected);
        }
        let (one, two) = (Duration::from_secs(1), Duration::from_secs(2));
        let other_client = |from, until, share| Disturbance::OtherClient { from, until, share };
        let factor = |factor| Disturbance::LimitFactor { at: one, factor };
        check(other_client(one, one, 1.0), None);
        check(other_client(one, two, -0.5), Some("other_client_share must be between 0 and 1, not -0.5"));
        check(other_client(two, one, 0.5), Some("other_client must not end before it begins: from 2s until 1s"));
        check(factor(0.5), None);
        check(factor(0.0), Some("limit_factor must be a number more than 0, not 0"));
        check(factor(f64::INFINITY), Some("limit_factor must be a number more than 0, not inf"));
        check(
            Disturbance::Failing { from: two, until: one },
            Some("failing must not end before it begins: from 2s until 1s"),
        );
        check(
            Disturbance::Stopped { from: two, until: one },
            Some("stopped must not end before it begins: from 2s until 1s"),
        );
    }

    #[test]
    fn a_key_is_not_shown() {
        let shown = format!("{:?}", Config::default().with_api_key("secret-value"));
        assert!(!shown.contains("secret-value"), "{shown}");
    }
}
