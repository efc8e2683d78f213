//! What every transport does to a request before it is sent.

use http::{Method, Request, Version, header};

use crate::Body;
use crate::peer::Peer;

/// Refuses what cannot be sent, and takes out what only the connection can know.
pub(crate) fn prepare(request: &mut Request<Body>, schemes: &[&str]) -> Result<Peer, String> {
    let peer = Peer::parse(request.uri())?;
    let scheme = request.uri().scheme_str().unwrap_or_default();
    if !schemes.contains(&scheme) {
        return Err(format!("this transport has no TLS for a URL with the scheme {scheme}"));
    }
    if request.method() == Method::CONNECT {
        return Err("the method CONNECT is for proxies".to_owned());
    }
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(header::CONTENT_LENGTH);
    request.headers_mut().remove(header::TRANSFER_ENCODING);
    Ok(peer)
}
