//! The transport on reqwest keeps the promises of the one on hyper. Over loopback: reqwest dials for itself.

use futures::channel::mpsc;
use futures::future::join_all;
use http_body_util::{BodyExt, StreamBody};

use super::server::{Authority, Listening, describe, proxy_to, read_head, redirect_to, tls_server};
use super::*;
use crate::{ReqwestTransport, Stage, Tls, reqwest};

const LATER: i32 = 4096;
const BOTH: &[&str] = &["h2", "http/1.1"];

fn trusting(authority: &Authority) -> ReqwestTransport {
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    ReqwestTransport::new(reqwest::Client::builder().no_proxy(), &tls, Timeouts::default()).unwrap()
}

fn plain() -> ReqwestTransport {
    ReqwestTransport::new(reqwest::Client::builder().no_proxy(), &Tls::nobody(), Timeouts::default()).unwrap()
}

fn to(url: impl std::fmt::Display) -> Request<Body> {
    let mut request = question();
    *request.uri_mut() = format!("{url}/v1/chat?key={SECRET}").parse().unwrap();
    request
}

async fn ask(transport: &ReqwestTransport, request: Request<Body>) -> Result<String, Error> {
    let body = transport.send(request).await?.into_body().collect_bounded(1024).await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// A server that reads a head, writes these bytes and stays.
async fn writing(bytes: &'static [u8]) -> Listening {
    Listening::start(move |mut client, _| async move {
        read_head(&mut client).await;
        let _ = client.write_all(bytes).await;
        std::future::pending::<()>().await;
    })
    .await
}

#[tokio::test]
async fn http2_is_negotiated_and_requests_at_the_same_time_share_the_connection() {
    let authority = Authority::new();
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    let transport = trusting(&authority);
    let url = format!("https://{}", server.address);
    assert_eq!(ask(&transport, to(&url)).await.unwrap(), "HTTP/2.0 /v1/chat");
    let answers = join_all((0..20).map(|_| ask(&transport, to(&url)))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap() == "HTTP/2.0 /v1/chat"));
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_refused_with_the_reason_before_anything_is_sent() {
    async fn check(transport: &ReqwestTransport, server: &Listening, reason: &str) {
        let error = ask(transport, to(format!("https://{}", server.address))).await.unwrap_err();
        let expected = format!("connect to {}: invalid peer certificate: {reason}", server.address);
        assert!(text(&error).starts_with(&expected), "{error}");
        assert!(error.is_connect() && !error.was_sent() && !error.is_timeout(), "{error:?}");
    }
    let (authority, stranger) = (Authority::new(), Authority::named("a stranger"));
    let transport = trusting(&authority);
    let unknown = tls_server(stranger.server("127.0.0.1", LATER, BOTH), describe).await;
    check(&transport, &unknown, "UnknownIssuer").await;
    let elsewhere = tls_server(authority.server("api.example.com", LATER, BOTH), describe).await;
    check(&transport, &elsewhere, "certificate not valid for name").await;
    let expired = tls_server(authority.server("127.0.0.1", 2002, BOTH), describe).await;
    check(&transport, &expired, "certificate expired").await;
}

#[tokio::test]
async fn a_redirect_to_another_host_is_returned_whatever_the_builder_says_and_that_host_hears_nothing() {
    let authority = Authority::new();
    let other = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    let location = format!("https://{}/v1/chat", other.address);
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), redirect_to(location)).await;
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::limited(9));
    let transport = ReqwestTransport::new(builder, &tls, Timeouts::default()).unwrap();
    let response = transport.send(to(format!("https://{}", server.address))).await.unwrap();
    assert_eq!(response.status(), 308);
    assert_eq!((server.opened(), other.opened()), (1, 0));
}

#[tokio::test]
async fn both_directions_stream_at_the_same_time() {
    let authority = Authority::new();
    let echo = |request: Request<Incoming>| async move {
        assert!(!request.headers().contains_key("content-length"));
        Response::new(request.into_body().map_err(io::Error::other).boxed())
    };
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), echo).await;
    let (mut write, written) = mpsc::channel::<Result<Bytes, io::Error>>(1);
    let request = to(format!("https://{}", server.address)).map(|_| Body::from_stream(written));
    let mut body = trusting(&authority).send(request).await.unwrap().into_body();
    for chunk in ["one", "two", "three"] {
        write.try_send(Ok(Bytes::from(chunk))).unwrap();
        assert_eq!(body.chunk().await.unwrap().unwrap(), chunk);
    }
    drop(write);
    assert!(body.chunk().await.unwrap().is_none());
}

