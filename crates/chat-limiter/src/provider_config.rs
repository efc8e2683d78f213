//! A client's settings as data: from a file, say.

use std::sync::Arc;
use std::time::Duration;

use limiter_core::{Dimension, Limit, Nanos};
use providers::{Provider, Registry};
use serde::{Deserialize, Serialize};

use crate::{Builder, Error, RetryPolicy};

/// The settings of a client of one provider, as the chat-limiter document has them. What is left out has the client's own
/// default.
///
/// ```
/// use chat_limiter::ProviderConfig;
///
/// let config: ProviderConfig = serde_json::from_str(
///     r#"{"provider": "openai", "default_request_limit": 100, "default_token_limit": 50000, "request_buffer_ratio": 0.8}"#,
/// )?;
/// let limiter = config.builder()?.api_key("sk-...").build()?;
/// assert_eq!(limiter.provider().base_url(), "https://api.openai.com/v1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderConfig {
    /// The provider's name. Without it, the base address tells.
    pub provider: Option<String>,
    /// Where its interface is, in place of its own address.
    pub base_url: Option<String>,
    /// Requests per minute until the provider says how many, or for good: see
    /// [`supports_dynamic_limits`](Self::supports_dynamic_limits).
    pub default_request_limit: Option<u64>,
    /// The same for tokens per minute.
    pub default_token_limit: Option<u64>,
    /// Whether limits that the provider states replace the default ones, in both directions. Where not, those are ceilings.
    pub supports_dynamic_limits: bool,
    /// How often a request is sent again at most.
    pub max_retries: Option<u32>,
    /// The first delay before a retry, in seconds; it doubles with each one, and what is waited is drawn from zero up to it.
    pub base_backoff: Option<f64>,
    /// The longest such delay, in seconds.
    pub max_backoff: Option<f64>,
    /// How much of the limits on requests is used, 0.1 to 1.
    pub request_buffer_ratio: f64,
    /// The same of the limits on tokens.
    pub token_buffer_ratio: f64,
}

impl Default for ProviderConfig {
    fn default() -> Self {
        Self {
            provider: None,
            base_url: None,
            default_request_limit: None,
            default_token_limit: None,
            supports_dynamic_limits: true,
            max_retries: None,
            base_backoff: None,
            max_backoff: None,
            request_buffer_ratio: 1.0,
            token_buffer_ratio: 1.0,
        }
    }
}

impl ProviderConfig {
    /// The settings of a client.
    ///
    /// # Errors
    ///
    /// An [`Error`] with [`is_configuration`](Error::is_configuration) that names what is missing or makes no sense. A
    /// provider that cannot be told lists those that are known.
    pub fn builder(&self) -> Result<Builder, Error> {
        let mut builder = Builder::for_provider(self.find_provider()?);
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        for (name, dimension, amount) in [
            ("default_request_limit", Dimension::Requests, self.default_request_limit),
            ("default_token_limit", Dimension::Tokens, self.default_token_limit),
        ] {
            let Some(amount) = amount else { continue };
            if amount == 0 {
                return Err(Error::configuration(format!("{name} must be at least 1")));
            }
            let limit = Limit::per_minute(dimension, amount);
            builder = if self.supports_dynamic_limits { builder.expected_limit(limit) } else { builder.limit(limit) };
        }
        let requests = ratio("request_buffer_ratio", self.request_buffer_ratio)?;
        let tokens = ratio("token_buffer_ratio", self.token_buffer_ratio)?;
        let builder = builder.request_buffer_ratio(requests).token_buffer_ratio(tokens);
        Ok(builder.retry(self.retry_policy()?))
    }

    /// The provider that is named, or that the address leads to.
    fn find_provider(&self) -> Result<Arc<dyn Provider>, Error> {
        let registry = Registry::standard();
        let known = || registry.names().collect::<Vec<_>>().join(", ");
        match (&self.provider, &self.base_url) {
            (Some(name), _) => registry.by_name(name).map_err(Error::configuration),
            (None, Some(url)) => {
                // A URL with a password in it is refused without being repeated.
                providers::join_url(url, "/").map_err(Error::configuration)?;
                let host: String = url.chars().take(100).collect();
                registry.detect_from_url(url).ok_or_else(|| {
                    Error::configuration(format!("`{host}` does not tell the provider; name one of {}", known()))
                })
            }
            (None, None) => {
                Err(Error::configuration(format!("a provider or a base_url is needed; known are {}", known())))
            }
        }
    }

    fn retry_policy(&self) -> Result<RetryPolicy, Error> {
        let mut policy = RetryPolicy::default();
        if let Some(retries) = self.max_retries {
            let attempts = retries.saturating_add(1);
            (policy.max_attempts, policy.max_failures) = (attempts, attempts);
            policy.max_unanswered = policy.max_unanswered.min(attempts);
        }
        if let Some(base) = self.base_backoff {
            policy.backoff.base = seconds("base_backoff", base)?;
            policy.backoff.ceiling = policy.backoff.ceiling.max(policy.backoff.base);
        }
        if let Some(most) = self.max_backoff {
            policy.backoff.ceiling = seconds("max_backoff", most)?;
            if policy.backoff.ceiling < policy.backoff.base {
                return Err(Error::configuration("max_backoff is less than base_backoff"));
            }
        }
        Ok(policy)
    }
}

fn ratio(name: &str, ratio: f64) -> Result<f64, Error> {
    match (0.1..=1.0).contains(&ratio) {
        true => Ok(ratio),
        false => Err(Error::configuration(format!("{name} is {ratio}, and must be from 0.1 to 1"))),
    }
}

