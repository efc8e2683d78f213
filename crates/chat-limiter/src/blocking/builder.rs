//! Settings of a blocking client.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use limiter_core::Limit;
use providers::Provider;
use transport::{HyperBuilder, Proxies, Timeouts, Tls, Transport};

use super::ChatLimiter;
use super::runtime::Runtime;
use crate::{Error, RetryPolicy};

/// Settings of a blocking [`ChatLimiter`]: those of [`chat_limiter::Builder`](crate::Builder), which turns into this one
/// with `From`.
#[derive(Debug)]
pub struct Builder(crate::Builder);

/// The settings, each as the builder of the async client has it.
macro_rules! settings {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {
        impl Builder {
            $(
                #[doc = concat!("As [`", stringify!($name), "`](crate::Builder::", stringify!($name), ").")]
                #[must_use]
                pub fn $name(self, $($argument: $kind),*) -> Self {
                    Self(self.0.$name($($argument),*))
                }
            )*
        }
    };
}

settings! {
    base_url(url: impl Into<String>);
    api_key(key: impl Into<String>);
    api_key_variable(name: impl Into<String>);
    without_key();
    organization(id: impl Into<String>);
    project(id: impl Into<String>);
    application(url: impl Into<String>, title: impl Into<String>);
    limit(limit: Limit);
    limit_for(model: impl Into<String>, limit: Limit);
    buffer_ratio(ratio: f64);
    request_buffer_ratio(ratio: f64);
    token_buffer_ratio(ratio: f64);
    requests_per_minute(amount: u64);
    tokens_per_minute(amount: u64);
    expected_limit(limit: Limit);
    look_ahead(bound: Duration);
    concurrency(requests: usize);
    retry(policy: RetryPolicy);
    timeouts(timeouts: Timeouts);
    header(name: impl Into<String>, value: impl Into<String>);
    transport(transport: Arc<dyn Transport>);
    proxy(url: &str);
    proxies(proxies: Proxies);
    root_certificates(pem: impl AsRef<[u8]>);
    root_certificates_file(path: impl AsRef<Path>);
    tls(tls: Tls);
    connections(settings: HyperBuilder);
    answer_limit(bytes: usize);
    outage_patience(patience: Duration);
    silence_patience(patience: Duration);
}

impl Builder {
    /// As [`for_provider`](crate::Builder::for_provider).
    #[must_use]
    pub fn for_provider(provider: Arc<dyn Provider>) -> Self {
        Self(crate::Builder::for_provider(provider))
    }

    /// The client, and the thread that runs its connections.
    ///
    /// # Errors
    ///
    /// As [`build`](crate::Builder::build); also inside an async runtime, and where no thread can be started.
    pub fn build(self) -> Result<ChatLimiter, Error> {
        let runtime = Runtime::start()?;
        // Whatever a transport or a timer wants of the current runtime is there.
        let limiter = runtime.block_on(async { self.0.build() })??;
        Ok(ChatLimiter::new(limiter, runtime))
    }
}

impl From<crate::Builder> for Builder {
    fn from(builder: crate::Builder) -> Self {
        Self(builder)
    }
}
