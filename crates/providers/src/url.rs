//! Where a request goes: the base address joined with a path, and never a host that was not asked for.

use http::Uri;
use http::uri::{Authority, Scheme};
use thiserror::Error;

/// Why an address cannot be used. Its text never contains credentials.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// It does not parse.
    #[error("`{0}` is not a URL; expected one such as `https://api.example.com/v1`")]
    Malformed(String),
    /// It has no scheme and host, or another scheme than http and https.
    #[error("`{0}` must begin with `http://` or `https://` and name a host")]
    NotHttp(String),
    /// It carries a user name or password.
    #[error("a URL must not contain a user name or password; give the key on its own")]
    Credentials,
    /// A base address with `?` or `#`.
    #[error("`{0}` must not have a query or a fragment")]
    Query(String),
    /// A request's own address names another server than the base address. Credentials are not sent there.
    #[error("`{url}` is not at `{base}`: credentials are only sent to the host of the base URL")]
    OtherHost {
        /// The address in the request.
        url: String,
        /// Scheme and host of the base address.
        base: String,
    },
}

/// The address for a request: `path_or_url` at `base_url`.
///
/// `base_url` may end with a slash or not and may have a path or none. A version at the front of the path is not said
/// twice: `http://h/v1` and `/v1/responses` make `http://h/v1/responses`, `https://openrouter.ai/api/v1` and
/// `/v1/responses` make `https://openrouter.ai/api/v1/responses`, so the paths of batch files work with every base.
/// A whole URL is taken as it is if scheme, host and port are those of the base.
///
/// # Errors
///
/// [`InvalidUrl`] where one of them does not parse, is not http or https, carries credentials, or where a whole URL
/// leads to another host.
pub fn join_url(base_url: &str, path_or_url: &str) -> Result<Uri, InvalidUrl> {
    let base = parse_absolute(base_url)?;
    if base.query().is_some() || base_url.contains('#') {
        return Err(InvalidUrl::Query(excerpt(base_url)));
    }
    if path_or_url.contains("://") && !path_or_url.starts_with('/') {
        let url = parse_absolute(path_or_url)?;
        return if origin(&url) == origin(&base) { Ok(url) } else { Err(other_host(&url, &base)) };
    }
    let base_path = base.path().trim_end_matches('/');
    let path = format!("/{}", path_or_url.trim_start_matches('/'));
    let path = match path.strip_prefix("/v1") {
        Some(rest) if rest.starts_with('/') && states_version(base_path) => rest,
        _ => path.as_str(),
    };
    let joined = if path == "/" { base_path.to_owned() } else { format!("{base_path}{path}") };
    Uri::builder()
        .scheme(base.scheme().cloned().unwrap_or(Scheme::HTTPS))
        .authority(base.authority().map_or("", Authority::as_str))
        .path_and_query(if joined.is_empty() { "/" } else { &joined })
        .build()
        .map_err(|_| InvalidUrl::Malformed(excerpt(path_or_url)))
}

fn parse_absolute(url: &str) -> Result<Uri, InvalidUrl> {
    // Asked before anything is quoted in an error: a password must not show up in one.
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    if after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@')) {
        return Err(InvalidUrl::Credentials);
    }
    let uri: Uri = url.trim_ascii().parse().map_err(|_| InvalidUrl::Malformed(excerpt(url)))?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let names_a_host = uri.host().is_some_and(|host| !host.is_empty());
    let port_is_a_number = uri.authority().is_none_or(|authority| {
        let port = authority.as_str().rsplit(']').next().and_then(|rest| rest.split_once(':'));
        port.is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0))
    });
    if !is_http || !names_a_host {
        return Err(InvalidUrl::NotHttp(excerpt(url)));
    }
    if !port_is_a_number {
        return Err(InvalidUrl::Malformed(excerpt(url)));
    }
    Ok(uri)
}

/// Scheme, host and port, where the port of the scheme is said or not.
fn origin(uri: &Uri) -> (Option<String>, Option<String>, u16) {
    let scheme = uri.scheme_str().map(str::to_ascii_lowercase);
    let default_port = if scheme.as_deref() == Some("http") { 80 } else { 443 };
    (scheme, uri.host().map(str::to_ascii_lowercase), uri.port_u16().unwrap_or(default_port))
}

fn other_host(url: &Uri, base: &Uri) -> InvalidUrl {
    let authority = base.authority().map_or("", Authority::as_str);
    let base = format!("{}://{authority}", base.scheme_str().unwrap_or_default());
    InvalidUrl::OtherHost { url: excerpt(&url.to_string()), base }
}