fn seconds(name: &str, seconds: f64) -> Result<Nanos, Error> {
    let span = Duration::try_from_secs_f64(seconds).ok().filter(|span| *span <= Duration::from_secs(86_400));
    span.map(Nanos::from).ok_or_else(|| {
        Error::configuration(format!("{name} is {seconds}, and must be a number of seconds, from 0 to a day"))
    })
}

#[cfg(test)]
mod tests {
    use limiter_core::LimitSource;
    use serde_json::{Value, json};

    use super::*;

    fn config(value: Value) -> ProviderConfig {
        serde_json::from_value(value).unwrap()
    }

    #[track_caller]
    fn check_error(value: Value, expected: &str) {
        let error = config(value.clone()).builder().map(|_| ()).unwrap_err();
        assert!(error.is_configuration());
        assert!(error.to_string().starts_with(expected), "{value}: {error}");
    }

    #[test]
    fn a_name_or_an_address_tells_the_provider() {
        let name = |value| config(value).builder().unwrap().api_key("k").build().unwrap().provider().name().to_owned();
        assert_eq!(name(json!({"provider": "OpenAI"})), "openai");
        assert_eq!(name(json!({"base_url": "https://api.anthropic.com/v1"})), "anthropic");
        assert_eq!(name(json!({"base_url": "https://openrouter.ai/api/v1"})), "openrouter");
        // The name wins: a gateway has an address of its own.
        assert_eq!(name(json!({"provider": "groq", "base_url": "https://api.openai.com/v1"})), "groq");
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_named() {
        check_error(json!({}), "a provider or a base_url is needed; known are openai, anthropic");
        check_error(json!({"provider": "opnai"}), "unknown provider `opnai`; known are openai");
        check_error(
            json!({"base_url": "https://llm.example/v1"}),
            "`https://llm.example/v1` does not tell the provider",
        );
        check_error(json!({"base_url": "https://u:hunter2@api.openai.com"}), "a URL must not contain a user name");
        let with = |name: &str, value: Value| json!({"provider": "openai", name: value});
        check_error(with("default_request_limit", json!(0)), "default_request_limit must be at least 1");
        check_error(with("request_buffer_ratio", json!(1.5)), "request_buffer_ratio is 1.5, and must be from 0.1 to 1");
        check_error(with("token_buffer_ratio", json!(0.0)), "token_buffer_ratio is 0, and must be from 0.1 to 1");
        check_error(with("base_backoff", json!(-1)), "base_backoff is -1, and must be a number of seconds");
        check_error(with("max_backoff", json!(1e300)), "max_backoff is 1");
        check_error(json!({"provider": "openai", "base_backoff": 5, "max_backoff": 2}), "max_backoff is less than");
        let not_a_number = ProviderConfig { token_buffer_ratio: f64::NAN, ..config(json!({"provider": "openai"})) };
        assert!(not_a_number.builder().is_err());
        assert!(serde_json::from_value::<ProviderConfig>(json!({"requests": 3})).is_err());
    }

    #[test]
    fn default_limits_give_way_to_the_provider_or_are_ceilings() {
        for (dynamic, source) in [(true, LimitSource::Expected), (false, LimitSource::Told)] {
            let config = config(json!({"provider": "openai", "default_request_limit": 100,
                "default_token_limit": 50_000, "supports_dynamic_limits": dynamic}));
            let limiter = config.builder().unwrap().api_key("k").build().unwrap();
            let limits = &limiter.limits()[0].state.limits;
            for (dimension, amount) in [(Dimension::Requests, 100), (Dimension::Tokens, 50_000)] {
                let known = limits.iter().find(|known| known.limit.dimension() == dimension).unwrap();
                assert_eq!((known.limit.amount(), known.source), (amount, source));
            }
        }
    }

    #[test]
    fn a_share_of_the_limits_is_used() {
        let config = config(json!({"provider": "openai", "default_request_limit": 100, "default_token_limit": 50_000,
            "supports_dynamic_limits": false, "request_buffer_ratio": 0.8, "token_buffer_ratio": 0.5}));
        let limits = config.builder().unwrap().api_key("k").build().unwrap().current_limits();
        assert_eq!((limits[0].request_limit, limits[0].token_limit), (Some(80), Some(25_000)));
    }

    #[test]
    fn retries_and_delays_become_the_retry_policy() {
        let policy = |value| config(value).retry_policy().unwrap();
        let ours = policy(json!({"provider": "openai", "max_retries": 5, "base_backoff": 2.0, "max_backoff": 30}));
        assert_eq!((ours.max_attempts, ours.max_failures, ours.max_unanswered), (6, 6, 2));
        assert_eq!((ours.backoff.base, ours.backoff.ceiling), (Nanos::from_secs(2), Nanos::from_secs(30)));
        let once = policy(json!({"provider": "openai", "max_retries": 0}));
        assert_eq!((once.max_attempts, once.max_unanswered), (1, 1));
        assert_eq!(policy(json!({"provider": "openai"})), RetryPolicy::default());
        assert_eq!(policy(json!({"base_backoff": 100})).backoff.ceiling, Nanos::from_secs(100));
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        let ours = config(json!({"provider": "openai", "max_retries": 2, "token_buffer_ratio": 0.9}));
        assert_eq!(config(serde_json::to_value(&ours).unwrap()), ours);
    }
}
