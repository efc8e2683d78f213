//! An LLM provider to run against: real limits, true headers, usage, latency and seeded faults.
//!
//! One simulator speaks the APIs of OpenAI (`/v1/chat/completions`, `/v1/responses`, `/v1/embeddings`,
//! `/v1/completions`, `/v1/models`), Anthropic (`/v1/messages`, `/v1/messages/count_tokens`) and OpenRouter
//! (`/api/v1/chat/completions`, `/api/v1/embeddings`, `/api/v1/models`, `/api/v1/key`) on one port. Each is an account
//! of its own with the configured limits, metered to the nanosecond. Any model name is answered.
//!
//! It serves TCP, for a client in any language, or an in-process byte stream. It reads time from tokio alone, so with a
//! paused clock minutes of traffic take what they take to compute and repeat exactly:
//!
//! ```
//! use simulator::{Config, Simulator};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let simulator = Simulator::new(Config::default().with_requests_per_minute(60))?;
//! let io = simulator.connect(); // speak HTTP over it
//! assert_eq!(simulator.statistics().requests, 0);
//! # drop(io);
//! # Ok::<(), simulator::ConfigError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It shares no code with the limiter it is used to test.

mod account;
mod charge;
mod clock;
mod config;
mod disturbance;
mod exchange;
mod faces;
mod faults;
mod hidden;
mod latency;
mod metering;
mod policy;
mod prompt;
mod quota;
mod random;
mod serve;
mod statistics;
mod stream;
mod telling;
mod text;
mod work;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpListener;

pub use config::{Config, ConfigError};
pub use disturbance::Disturbance;
pub use faults::Faults;
pub use hidden::HiddenLimit;
pub use policy::{Charge, Counting, HeaderPolicy, Metering, RefusalCost, Sharing};
pub use quota::Amounts;
pub use statistics::{FaultCounts, Statistics};
pub use telling::{ReadAt, Resets};

use account::Account;

/// The bytes an in-process connection holds in each direction.
const PIPE: usize = 64 * 1024;

/// A provider that runs. Clones are the same provider: they share limits and statistics.
#[derive(Clone, Debug)]
pub struct Simulator {
    account: Arc<Account>,
}

impl Simulator {
    /// A provider as `config` says. Its clock starts now.
    ///
    /// # Errors
    ///
    /// What the configuration says that cannot be run, by name.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.validate()?;
        Ok(Self { account: Arc::new(Account::new(config)) })
    }

    /// Serves the connections of `listener` until `shutdown` is ready. Open requests then have five seconds to end.
    /// At most so many connections are served at once as the configuration says; further ones wait.
    ///
    /// # Errors
    ///
    /// When no connection could be accepted for several seconds, the error of the last attempt.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        serve::listen(self.account, listener, shutdown).await
    }

    /// Serves one connection, HTTP/1.1 or HTTP/2, until it ends.
    pub async fn serve_connection<I>(&self, io: I)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let never = GracefulShutdown::new();
        serve::connection(Arc::clone(&self.account), io, never.watcher()).await;
    }

    /// The client's end of a new in-process connection. It is served by a task of the current tokio runtime; outside
    /// of one it is closed already.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(PIPE);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let simulator = self.clone();
            runtime.spawn(async move { simulator.serve_connection(server).await });
        }
        client
    }

    /// What has been seen and done so far.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.account.statistics()
    }
}
