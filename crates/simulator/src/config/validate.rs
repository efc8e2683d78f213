//! What a configuration must satisfy, and what it is told when it does not.

use std::time::Duration;

use thiserror::Error;

use super::Config;

/// The longest bucket depth: 31 days.
const MAX_DEPTH: Duration = Duration::from_secs(31 * 86_400);
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
        ];
        if let Some(&(limit, _)) = limits.iter().find(|(_, amount)| *amount == Some(0)) {
            return Err(ConfigError::ZeroLimit { limit });
        }
        let rates = self.faults.rates();
        for (name, value) in rates.into_iter().chain([("start_fill", self.start_fill)]) {
            if !(0.0..=1.0).contains(&value) {
                return Err(ConfigError::NotAShare { name, value });
            }
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
        Ok(())
    }
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
    }

    #[test]
    fn a_key_is_not_shown() {
        let shown = format!("{:?}", Config::default().with_api_key("secret-value"));
        assert!(!shown.contains("secret-value"), "{shown}");
    }
}
