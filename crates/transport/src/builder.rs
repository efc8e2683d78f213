//! Settings of a [`HyperTransport`].

use std::time::Duration;

use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::connector;
use crate::pools::{Pools, REQUESTS_PER_CONNECTION};
use crate::route::Dialer;
use crate::{Error, HyperTransport, Proxies, Timeouts, Tls};

/// How long a connection waits for its next request. Shorter than the 75 s after which many servers close theirs: a
/// request handed to a connection that is just being closed is lost.
const POOL_IDLE: Duration = Duration::from_secs(60);

/// How often an HTTP/2 connection with requests in flight is asked whether it is alive, and how long it may take to say.
const PING_INTERVAL: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// hyper's own client as every transport has it, unless told otherwise.
pub(crate) fn client() -> legacy::Builder {
    let mut client = Client::builder(TokioExecutor::new());
    client
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT);
    client
}

/// Settings of a [`HyperTransport`], from [`HyperTransport::builder`]. Each has a default.
///
/// ```
/// use transport::{HyperTransport, Proxies, Tls};
///
/// # fn example(company: &[u8]) -> Result<(), transport::Error> {
/// let transport = HyperTransport::builder()
///     .tls(Tls::platform().trust_pem(company)?)
///     .proxies(Proxies::all("http://user:password@proxy.example.com:3128")?.except("intranet.example.com"))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "it becomes a transport by build()"]
pub struct HyperBuilder {
    client: legacy::Builder,
    timeouts: Timeouts,
    tls: Tls,
    proxies: Option<Proxies>,
    versions: Versions,
    requests_per_connection: usize,
    is_plain: bool,
    #[cfg(feature = "compression")]
    compression: bool,
}

#[derive(Clone, Copy, Debug)]
enum Versions {
    All,
    Http1,
    Http2,
}

impl HyperBuilder {
    pub(crate) fn new() -> Self {
        Self {
            client: client(),
            timeouts: Timeouts::default(),
            tls: Tls::default(),
            proxies: None,
            versions: Versions::All,
            requests_per_connection: REQUESTS_PER_CONNECTION,
            is_plain: false,
            #[cfg(feature = "compression")]
            compression: true,
        }
    }

    /// How long each stage of a request may take, unless it says so itself.
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Whom to trust. What the platform trusts, by default.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Which requests go through which proxy. Those of the environment, by default.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// How long a connection is kept without a request. 60 s by default.
    pub fn pool_idle_timeout(mut self, idle: Duration) -> Self {
        self.client.pool_idle_timeout(idle);
        self
    }

    /// How many connections without a request are kept for each host. Without a bound, by default.
    pub fn pool_max_idle_per_host(mut self, connections: usize) -> Self {
        self.client.pool_max_idle_per_host(connections);
        self
    }

    /// Speaks HTTP/1.1 and does not offer HTTP/2.
    pub const fn http1_only(mut self) -> Self {
        self.versions = Versions::Http1;
        self
    }

    /// Speaks HTTP/2 without negotiating it, to `http` URLs too. By default, HTTP/2 is spoken where a server chooses it in the
    /// TLS handshake.
    pub const fn http2_prior_knowledge(mut self) -> Self {
        self.versions = Versions::Http2;
        self
    }

    /// How many requests an HTTP/2 connection carries at once before another one is opened. 100 by default, which the standard asks
    /// every server to allow; what is beyond a server's bound waits, and that wait counts as one for the first byte.
    pub const fn requests_per_connection(mut self, requests: usize) -> Self {
        self.requests_per_connection = requests;
        self
    }

    /// Whether answers are asked for in a compressed form, and decoded: see [`HyperTransport::compression`].
    #[cfg(feature = "compression")]
    pub const fn compression(mut self, compression: bool) -> Self {
        self.compression = compression;
        self
    }

    /// Refuses `https` URLs, and so needs no certificates: for servers without TLS, from machines that may have none.
    pub const fn http_only(mut self) -> Self {
        self.is_plain = true;
        self
    }

    /// The transport.
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`](crate::Stage::Setup) where the platform has no certificates to trust, or the environment names a proxy
    /// that cannot be used.
    pub fn build(mut self) -> Result<HyperTransport, Error> {
        let proxies = self.proxies.map_or_else(Proxies::from_environment, Ok)?;
        // A proxy that is spoken to over TLS is judged by the same certificates.
        let needs_none = self.is_plain && !proxies.need_tls_for_http();
        let config = if needs_none { Tls::nobody().config()? } else { self.tls.config()? };
        let mut tcp = connector::tcp();
        tcp.enforce_http(false);
        let to_proxy = HttpsConnectorBuilder::new().with_tls_config(config.clone()).https_or_http().enable_http1();
        let dialer = Dialer::new(tcp.clone(), to_proxy.wrap_connector(tcp), proxies.clone());
        let tls = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http();
        let connector = match self.versions {
            Versions::All => tls.enable_all_versions().wrap_connector(dialer),
            Versions::Http1 => tls.enable_http1().wrap_connector(dialer),
            Versions::Http2 => tls.enable_http2().wrap_connector(dialer),
        };
        if matches!(self.versions, Versions::Http2) {
            self.client.http2_only(true);
        }
        let most = match self.versions {
            Versions::Http1 => usize::MAX,
            Versions::All | Versions::Http2 => self.requests_per_connection,
        };
        let pools = Pools::new(self.client, connector, most);
        let transport = HyperTransport::assemble(pools, self.timeouts).with_proxies(proxies);
        #[cfg(feature = "compression")]
        let transport = transport.compression(self.compression);
        Ok(if self.is_plain { transport.without_tls() } else { transport })
    }
}
