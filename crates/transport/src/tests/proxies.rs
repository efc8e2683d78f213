//! Proxies: what they get to see, and what happens where they refuse.

use std::net::SocketAddr;

use super::server::{Authority, Listening, describe, pass_on, proxy_to, read_head, tls_server};
use super::*;
use crate::{Proxies, Tls};

/// A host that only the proxy knows.
const HOST: &str = "api.example.com";
const LATER: i32 = 4096;
/// `user:sk-secret`, as it goes to a proxy.
const AUTHORIZATION: &str = "Basic dXNlcjpzay1zZWNyZXQ=";

/// What the proxy hears must not have the credential of the request in it; its own password is another matter.
const KEY: &str = "Bearer sk-secret";

async fn tls_host() -> (Authority, Listening) {
    let authority = Authority::new();
    let host = tls_server(authority.server(HOST, LATER, &["h2", "http/1.1"]), describe).await;
    (authority, host)
}

fn through(proxies: Proxies, authority: &Authority) -> HyperTransport {
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    HyperTransport::builder().tls(tls).proxies(proxies).build().unwrap()
}

fn proxies(scheme: &str, user: &str, address: SocketAddr) -> Proxies {
    Proxies::all(&format!("{scheme}://{user}{address}")).unwrap()
}

fn to(url: &str) -> Request<Body> {
    let mut request = question();
    *request.uri_mut() = format!("{url}/v1/chat?key={SECRET}").parse().unwrap();
    request
}

async fn ask(transport: &HyperTransport, url: &str) -> Result<String, Error> {
    let body = transport.send(to(url)).await?.into_body().collect_bounded(1024).await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn an_https_request_goes_through_a_tunnel_in_which_the_proxy_sees_nothing() {
    let (authority, host) = tls_host().await;
    let proxy = proxy_to(host.address).await;
    let transport = through(proxies("http", "", proxy.address), &authority);
    for _ in 0..3 {
        assert_eq!(ask(&transport, "https://api.example.com").await.unwrap(), "HTTP/2.0 /v1/chat");
    }
    assert_eq!((proxy.opened(), host.opened()), (1, 1));
    let heard = proxy.heard();
    assert!(heard.starts_with("CONNECT api.example.com:443 HTTP/1.1\r\nhost: api.example.com:443\r\n\r\n"), "{heard}");
    assert!(
        !heard.contains(SECRET) && !heard.contains("/v1/chat") && !heard.contains("proxy-authorization"),
        "{heard}"
    );
}

#[tokio::test]
async fn the_password_of_a_proxy_goes_to_it_and_to_nobody_else() {
    let authority = Authority::new();
    let headers = |request: Request<Incoming>| {
        assert!(!request.headers().contains_key("proxy-authorization"));
        describe(request)
    };
    let host = tls_server(authority.server(HOST, LATER, &["http/1.1"]), headers).await;
    let proxy = proxy_to(host.address).await;
    let transport = through(proxies("http", "user:sk-secret@", proxy.address), &authority);
    assert_eq!(ask(&transport, "https://api.example.com:8443").await.unwrap(), "HTTP/1.1 /v1/chat");
    let heard = proxy.heard();
    assert!(heard.starts_with("CONNECT api.example.com:8443 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains(&format!("proxy-authorization: {AUTHORIZATION}\r\n")) && !heard.contains(KEY), "{heard}");
    assert!(!format!("{transport:?} {transport:#?}").contains("secret"));
}

#[tokio::test]
async fn a_proxy_may_itself_be_spoken_to_over_tls() {
    let (authority, host) = tls_host().await;
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(authority.server("127.0.0.1", LATER, &["h2", "http/1.1"])));
    let address = host.address;
    let proxy = Listening::start(move |client, heard| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut client) = acceptor.accept(client).await else { return };
            let head = read_head(&mut client).await;
            heard.lock().unwrap().extend_from_slice(head.as_bytes());
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            pass_on(client, address, &heard).await;
        }
    })
    .await;
    let transport = through(proxies("https", "", proxy.address), &authority);
    assert_eq!(ask(&transport, "https://api.example.com").await.unwrap(), "HTTP/2.0 /v1/chat");
    assert!(proxy.heard().starts_with("CONNECT api.example.com:443 "));

    let untrusting = through(proxies("https", "", proxy.address), &Authority::named("a stranger"));
    let error = ask(&untrusting, "https://api.example.com").await.unwrap_err();
    let expected = format!("connect to api.example.com:443: through the proxy {}: invalid peer", proxy.address);
    assert!(text(&error).starts_with(&expected) && error.is_connect() && !error.was_sent(), "{error}");
}

#[tokio::test]
async fn a_socks_proxy_is_told_the_name_and_the_port_of_the_host() {
    let (authority, host) = tls_host().await;
    let address = host.address;
    let proxy = Listening::start(move |mut client, heard| async move {
        let mut greeting = [0; 2];
        client.read_exact(&mut greeting).await.unwrap();
        let mut methods = vec![0; usize::from(greeting[1])];
        client.read_exact(&mut methods).await.unwrap();
        assert_eq!((greeting[0], methods.as_slice()), (5, &[2][..]));
        client.write_all(&[5, 2]).await.unwrap();
        let mut login = [0; 16];
        client.read_exact(&mut login).await.unwrap();
        assert_eq!(&login, b"\x01\x04user\x09sk-secret");
        client.write_all(&[1, 0]).await.unwrap();
        let mut wanted = [0; 22];
        client.read_exact(&mut wanted).await.unwrap();
        heard.lock().unwrap().extend_from_slice(&wanted);
        client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await.unwrap();
        pass_on(client, address, &heard).await;
    })
    .await;
    let transport = through(proxies("socks5h", "user:sk-secret@", proxy.address), &authority);
    assert_eq!(ask(&transport, "https://api.example.com:258").await.unwrap(), "HTTP/2.0 /v1/chat");
    let heard = proxy.heard();
    assert!(heard.starts_with("\x05\x01\x00\x03\x0fapi.example.com\x01\x02"), "{heard:?}");
    assert!(!heard.contains(SECRET));
}

