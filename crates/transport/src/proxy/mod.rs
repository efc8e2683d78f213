//! Which requests go through which proxy.

mod error;
mod tunnel;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

pub(crate) use error::{ProxyError, Refusal};
pub(crate) use tunnel::open as open_tunnel;

use crate::Error;
use crate::error::Fault;

/// Which requests go through which proxy.
///
/// A proxy's URL is `http://`, `https://`, `socks5://` or `socks5h://`, a host, and a port; without a scheme it is an HTTP
/// proxy. A SOCKS proxy looks names up itself, under either name. A request to an `https` URL goes through a tunnel in which
/// the proxy sees neither headers nor bodies; an HTTP proxy reads all of a request to an `http` URL.
///
/// A user name and password in the URL go to the proxy and to nobody else. No `Debug` output or error shows them.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<Arc<Proxy>>,
    https: Option<Arc<Proxy>>,
    /// Intercepts what is not excepted.
    except: Option<Arc<Matcher>>,
    spare_loopback: bool,
}

impl Proxies {
    /// Every request goes straight to its host, whatever the environment says.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Every request goes through the proxy at `url`.
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`](crate::Stage::Setup) where the URL is not one of a proxy. The error does not quote it.
    pub fn all(url: &str) -> Result<Self, Error> {
        let proxy = Some(Arc::new(Proxy::parse(url, "the proxy")?));
        Ok(Self { http: proxy.clone(), https: proxy, except: None, spare_loopback: false })
    }

    /// What the environment says, as curl reads it, but that hosts of this machine are always spoken to directly.
    ///
    /// `HTTPS_PROXY` is for `https` URLs, `HTTP_PROXY` for `http` ones, `ALL_PROXY` for those without one of their own, and
    /// `NO_PROXY` is read as [`except`](Self::except) does. Where a variable is not set, its name in small letters is read.
    /// In a CGI program, `HTTP_PROXY` is a header of the client's and not believed.
    ///
    /// # Errors
    ///
    /// [`Stage::Setup`](crate::Stage::Setup), with the name of the variable, where one is set and is not the URL of a proxy:
    /// a proxy that cannot be used is not passed by in silence.
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_variables(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(invalid(name, "expected text")),
        })
    }

    fn from_variables(read: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Self, Error> {
        let is_cgi = read("REQUEST_METHOD")?.is_some();
        let variable = |name: &str| {
            let upper = if is_cgi && name == "HTTP_PROXY" { None } else { read(name)? };
            let (name, value) = match upper {
                Some(value) => (name.to_owned(), Some(value)),
                None => (name.to_ascii_lowercase(), read(&name.to_ascii_lowercase())?),
            };
            Ok::<_, Error>((name, value.filter(|value| !value.trim().is_empty())))
        };
        let proxy = |name| match variable(name)? {
            (name, Some(url)) => Proxy::parse(&url, &name).map(|proxy| Some(Arc::new(proxy))),
            (_, None) => Ok(None),
        };
        let all = proxy("ALL_PROXY")?;
        let http = proxy("HTTP_PROXY")?.or_else(|| all.clone());
        let proxies = Self { http, https: proxy("HTTPS_PROXY")?.or(all), except: None, spare_loopback: true };
        Ok(match variable("NO_PROXY")?.1 {
            Some(hosts) => proxies.except(&hosts),
            None => proxies,
        })
    }

    /// The same, but that these hosts are spoken to directly: a list with commas of names, each with all names under it, of
    /// addresses, of networks such as `10.0.0.0/8`, or `*` for every host. Replaces what was excepted before.
    #[must_use]
    pub fn except(mut self, hosts: &str) -> Self {
        // The matcher takes `*` for every name, but for no address.
        let is_all = hosts.split(',').any(|host| host.trim() == "*");
        let intercepted = if is_all { Matcher::builder() } else { Matcher::builder().all("http://proxy").no(hosts) };
        self.except = Some(Arc::new(intercepted.build()));
        self
    }

    /// Whether requests to `http` URLs go through a proxy that is itself spoken to over TLS.
    pub(crate) fn need_tls_for_http(&self) -> bool {
        self.http.as_ref().is_some_and(|proxy| proxy.dialed.scheme_str() == Some("https"))
    }

    /// The proxy for a request to `uri`.
    pub(crate) fn of(&self, uri: &Uri) -> Option<&Arc<Proxy>> {
        let proxy = if uri.scheme_str() == Some("https") { &self.https } else { &self.http };
        let proxy = proxy.as_ref()?;
        let is_spared = self.spare_loopback && is_loopback(uri.host()?);
        let is_excepted = self.except.as_ref().is_some_and(|except| except.intercept(uri).is_none());
        (!is_spared && !is_excepted).then_some(proxy)
    }

    /// The proxy that reads a request to `uri` and passes it on.
    pub(crate) fn forwarding(&self, uri: &Uri) -> Option<&Arc<Proxy>> {
        self.of(uri).filter(|proxy| !proxy.is_socks() && uri.scheme_str() == Some("http"))
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Proxies");
        shown.field("http", &self.http).field("https", &self.https).field("spare_loopback", &self.spare_loopback);
        shown.finish_non_exhaustive()
    }
}

/// Whether `host` is this machine, by its name or its address.
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// One proxy.
pub(crate) struct Proxy {
    intercept: Intercept,
    /// Where it is dialed: as `http` where that is plain TCP, else as `https`.
    dialed: Uri,
    /// Host and port, for errors.
    address: String,
}

impl Proxy {
    /// `name` is what the URL was given as.
    fn parse(url: &str, name: &str) -> Result<Self, Error> {
        let expected = "expected the URL of a proxy, such as http://host:3128";
        let uri: Uri = url.trim().parse().map_err(|_| invalid(name, expected))?;
        let (scheme, default_port) = match uri.scheme_str() {
            None | Some("http") => ("http", 80),
            Some("https") => ("https", 443),
            Some("socks5" | "socks5h") => ("http", 1080),
            Some(_) => return Err(invalid(name, "expected a URL with the scheme http, https, socks5 or socks5h")),
        };
        let authority = uri.authority().ok_or_else(|| invalid(name, expected))?;
        let host_and_port = authority.as_str().rsplit('@').next().unwrap_or_default();
        let port = match host_and_port.strip_prefix(authority.host()).unwrap_or_default() {
            "" | ":" => default_port,
            _ => match authority.port_u16() {
                Some(port) if port > 0 => port,
                _ => return Err(invalid(name, "the port is not a number from 1 to 65535")),
            },
        };
        if authority.host().is_empty() {
            return Err(invalid(name, expected));
        }
        let address = format!("{}:{port}", authority.host());
        let dialed = Uri::builder().scheme(scheme).authority(address.as_str()).path_and_query("/").build();
        let dialed = dialed.map_err(|_| invalid(name, expected))?;
        let any = Uri::from_static("http://any");
        let intercept =
            Matcher::builder().all(url.trim()).build().intercept(&any).ok_or_else(|| invalid(name, expected))?;
        Ok(Self { intercept, dialed, address })
    }

    pub(crate) fn is_socks(&self) -> bool {
        self.intercept.uri().scheme_str().is_some_and(|scheme| scheme.starts_with("socks"))
    }

    pub(crate) const fn dialed(&self) -> &Uri {
        &self.dialed
    }

    /// The value of `proxy-authorization`, marked as sensitive.
    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.intercept.basic_auth()
    }

    /// The user name and password for SOCKS.
    pub(crate) fn user(&self) -> Option<(&str, &str)> {
        self.intercept.raw_auth()
    }

    /// The error of a request that did not get through this proxy.
    #[cold]
    pub(crate) fn failed(&self, cause: impl Into<crate::error::Cause>) -> ProxyError {
        ProxyError { address: self.address.clone(), cause: cause.into() }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

#[cold]
fn invalid(name: &str, reason: &str) -> Error {
    Error::at(crate::Stage::Setup, None, Fault::Invalid(format!("{name}: {reason}")))
}

#[cfg(test)]
mod tests;