#[tokio::test]
async fn a_request_whose_own_body_breaks_off_says_so_and_may_have_been_sent_in_part() {
    let server = Listening::start(|mut client, _| async move {
        let _ = client.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let chunks = futures::stream::iter([Ok(Bytes::from("half")), Err(io::Error::other("the file was cut"))]);
    let request = to(format!("http://{}", server.address)).map(|_| Body::from_stream(chunks));
    let error = plain().send(request).await.unwrap_err();
    assert_eq!(text(&error), format!("request to {}: the file was cut", server.address));
    assert!(error.is_request() && error.was_sent() && !error.is_connect());
}

#[tokio::test]
async fn what_goes_wrong_is_sorted_by_how_far_the_request_got() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let error = plain().send(to(format!("http://{nobody}"))).await.unwrap_err();
    assert!(text(&error).starts_with(&format!("connect to {nobody}: ")), "{error}");
    assert!(error.is_connect() && !error.was_sent());

    let garbage = writing(b"SSH-2.0-OpenSSH_9.9\r\n\r\n").await;
    let error = plain().send(to(format!("http://{}", garbage.address))).await.unwrap_err();
    assert!(text(&error).starts_with(&format!("response from {}: ", garbage.address)), "{error}");
    assert!(error.is_protocol() && error.was_sent() && !error.is_connect());

    let mute = writing(b"").await;
    let mut request = to(format!("http://{}", mute.address));
    request.extensions_mut().insert(Timeouts { first_byte: Duration::ZERO, ..Timeouts::default() });
    let hasty = Timeouts { connect: Duration::from_millis(50), ..Timeouts::default() };
    let transport = ReqwestTransport::new(reqwest::Client::builder().no_proxy(), &Tls::nobody(), hasty).unwrap();
    let error = transport.send(request).await.unwrap_err();
    assert_eq!(text(&error), format!("response from {}: no answer within 50ms", mute.address));
    assert!(error.is_timeout() && error.was_sent() && error.stage() == Stage::Response);

    let cut = writing(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    let mut request = to(format!("http://{}", cut.address));
    request.extensions_mut().insert(Timeouts { idle: Duration::from_millis(20), ..Timeouts::default() });
    let mut body = plain().send(request).await.unwrap().into_body();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "half");
    let error = body.chunk().await.unwrap_err();
    assert_eq!(text(&error), format!("response body from {}: nothing for 20ms", cut.address));
    assert!(error.is_timeout() && error.is_body());

    for (url, expected) in
        [("ftp://host", "expected a URL with the scheme"), ("http://sk-secret@host", "a user before")]
    {
        let error = plain().send(to(url)).await.unwrap_err();
        assert!(text(&error).contains(expected) && error.is_request() && !error.was_sent(), "{error}");
    }
}

#[tokio::test]
async fn the_proxy_of_the_builder_is_used_and_its_password_shown_to_nobody() {
    let authority = Authority::new();
    let host = tls_server(authority.server("api.example.com", LATER, BOTH), describe).await;
    let proxy = proxy_to(host.address).await;
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    let through = reqwest::Proxy::all(format!("http://user:sk-secret@{}", proxy.address)).unwrap();
    let builder = reqwest::Client::builder().proxy(through);
    let transport = ReqwestTransport::new(builder, &tls, Timeouts::default()).unwrap();
    assert_eq!(ask(&transport, to("https://api.example.com")).await.unwrap(), "HTTP/2.0 /v1/chat");
    assert!(proxy.heard().starts_with("CONNECT api.example.com:443 HTTP/1.1\r\n"));
    assert!(!proxy.heard().contains(SECRET));
    assert!(!format!("{transport:?}").contains(SECRET));
}

#[cfg(feature = "compression")]
#[tokio::test]
async fn compressed_answers_are_decoded_here_and_not_by_reqwest() {
    let authority = Authority::new();
    let zipped = |request: Request<Incoming>| async move {
        assert_eq!(request.headers()["accept-encoding"], "gzip, br, zstd");
        let mut out = Vec::new();
        let mut encoder = async_compression::tokio::bufread::GzipEncoder::new(&b"answer"[..]);
        encoder.read_to_end(&mut out).await.unwrap();
        let frames = futures::stream::iter([Ok::<_, io::Error>(http_body::Frame::data(Bytes::from(out)))]);
        let mut response = Response::new(StreamBody::new(frames).boxed());
        response.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
        response
    };
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), zipped).await;
    let answer = ask(&trusting(&authority), to(format!("https://{}", server.address))).await.unwrap();
    assert_eq!(answer, "answer");
}
