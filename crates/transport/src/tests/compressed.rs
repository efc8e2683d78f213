//! Compressed answers, from the request that asks for them to the connection that is free afterwards.

use async_compression::tokio::bufread::GzipEncoder;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use tokio::io::AsyncReadExt;

use super::*;

const ANSWER: &str = "{\"choices\":[]}";

async fn gzip(text: &str) -> Bytes {
    let mut out = Vec::new();
    GzipEncoder::new(text.as_bytes()).read_to_end(&mut out).await.unwrap();
    Bytes::from(out)
}

/// Answers in gzip, and says what was accepted.
async fn zipped(request: Request<Incoming>) -> Response<BoxBody<Bytes, io::Error>> {
    let accepted = request.headers().get("accept-encoding").cloned();
    let mut response = Response::new(Full::from(gzip(ANSWER).await).map_err(|never| match never {}).boxed());
    response.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    if let Some(accepted) = accepted {
        response.headers_mut().insert("x-accepted", accepted);
    }
    response
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_asked_for_compressed_and_decoded_and_the_connection_is_used_again() {
    for http2 in [false, true] {
        let piped = piped_as(http2, move |pipe| async move {
            if http2 { serve_http2(pipe, zipped).await } else { serve_http1(pipe, zipped).await }
        });
        for _ in 0..3 {
            let response = piped.send(question()).await.unwrap();
            assert_eq!(response.headers()["x-accepted"], "gzip, br, zstd");
            assert!(!response.headers().contains_key("content-encoding"));
            assert!(!response.headers().contains_key("content-length"));
            assert_eq!(response.into_body().collect_bounded(ANSWER.len()).await.unwrap(), ANSWER);
        }
        assert_eq!(piped.opened(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn who_says_what_he_accepts_gets_it_as_it_comes() {
    async fn check(response: Response<Body>, accepted: Option<&str>) {
        assert_eq!(response.headers().get("x-accepted").map(|value| value.to_str().unwrap()), accepted);
        assert_eq!(response.headers()["content-encoding"], "gzip");
        let bytes = gzip(ANSWER).await;
        assert_eq!(response.headers()["content-length"], bytes.len().to_string());
        assert_eq!(response.into_body().collect_bounded(1024).await.unwrap(), bytes);
    }
    let piped = piped(|pipe| serve_http1(pipe, zipped));
    let mut own = question();
    own.headers_mut().insert("accept-encoding", "gzip;q=0.5".parse().unwrap());
    check(piped.send(own).await.unwrap(), Some("gzip;q=0.5")).await;
    let mut part = question();
    part.headers_mut().insert("range", "bytes=0-99".parse().unwrap());
    check(piped.send(part).await.unwrap(), None).await;

    let connector = crate::from_fn(|_uri| {
        let (ours, theirs) = duplex(1024);
        tokio::spawn(serve_http1(theirs, zipped));
        async { Ok::<_, io::Error>(ours) }
    });
    let plain = HyperTransport::with_connector(connector, Timeouts::default()).compression(false);
    check(plain.send(question()).await.unwrap(), None).await;
}

#[tokio::test(start_paused = true)]
async fn a_compressed_answer_that_stalls_fails_after_the_idle_timeout_with_what_came_before() {
    let piped = piped(|pipe| {
        serve_http1(pipe, async |_| {
            let half = gzip(ANSWER).await.slice(..20);
            let frames = futures::stream::iter([Ok(http_body::Frame::data(half))]);
            let mut response =
                Response::new(StreamBody::new(futures::StreamExt::chain(frames, futures::stream::pending())));
            response.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
            response
        })
    });
    let mut body = piped.send(question()).await.unwrap().into_body();
    let (outcome, elapsed) = timed(async {
        loop {
            match body.chunk().await {
                Ok(chunk) => assert!(ANSWER.as_bytes().starts_with(&chunk.unwrap())),
                Err(error) => break error,
            }
        }
    })
    .await;
    assert_eq!(text(&outcome), "response body from api.example.com:80: nothing for 60s");
    assert!(outcome.is_timeout() && outcome.is_body());
    assert_eq!(elapsed, Duration::from_secs(60));
}
