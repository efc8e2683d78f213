//! Requests that fail: what the error says, and whether the request may have been sent.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::*;
use crate::Stage;

fn to(url: &str) -> Request<Body> {
    let mut request = question();
    *request.uri_mut() = url.parse().unwrap();
    request
}

#[tokio::test(start_paused = true)]
async fn garbage_instead_of_http_is_a_protocol_error() {
    let many_headers: &'static [u8] =
        ["HTTP/1.1 200 OK\r\n", &"name: value\r\n".repeat(200), "\r\n"].concat().leak().as_bytes();
    let endless_head: &'static [u8] = ["HTTP/1.1 200 OK\r\nname: ", &"x".repeat(1 << 20)].concat().leak().as_bytes();
    let cases: [&[u8]; 9] = [
        b"\x15\x03\x01\x00\x02\x02\x46 not this port",
        b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
        b"<html>hello</html>\r\n\r\n",
        b"HTTP/1.1 9999 Too Many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        many_headers,
        endless_head,
    ];
    for bytes in cases {
        let piped = piped(move |pipe| async move {
            let _open = write_raw(pipe, bytes).await;
            std::future::pending::<()>().await;
        });
        let error = piped.send(question()).await.unwrap_err();
        let shown = text(&error);
        assert!(shown.starts_with("response from api.example.com:80: "), "{shown}");
        assert!(error.is_protocol() && error.was_sent(), "{}: {error:?}", String::from_utf8_lossy(bytes));
        assert!(!error.is_connect() && !error.is_timeout() && !error.is_request());
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_before_the_answer_may_have_carried_the_request() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-le"] {
        let piped = piped(move |pipe| async move { drop(write_raw(pipe, bytes).await) });
        let error = piped.send(question()).await.unwrap_err();
        assert_eq!(text(&error), "response from api.example.com:80: connection closed before message completed");
        assert!(error.was_sent() && !error.is_protocol() && !error.is_connect());
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_before_it_is_asked_gets_no_request() {
    for http2 in [false, true] {
        let piped = piped_as(http2, async |mut pipe: DuplexStream| {
            let _ = pipe.write_all(b"220 mail.example.com ESMTP\r\n\r\n").await;
            std::future::pending::<()>().await;
        });
        let (outcome, elapsed) = timed(piped.send(question())).await;
        let error = outcome.unwrap_err();
        assert!(text(&error).contains("api.example.com:80: "), "{error}");
        assert!(!error.was_sent(), "{error:?}");
        assert_eq!(elapsed, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_at_once_is_an_error_and_not_a_hang() {
    for http2 in [false, true] {
        let piped = piped_as(http2, async |_pipe| ());
        let (outcome, elapsed) = timed(piped.send(question())).await;
        let error = outcome.unwrap_err();
        assert!(text(&error).contains("api.example.com:80: connection closed"), "{error}");
        assert!(!error.was_sent(), "{error:?}");
        assert_eq!(elapsed, Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_that_the_server_closed_is_replaced_unnoticed() {
    let piped = piped(|pipe| async {
        let pipe = write_raw(pipe, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        drop(pipe);
    });
    for opened in 1..4 {
        assert_eq!(piped.send(question()).await.unwrap().status(), 200);
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(piped.opened(), opened);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_that_fails_is_a_connect_error_with_its_cause_on_one_line() {
    let connector = crate::from_fn(|_uri| async { Err::<DuplexStream, _>(io::Error::other("no\nroute\u{7}")) });
    let transport = HyperTransport::with_connector(connector, Timeouts::default());
    let error = transport.send(question()).await.unwrap_err();
    assert_eq!(text(&error), "connect to api.example.com:80: no route ");
    assert!(error.is_connect() && !error.was_sent() && !error.is_timeout() && !error.is_protocol());
}

#[tokio::test]
async fn a_port_where_nobody_listens_refuses_the_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let transport = HyperTransport::http(Timeouts::default());
    let error = transport.send(to(&format!("http://{address}/v1?key={SECRET}"))).await.unwrap_err();
    let shown = text(&error);
    assert!(shown.starts_with(&format!("connect to {address}: Connection refused")), "{shown}");
    assert!(error.is_connect() && !error.was_sent());
}

#[tokio::test]
async fn a_server_without_tls_fails_an_https_request_before_it_is_sent() {
    let transport = match HyperTransport::https(Timeouts::default()) {
        Ok(transport) => transport,
        // A machine without any trusted certificate.
        Err(error) => return assert_eq!(error.stage(), Stage::Setup),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = connection.read_to_end(&mut Vec::new()).await;
    });
    let error = transport.send(to(&format!("https://{address}/v1?key={SECRET}"))).await.unwrap_err();
    let shown = text(&error);
    assert!(shown.starts_with(&format!("connect to {address}: ")), "{shown}");
    assert!(error.is_connect() && !error.was_sent());
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_is_refused_at_once_with_what_was_expected() {
    async fn check(request: Request<Body>, expected: &str) {
        let error = HyperTransport::http(Timeouts::default()).send(request).await.unwrap_err();
        assert_eq!(text(&error), format!("request: {expected}"));
        assert!(error.is_request() && !error.was_sent() && !error.is_connect());
    }
    check(to("/v1"), "expected an absolute URL such as https://host/path").await;
    check(to("ftp://host/v1"), "expected a URL with the scheme http or https, not ftp").await;
    let secret_user = "http://sk-secret@host/v1";
    check(to(secret_user), "the URL names a user before its host; credentials belong in a header").await;
    check(to("http://host:99999/v1"), "the port of host is not a number from 1 to 65535").await;
    check(to("https://host/v1"), "this transport has no TLS for a URL with the scheme https").await;
    let mut connect = question();
    *connect.method_mut() = http::Method::CONNECT;
    check(connect, "the method CONNECT is for proxies").await;
}

#[test]
fn errors_of_other_transports_have_the_same_text_and_predicates() {
    let uri = http::Uri::from_static("https://sk-secret@api.example.com/v1");
    let error = Error::timed_out(Stage::Response, &uri, Duration::from_secs(5));
    assert_eq!(text(&error), "response: no answer within 5s");
    assert!(error.is_timeout() && error.was_sent() && !error.unsent().was_sent());

    let uri = http::Uri::from_static("https://api.example.com/v1?key=sk-secret");
    let error = Error::new(Stage::Connect, &uri, "no route");
    assert_eq!(text(&error), "connect to api.example.com:443: no route");
    assert!(error.is_connect() && !error.was_sent());
}