#[tokio::test]
async fn a_plain_request_goes_through_a_proxy_with_its_whole_url() {
    let proxy = Listening::start(|mut client, heard| async move {
        loop {
            let head = read_head(&mut client).await;
            let mut body = [0; 15];
            if client.read_exact(&mut body).await.is_err() {
                return;
            }
            heard.lock().unwrap().extend_from_slice(head.as_bytes());
            client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nanswer").await.unwrap();
        }
    })
    .await;
    let proxies = proxies("http", "user:sk-secret@", proxy.address);
    let transport = HyperTransport::builder().http_only().proxies(proxies).build().unwrap();
    for _ in 0..2 {
        assert_eq!(ask(&transport, "http://api.example.com:8080").await.unwrap(), "answer");
    }
    assert_eq!(proxy.opened(), 1);
    let heard = proxy.heard();
    assert!(heard.starts_with("POST http://api.example.com:8080/v1/chat?key=sk-secret HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("host: api.example.com:8080\r\n"), "{heard}");
    assert_eq!(heard.matches(&format!("proxy-authorization: {AUTHORIZATION}\r\n")).count(), 2, "{heard}");
}

#[tokio::test]
async fn an_excepted_host_is_spoken_to_without_the_proxy() {
    let authority = Authority::new();
    let host = tls_server(authority.server("127.0.0.1", LATER, &["h2"]), describe).await;
    let proxy = proxy_to(host.address).await;
    let direct = proxies("http", "", proxy.address).except("127.0.0.0/8");
    let url = format!("https://{}", host.address);
    assert_eq!(ask(&through(direct, &authority), &url).await.unwrap(), "HTTP/2.0 /v1/chat");
    assert_eq!(proxy.opened(), 0);
    // The same without the exception.
    let through = through(proxies("http", "", proxy.address), &authority);
    assert_eq!(ask(&through, &url).await.unwrap(), "HTTP/2.0 /v1/chat");
    assert_eq!(proxy.opened(), 1);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_with_its_reason_and_without_its_password() {
    async fn check(answer: &'static [u8], url: &str, user: &str, reason: &str) {
        let proxy = Listening::start(move |mut client, _| async move {
            read_head(&mut client).await;
            let _ = client.write_all(answer).await;
        })
        .await;
        let transport = through(proxies("http", user, proxy.address), &Authority::new());
        let error = ask(&transport, url).await.unwrap_err();
        let shown = text(&error);
        let host = if url.starts_with("https") { "api.example.com:443" } else { "api.example.com:80" };
        assert_eq!(shown, format!("connect to {host}: through the proxy {}: {reason}", proxy.address));
        assert!(error.is_connect() && !error.was_sent() && !error.is_timeout(), "{error:?}");
    }
    let (https, http) = ("https://api.example.com", "http://api.example.com");
    let login =
        b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\ncontent-length: 900\r\n\r\nno";
    for url in [https, http] {
        check(login, url, "", "it asks for a user name and password (407)").await;
        check(login, url, "user:sk-secret@", "it does not accept the user name and password (407)").await;
    }
    let forbidden = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n";
    check(forbidden, https, "", "it refuses to connect (403 Forbidden)").await;
    check(b"HTTP/1.1 502 Bad Gateway\r\n\r\n", https, "", "it refuses to connect (502 Bad Gateway)").await;
    check(b"HTTP/1.1 200 OK\r\n\r\n220 mail", https, "", "it speaks in the tunnel before it is asked").await;
    check(b"", https, "", "connection closed before message completed").await;
    check(b"SSH-2.0-OpenSSH_9.9\r\n\r\n", https, "", "invalid HTTP version parsed").await;
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "socks5"] {
        let transport = through(proxies(scheme, "user:sk-secret@", address), &Authority::new());
        for url in ["https://api.example.com", "http://api.example.com"] {
            let error = ask(&transport, url).await.unwrap_err();
            let expected = format!(": through the proxy {address}: ");
            assert!(text(&error).contains(&expected) && error.is_connect() && !error.was_sent(), "{error}");
        }
    }
}

#[tokio::test]
async fn a_proxy_that_stays_mute_is_bounded_by_the_connect_timeout() {
    let proxy = Listening::start(|client, _| async move {
        let _open = client;
        std::future::pending::<()>().await;
    })
    .await;
    let connect = Duration::from_millis(30);
    let transport = through(proxies("http", "", proxy.address), &Authority::new());
    let mut request = to("https://api.example.com");
    request.extensions_mut().insert(Timeouts { connect, ..Timeouts::default() });
    let error = transport.send(request).await.unwrap_err();
    assert_eq!(text(&error), "connect to api.example.com:443: no connection within 30ms");
    assert!(error.is_connect() && error.is_timeout() && !error.was_sent());
}
