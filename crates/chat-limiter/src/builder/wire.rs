//! How requests travel: proxies, certificates, versions of HTTP, or a transport of the caller's.

use std::path::Path;
use std::sync::Arc;

use transport::{HyperBuilder, HyperTransport, Proxies, Timeouts, Tls, Transport};

use super::Builder;
use crate::Error;

/// What was set of the transport that is made here.
#[derive(Debug, Default)]
pub(super) struct Wire {
    hyper: Option<HyperBuilder>,
    tls: Option<Result<Tls, String>>,
    proxies: Option<Result<Proxies, String>>,
}

impl Wire {
    /// The transport: `own`, where there is one, else hyper's with these settings.
    pub(super) fn transport(
        self,
        own: Option<Arc<dyn Transport>>,
        base_url: &str,
        timeouts: Timeouts,
    ) -> Result<Arc<dyn Transport>, Error> {
        let is_set = self.hyper.is_some() || self.tls.is_some() || self.proxies.is_some();
        if let Some(own) = own {
            let both = "proxies, certificates and other settings of connections do not go with a transport of your own";
            return if is_set { Err(Error::configuration(both)) } else { Ok(own) };
        }
        let mut hyper = self.hyper.unwrap_or_else(HyperTransport::builder).timeouts(timeouts);
        match self.tls {
            Some(tls) => hyper = hyper.tls(tls.map_err(Error::configuration)?),
            // Certificates are not needed, and on a bare machine not there, for a server without TLS.
            None if base_url.starts_with("http://") => hyper = hyper.http_only(),
            None => {}
        }
        if let Some(proxies) = self.proxies {
            hyper = hyper.proxies(proxies.map_err(Error::configuration)?);
        }
        Ok(Arc::new(hyper.build().map_err(Error::configuration)?))
    }

    /// Adds to what is trusted.
    fn trust(&mut self, more: impl FnOnce(Tls) -> Result<Tls, transport::Error>) {
        let known = self.tls.take().unwrap_or_else(|| Ok(Tls::platform()));
        self.tls = Some(known.and_then(|tls| more(tls).map_err(|error| error.to_string())));
    }
}

impl Builder {
    /// A transport of your own. It does not go with settings of connections, below.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// The proxy that every request goes through, in place of those that the environment names (`HTTPS_PROXY` and so on):
    /// `http://user:password@proxy.example.com:3128`, or with `https`, `socks5`.
    #[must_use]
    pub fn proxy(mut self, url: &str) -> Self {
        self.wire.proxies = Some(Proxies::all(url).map_err(|error| error.to_string()));
        self
    }

    /// Which requests go through which proxy; [`Proxies::none`] where none should, whatever the environment says.
    #[must_use]
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.wire.proxies = Some(Ok(proxies));
        self
    }

    /// Trusts the certificates in `pem`, the text form with `BEGIN CERTIFICATE`, beside what the platform trusts: a
    /// company's own authority, or that of a proxy which reads what passes.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.wire.trust(|tls| tls.trust_pem(pem.as_ref()));
        self
    }

    /// The same for certificates in a file.
    #[must_use]
    pub fn root_certificates_file(mut self, path: impl AsRef<Path>) -> Self {
        self.wire.trust(|tls| tls.trust_pem_file(path));
        self
    }

    /// Whom to trust, in place of what was said before.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.wire.tls = Some(Ok(tls));
        self
    }

    /// Settings of connections: the version of HTTP, how many are kept, and for how long. Timeouts, certificates and
    /// proxies that are set here win over those in it.
    ///
    /// ```
    /// use chat_limiter::ChatLimiter;
    /// use chat_limiter::transport::HyperTransport;
    ///
    /// let connections = HyperTransport::builder().http1_only().pool_max_idle_per_host(8);
    /// let builder = ChatLimiter::builder("openai-compatible").base_url("http://127.0.0.1:8000/v1");
    /// let limiter = builder.connections(connections).build()?;
    /// # Ok::<(), chat_limiter::Error>(())
    /// ```
    #[must_use]
    pub fn connections(mut self, settings: HyperBuilder) -> Self {
        self.wire.hyper = Some(settings);
        self
    }
}
