//! TLS against real servers: who is trusted, which protocol is spoken, how connections are shared.

use futures::future::{BoxFuture, join_all};
use tokio::sync::Barrier;

use super::server::{Answer, Authority, Listening, describe, redirect_to, tls_server};
use super::*;
use crate::{Proxies, Stage, Tls};

const BOTH: &[&str] = &["h2", "http/1.1"];
/// Not before the other certificates have expired too.
const LATER: i32 = 4096;

fn trusting(authority: &Authority) -> HyperTransport {
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    HyperTransport::builder().tls(tls).proxies(Proxies::none()).build().unwrap()
}

fn to(server: &Listening) -> Request<Body> {
    let mut request = question();
    *request.uri_mut() = format!("https://{}/v1/chat?key={SECRET}", server.address).parse().unwrap();
    request
}

async fn ask(transport: &HyperTransport, request: Request<Body>) -> Result<String, Error> {
    let body = transport.send(request).await?.into_body().collect_bounded(1024).await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted_and_http2_is_spoken_where_the_server_offers_it() {
    let authority = Authority::new();
    for (protocols, expected) in
        [(BOTH, "HTTP/2.0 /v1/chat"), (&["http/1.1"], "HTTP/1.1 /v1/chat"), (&[], "HTTP/1.1 /v1/chat")]
    {
        let server = tls_server(authority.server("127.0.0.1", LATER, protocols), describe).await;
        assert_eq!(ask(&trusting(&authority), to(&server)).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn http2_is_not_offered_where_only_http1_is_wanted_and_nothing_else_where_only_http2_is() {
    let authority = Authority::new();
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    let builder = HyperTransport::builder().tls(tls).proxies(Proxies::none());
    let http1 = builder.clone().http1_only().build().unwrap();
    assert_eq!(ask(&http1, to(&server)).await.unwrap(), "HTTP/1.1 /v1/chat");
    let http2 = builder.http2_prior_knowledge().build().unwrap();
    assert_eq!(ask(&http2, to(&server)).await.unwrap(), "HTTP/2.0 /v1/chat");
    let old = tls_server(authority.server("127.0.0.1", LATER, &["http/1.1"]), describe).await;
    let error = ask(&http2, to(&old)).await.unwrap_err();
    assert!(error.is_connect() && text(&error).contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_refused_with_the_reason_before_anything_is_sent() {
    async fn check(transport: &HyperTransport, server: &Listening, reason: &str) {
        let error = ask(transport, to(server)).await.unwrap_err();
        let shown = text(&error);
        let expected = format!("connect to {}: invalid peer certificate: {reason}", server.address);
        assert!(shown.starts_with(&expected), "{shown}");
        assert!(error.is_connect() && !error.was_sent() && !error.is_timeout(), "{error:?}");
    }
    let (authority, stranger) = (Authority::new(), Authority::named("a stranger"));
    let transport = trusting(&authority);
    let unknown = tls_server(stranger.server("127.0.0.1", LATER, BOTH), describe).await;
    check(&transport, &unknown, "UnknownIssuer").await;
    let elsewhere = tls_server(authority.server("api.example.com", LATER, BOTH), describe).await;
    check(&transport, &elsewhere, "certificate not valid for name \"127.0.0.1\"").await;
    let expired = tls_server(authority.server("127.0.0.1", 2002, BOTH), describe).await;
    check(&transport, &expired, "certificate expired").await;
    // The transport is as good as before.
    let good = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    assert!(ask(&transport, to(&good)).await.is_ok());
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_beside_those_of_the_platform() {
    let (authority, stranger) = (Authority::new(), Authority::named("a stranger"));
    let tls = Tls::platform().trust_pem(authority.pem().as_bytes()).unwrap();
    let transport = HyperTransport::builder().tls(tls).proxies(Proxies::none()).build().unwrap();
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    assert!(ask(&transport, to(&server)).await.is_ok());
    let unknown = tls_server(stranger.server("127.0.0.1", LATER, BOTH), describe).await;
    assert!(ask(&transport, to(&unknown)).await.unwrap_err().is_connect());
}

#[test]
fn certificates_that_cannot_be_read_are_refused_with_what_is_wrong() {
    let (authority, other) = (Authority::new().pem(), Authority::new().pem());
    let several = format!("{authority}text between them\n{other}");
    assert!(Tls::nobody().trust_pem(several.as_bytes()).is_ok());
    let cut = authority.replace("-----END", "");
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (pem, reason) in [
        ("", "there is no BEGIN CERTIFICATE in it"),
        ("MIIB", "there is no BEGIN CERTIFICATE in it"),
        (cut.as_str(), "section end"),
        (not_a_certificate, "invalid peer certificate: BadEncoding"),
    ] {
        let error = Tls::platform().trust_pem(pem.as_bytes()).unwrap_err();
        assert_eq!(error.stage(), Stage::Setup);
        assert!(text(&error).starts_with("set-up: certificates: ") && text(&error).contains(reason), "{error}");
    }
    let error = Tls::nobody().trust_pem_file("no/such/file.pem").unwrap_err();
    assert!(text(&error).starts_with("set-up: no/such/file.pem: "), "{error}");
}

#[tokio::test]
async fn requests_at_the_same_time_share_one_http2_connection() {
    const TOGETHER: usize = 50;
    // Nobody is answered before everybody is there.
    let barrier = Arc::new(Barrier::new(TOGETHER));
    let together = move |request: Request<Incoming>| -> BoxFuture<'static, Answer> {
        let barrier = Arc::clone(&barrier);
        Box::pin(async move {
            if request.uri().path() == "/together" {
                barrier.wait().await;
            }
            describe(request).await
        })
    };
    let authority = Authority::new();
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), together).await;
    let transport = trusting(&authority);
    assert_eq!(ask(&transport, to(&server)).await.unwrap(), "HTTP/2.0 /v1/chat");
    let answers = join_all((0..TOGETHER).map(|_| {
        let mut request = to(&server);
        *request.uri_mut() = format!("https://{}/together", server.address).parse().unwrap();
        ask(&transport, request)
    }));
    assert!(answers.await.iter().all(|answer| answer.as_ref().unwrap() == "HTTP/2.0 /together"));
    assert_eq!(server.opened(), 1);
}

#[tokio::test]
async fn another_http2_connection_is_opened_where_one_has_all_it_carries_and_falls_idle_afterwards() {
    const EACH: usize = 4;
    // Nobody is answered before everybody is there, which one connection with so few streams never comes to.
    let barrier = Arc::new(Barrier::new(3 * EACH));
    let together = move |request: Request<Incoming>| -> BoxFuture<'static, Answer> {
        let barrier = Arc::clone(&barrier);
        Box::pin(async move {
            if request.uri().path() == "/together" {
                barrier.wait().await;
            }
            describe(request).await
        })
    };
    let authority = Authority::new();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(authority.server("127.0.0.1", LATER, &["h2"])));
    let server = Listening::start(move |connection, _| {
        let (acceptor, together) = (acceptor.clone(), together.clone());
        async move {
            let Ok(connection) = acceptor.accept(connection).await else { return };
            let mut http2 = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            http2.max_concurrent_streams(u32::try_from(EACH).unwrap());
            let service = service_fn(move |request| {
                let answer = together(request);
                async { Ok::<_, io::Error>(answer.await) }
            });
            let _ = http2.serve_connection(TokioIo::new(connection), service).await;
        }
    })
    .await;
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    let builder = HyperTransport::builder().tls(tls).proxies(Proxies::none()).http2_prior_knowledge();
    let transport = builder.requests_per_connection(EACH).build().unwrap();
    let answers = join_all((0..3 * EACH).map(|_| {
        let mut request = to(&server);
        *request.uri_mut() = format!("https://{}/together", server.address).parse().unwrap();
        ask(&transport, request)
    }));
    assert!(answers.await.iter().all(|answer| answer.as_ref().unwrap() == "HTTP/2.0 /together"));
    assert_eq!(server.opened(), 3);
    for _ in 0..3 * EACH {
        // One after the other: the first connection has room for each.
        ask(&transport, to(&server)).await.unwrap();
    }
    assert_eq!(server.opened(), 3);
}

#[tokio::test]
async fn http1_requests_one_after_the_other_share_a_connection_and_none_is_kept_where_none_may_be() {
    let authority = Authority::new();
    let server = tls_server(authority.server("127.0.0.1", LATER, &["http/1.1"]), describe).await;
    let transport = trusting(&authority);
    for _ in 0..10 {
        ask(&transport, to(&server)).await.unwrap();
    }
    assert_eq!(server.opened(), 1);
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap();
    let builder = HyperTransport::builder().tls(tls).proxies(Proxies::none());
    let forgetful = builder.pool_max_idle_per_host(0).build().unwrap();
    for opened in [2, 3] {
        ask(&forgetful, to(&server)).await.unwrap();
        assert_eq!(server.opened(), opened);
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_returned_and_that_host_hears_nothing() {
    let authority = Authority::new();
    let other = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    let location = format!("https://{}/v1/chat", other.address);
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), redirect_to(location)).await;
    let response = trusting(&authority).send(to(&server)).await.unwrap();
    assert_eq!(response.status(), 308);
    assert_eq!(response.headers()["location"], format!("https://{}/v1/chat", other.address));
    assert_eq!((server.opened(), other.opened()), (1, 0));
}

#[tokio::test]
async fn a_transport_for_http_alone_needs_no_certificates_and_refuses_https() {
    let transport = HyperTransport::builder().http_only().proxies(Proxies::none()).build().unwrap();
    let mut request = question();
    *request.uri_mut() = "https://host/v1".parse().unwrap();
    let error = transport.send(request).await.unwrap_err();
    assert_eq!(text(&error), "request: this transport has no TLS for a URL with the scheme https");
}

#[cfg(feature = "webpki-roots")]
#[tokio::test]
async fn mozillas_list_does_not_have_an_authority_of_ones_own_unless_it_is_added() {
    let authority = Authority::new();
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    let with = |tls| HyperTransport::builder().tls(tls).proxies(Proxies::none()).build().unwrap();
    let error = ask(&with(Tls::mozilla()), to(&server)).await.unwrap_err();
    assert!(error.is_connect() && text(&error).contains("UnknownIssuer"), "{error}");
    let tls = Tls::mozilla().trust_pem(authority.pem().as_bytes()).unwrap();
    assert!(ask(&with(tls), to(&server)).await.is_ok());
}

#[cfg(feature = "aws-lc-rs")]
#[tokio::test]
async fn the_other_cryptography_speaks_to_the_same_servers() {
    let authority = Authority::new();
    let server = tls_server(authority.server("127.0.0.1", LATER, BOTH), describe).await;
    let tls = Tls::nobody().trust_pem(authority.pem().as_bytes()).unwrap().aws_lc_rs();
    let transport = HyperTransport::builder().tls(tls).proxies(Proxies::none()).build().unwrap();
    assert_eq!(ask(&transport, to(&server)).await.unwrap(), "HTTP/2.0 /v1/chat");
}
