//! Settings of proxies: what is read, what is refused, and which request goes where.

use std::collections::HashMap;

use super::*;

fn environment(variables: &[(&str, &str)]) -> Result<Proxies, Error> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Proxies::from_variables(|name| Ok(variables.get(name).map(ToString::to_string)))
}

/// The proxy for each of some URLs, as host and port.
fn check(proxies: &Proxies, expected: &[(&'static str, Option<&str>)]) {
    for (url, expected) in expected {
        let proxy = proxies.of(&Uri::from_static(url)).map(|proxy| proxy.address.as_str());
        assert_eq!(proxy, *expected, "{url} with {proxies:?}");
    }
}

#[test]
fn the_environment_names_a_proxy_for_each_scheme_and_one_for_the_rest() {
    let (http, https) = ("http://host/", "https://host/");
    let both = [("HTTP_PROXY", "http://one:1"), ("HTTPS_PROXY", "http://two:2"), ("ALL_PROXY", "http://three:3")];
    check(&environment(&[]).unwrap(), &[(http, None), (https, None)]);
    check(&environment(&both).unwrap(), &[(http, Some("one:1")), (https, Some("two:2"))]);
    check(&environment(&both[1..]).unwrap(), &[(http, Some("three:3")), (https, Some("two:2"))]);
    check(&environment(&both[..1]).unwrap(), &[(http, Some("one:1")), (https, None)]);
    let small = [("https_proxy", "two:2"), ("all_proxy", "socks5://three"), ("no_proxy", "other.example.com")];
    check(&environment(&small).unwrap(), &[(http, Some("three:1080")), (https, Some("two:2"))]);
    check(&environment(&small).unwrap(), &[("https://other.example.com/", None)]);
    let empty = [("HTTPS_PROXY", " "), ("https_proxy", "two:2"), ("ALL_PROXY", "")];
    check(&environment(&empty).unwrap(), &[(http, None), (https, None)]);
}

#[test]
fn a_header_of_a_cgi_request_is_not_taken_for_a_setting() {
    let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "http://evil:1"), ("HTTPS_PROXY", "http://two:2")];
    check(&environment(&cgi).unwrap(), &[("http://host/", None), ("https://host/", Some("two:2"))]);
}

#[test]
fn excepted_hosts_and_in_the_environment_this_machine_are_spoken_to_directly() {
    let except = "example.com, .internal ,10.0.0.0/8,2001:db8::/32, 192.168.1.7";
    let proxies = Proxies::all("proxy:1").unwrap().except(except);
    let through = Some("proxy:1");
    check(
        &proxies,
        &[
            ("https://example.com/", None),
            ("https://EXAMPLE.com:8443/", None),
            ("https://api.example.com/", None),
            ("https://notexample.com/", through),
            ("https://example.com.evil.net/", through),
            ("https://a.internal/", None),
            ("http://10.1.2.3/", None),
            ("http://11.1.2.3/", through),
            ("http://192.168.1.7/", None),
            ("http://192.168.1.70/", through),
            ("http://[2001:db8::1]/", None),
            ("http://[2001:db9::1]/", through),
            ("http://localhost/", through),
            ("http://127.0.0.1/", through),
        ],
    );
    check(&proxies.except("*"), &[("https://any.host/", None), ("http://127.0.0.1/", None)]);
    let environment = environment(&[("ALL_PROXY", "proxy:1")]).unwrap();
    check(
        &environment,
        &[
            ("http://localhost:8080/", None),
            ("http://LOCALHOST/", None),
            ("https://127.8.9.10/", None),
            ("https://[::1]:1/", None),
            ("https://localhost.example.com/", through),
            ("https://128.0.0.1/", through),
        ],
    );
}

#[test]
fn a_proxy_that_cannot_be_used_is_an_error_that_names_the_setting_and_keeps_its_secrets() {
    let url = "expected the URL of a proxy, such as http://host:3128";
    for (value, reason) in [
        ("ftp://user:sk-secret@host", "expected a URL with the scheme http, https, socks5 or socks5h"),
        ("socks4://sk-secret@host", "expected a URL with the scheme http, https, socks5 or socks5h"),
        ("http://user:sk-secret@host:port", "the port is not a number from 1 to 65535"),
        ("http://user:sk-secret@host:0", "the port is not a number from 1 to 65535"),
        ("http://user:sk-secret@host:99999", "the port is not a number from 1 to 65535"),
        ("http://user:sk-secret@:80", url),
        ("http://", url),
        ("/sk-secret", url),
        ("two words", url),
        ("http://user:sk-sec ret@host", url),
    ] {
        for name in ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"] {
            let error = environment(&[(name, value)]).unwrap_err();
            assert_eq!(error.to_string(), format!("set-up: {name}: {reason}"), "{value}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
        assert!(Proxies::all(value).unwrap_err().to_string().starts_with("set-up: the proxy: "), "{value}");
    }
}

#[test]
fn a_user_and_password_are_decoded_for_the_proxy_and_shown_to_nobody() {
    let proxies = Proxies::all("http://us%65r:sk%2Dsecret%40@host:3128").unwrap();
    let proxy = proxies.of(&Uri::from_static("https://a/")).unwrap();
    assert_eq!(proxy.authorization().unwrap(), "Basic dXNlcjpzay1zZWNyZXRA");
    assert!(proxy.authorization().unwrap().is_sensitive());
    let socks = Proxies::all("socks5h://user:sk-secret@host").unwrap();
    assert_eq!(socks.of(&Uri::from_static("https://a/")).unwrap().user(), Some(("user", "sk-secret")));
    for shown in [format!("{proxies:?} {socks:?}"), format!("{proxies:#?} {socks:#?}")] {
        assert!(shown.contains("host:3128") && shown.contains("host:1080"), "{shown}");
        assert!(!shown.contains("secret") && !shown.contains("user"), "{shown}");
    }
}
