//! Who a request goes to: the host and port of its URI, and nothing else of it.

use std::fmt;

use http::Uri;
use http::uri::Authority;

/// The host and port of a request.
///
/// It is what errors show of a URI: neither path nor query nor user information, which may hold credentials.
#[derive(Clone)]
pub(crate) struct Peer {
    authority: Authority,
    port: u16,
}

impl Peer {
    /// Reads the peer of an absolute `http` or `https` URI; the error says what was expected.
    pub(crate) fn parse(uri: &Uri) -> Result<Self, String> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err("expected an absolute URL such as https://host/path".to_owned());
        };
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            other => return Err(format!("expected a URL with the scheme http or https, not {other}")),
        };
        // The pool keys connections by the authority, and HTTP/2 sends it as it stands.
        if authority.as_str().contains('@') {
            return Err("the URL names a user before its host; credentials belong in a header".to_owned());
        }
        let host = authority.host();
        if host.is_empty() {
            return Err("the URL names no host".to_owned());
        }
        let port = match authority.as_str().strip_prefix(host).unwrap_or_default() {
            "" | ":" => default_port,
            _ => match authority.port_u16() {
                Some(port) if port > 0 => port,
                _ => return Err(format!("the port of {host} is not a number from 1 to 65535")),
            },
        };
        Ok(Self { authority: authority.clone(), port })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.authority.host(), self.port)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, expected: Result<&str, &str>) {
        let uri: Uri = uri.parse().unwrap();
        match (Peer::parse(&uri), expected) {
            (Ok(peer), Ok(expected)) => assert_eq!(peer.to_string(), expected, "{uri}"),
            (Err(reason), Err(expected)) => assert!(reason.contains(expected), "{uri}: {reason}"),
            (found, expected) => panic!("{uri}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn a_peer_is_the_host_and_the_port_or_the_default_of_the_scheme() {
        check("https://api.example.com/v1?key=sk-secret", Ok("api.example.com:443"));
        check("http://api.example.com", Ok("api.example.com:80"));
        check("http://127.0.0.1:8080/", Ok("127.0.0.1:8080"));
        check("http://[::1]:9/", Ok("[::1]:9"));
        check("http://[::1]/", Ok("[::1]:80"));
        check("http://host:/", Ok("host:80"));
    }

    #[test]
    fn a_uri_that_cannot_be_sent_to_says_what_was_expected() {
        check("/v1/chat", Err("absolute URL"));
        check("host:80", Err("absolute URL"));
        check("ftp://host/", Err("not ftp"));
        check("https://user:sk-secret@host/", Err("a user before its host"));
        check("http://host:65536/", Err("from 1 to 65535"));
        check("http://host:0/", Err("from 1 to 65535"));
        check("http://:80/", Err("no host"));
    }
}