/// Whether a segment of the path is a version: `v1`, `v4`, `v1beta`.
fn states_version(path: &str) -> bool {
    path.split('/').any(|segment| {
        let mut bytes = segment.bytes();
        bytes.next() == Some(b'v') && bytes.next().is_some_and(|byte| byte.is_ascii_digit())
    })
}

/// The beginning of an address, for a message, without the query, which may hold a key.
fn excerpt(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let mut shown: String = text.get(..end).unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    if end < text.len() {
        shown.push('\u{2026}');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, path: &str, expected: &str) {
        assert_eq!(join_url(base, path).map(|uri| uri.to_string()), Ok(expected.to_owned()), "{base} + {path}");
    }

    #[test]
    fn a_version_is_not_said_twice() {
        check("http://h:1/v1", "/v1/chat/completions", "http://h:1/v1/chat/completions");
        check("http://h:1/v1/", "/v1/chat/completions", "http://h:1/v1/chat/completions");
        check("http://h:1/v1", "/chat/completions", "http://h:1/v1/chat/completions");
        check("http://h:1/v1/", "chat/completions", "http://h:1/v1/chat/completions");
        check("https://openrouter.ai/api/v1", "/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions");
        check("https://h/api/paas/v4", "/v1/chat/completions", "https://h/api/paas/v4/chat/completions");
        check("https://h/v1beta/openai/", "/v1/embeddings", "https://h/v1beta/openai/embeddings");
    }

    #[test]
    fn a_base_without_a_version_keeps_that_of_the_path() {
        check("http://h:1", "/v1/messages", "http://h:1/v1/messages");
        check("http://h:1/", "/v1/messages?beta=true", "http://h:1/v1/messages?beta=true");
        check("http://h:1/proxy", "/v1/messages", "http://h:1/proxy/v1/messages");
        check("http://h:1", "/v10/x", "http://h:1/v10/x");
        check("http://[::1]:8080", "/chat/completions", "http://[::1]:8080/chat/completions");
        check("http://h", "", "http://h/");
    }

    #[test]
    fn a_whole_url_at_the_base_is_taken_as_it_is() {
        check("https://h/v1", "https://H:443/v2/x", "https://H:443/v2/x");
        check("http://h:1/v1", "http://h:1/v1/x", "http://h:1/v1/x");
    }

    #[test]
    fn credentials_go_nowhere_else() {
        for url in
            ["https://other/v1/x", "http://h/v1/x", "https://h:8443/v1/x", "https://h.evil/v1/x", "https://ho/v1"]
        {
            assert!(matches!(join_url("https://h/v1", url), Err(InvalidUrl::OtherHost { .. })), "{url}");
        }
        check("https://h/v1", "//evil.example/x", "https://h/v1/evil.example/x");
        check("https://h/v1", "/redirect?to=https://evil", "https://h/v1/redirect?to=https://evil");
        check("https://h", "@evil.example/x", "https://h/@evil.example/x");
    }

    #[test]
    fn what_is_no_base_is_refused() {
        for base in [
            "",
            " ",
            "h",
            "/v1",
            "ftp://h/v1",
            "file:///etc/passwd",
            "http://",
            "http:///v1",
            "http://h:port/v1",
            "http://h:99999/v1",
            "http://a b/v1",
            "unix:/x",
            "https://h/v1?key=1",
            "https://h/v1#top",
        ] {
            assert!(join_url(base, "/x").is_err(), "{base}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for url in ["https://user:hunter2@h/v1", "ftp://hunter2@h", "hunter2@h"] {
            let error = join_url(url, "/x").unwrap_err();
            assert_eq!(error, InvalidUrl::Credentials);
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn a_query_is_not_repeated() {
        let of_base = ["https://h/v1?key=hunter2", "https://h/v1#hunter2", "ftp://h/?key=hunter2", "h?hunter2"];
        for error in of_base.map(|base| join_url(base, "/x").unwrap_err()) {
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        for path in ["https://other/x?key=hunter2", "/x?key=hunter2 x", "https://h:0/x?key=hunter2"] {
            let error = join_url("https://h/v1", path).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_hostile_path_is_an_error() {
        for path in ["/a b", "/\u{0}", "/\r\nHost: evil", "http://", "https://"] {
            assert!(join_url("https://h/v1", path).is_err(), "{path:?}");
        }
    }
}
