//! Bodies: as they come, bounded, and broken.

use http_body_util::{BodyExt, Full, StreamBody};
use tokio::sync::mpsc;

use super::*;
use crate::Stage;

/// Answers every connection with `bytes` and closes it.
fn raw(bytes: &'static [u8]) -> Piped {
    piped(move |pipe| async move { drop(write_raw(pipe, bytes).await) })
}

/// A body of `chunks`, whose length nobody announced.
fn chunks(chunks: &[&'static str]) -> Body {
    let frames: Vec<_> =
        chunks.iter().map(|chunk| Ok::<_, io::Error>(http_body::Frame::data(Bytes::from(*chunk)))).collect();
    Body::new(StreamBody::new(futures::stream::iter(frames)))
}

#[tokio::test(start_paused = true)]
async fn a_chunk_can_be_read_before_the_next_one_is_written() {
    let (write, written) = mpsc::unbounded_channel::<Result<http_body::Frame<Bytes>, io::Error>>();
    let written = Arc::new(std::sync::Mutex::new(Some(written)));
    let piped = piped(move |pipe| {
        let written = written.clone();
        serve_http1(pipe, move |_| {
            let mut written = written.lock().unwrap().take().unwrap();
            let frames = futures::stream::poll_fn(move |cx| written.poll_recv(cx));
            async { Response::new(StreamBody::new(frames)) }
        })
    });
    let mut body = piped.send(question()).await.unwrap().into_body();
    for event in ["data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"] {
        write.send(Ok(http_body::Frame::data(Bytes::from(event)))).unwrap();
        assert_eq!(body.chunk().await.unwrap().unwrap(), event);
    }
    drop(write);
    assert!(body.chunk().await.unwrap().is_none());
}

#[tokio::test]
async fn a_body_is_collected_whole_up_to_its_limit_and_refused_beyond_it() {
    async fn check(body: Body, limit: usize, expected: Option<&str>) {
        match (body.collect_bounded(limit).await, expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, expected),
            (Err(error), None) => {
                assert!(error.is_body_too_large() && error.is_body() && error.was_sent());
                assert_eq!(text(&error), format!("response body: larger than {limit} bytes"));
            }
            (found, expected) => panic!("{found:?} instead of {expected:?} within {limit}"),
        }
    }
    check(Body::empty(), 0, Some("")).await;
    check(Body::from_bytes("answer"), 6, Some("answer")).await;
    check(Body::from_bytes("answer"), 5, None).await;
    check(Body::new(Full::new(Bytes::from("answer"))), 5, None).await;
    check(chunks(&["an", "", "sw", "er"]), 6, Some("answer")).await;
    check(chunks(&["an", "", "sw", "er"]), 5, None).await;
    check(chunks(&["answer"]), usize::MAX, Some("answer")).await;
    check(chunks(&["answer"]), 0, None).await;
}

#[tokio::test(start_paused = true)]
async fn an_announced_length_beyond_the_limit_is_refused_without_reading() {
    let piped = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551000\r\n\r\n");
    let body = piped.send(question()).await.unwrap().into_body();
    let (outcome, elapsed) = timed(body.collect_bounded(1 << 20)).await;
    assert!(outcome.unwrap_err().is_body_too_large());
    assert_eq!(elapsed, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_refused_at_the_limit() {
    let piped = piped(|pipe| async {
        let mut pipe = write_raw(pipe, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
        while pipe.write_all(b"4\r\ndata\r\n").await.is_ok() {}
    });
    let body = piped.send(question()).await.unwrap().into_body();
    assert!(body.collect_bounded(1 << 16).await.unwrap_err().is_body_too_large());
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_gives_what_arrived_and_then_one_error() {
    async fn check(bytes: &'static [u8], arrived: &str, protocol: bool, cause: &str) {
        let mut body = raw(bytes).send(question()).await.unwrap().into_body();
        let mut found = String::new();
        let error = loop {
            match body.chunk().await {
                Ok(Some(chunk)) => found.push_str(std::str::from_utf8(&chunk).unwrap()),
                Ok(None) => panic!("{found:?} passed for a whole body"),
                Err(error) => break error,
            }
        };
        assert_eq!(found, arrived);
        let shown = text(&error);
        assert!(shown.starts_with(&format!("response body from api.example.com:80: {cause}")), "{shown}");
        assert_eq!(error.is_protocol(), protocol, "{error:?}");
        assert!(error.is_body() && error.was_sent() && !error.is_timeout() && !error.is_body_too_large());
        assert!(body.chunk().await.unwrap().is_none(), "after an error it is at its end");
    }
    let cut = "end of file";
    check(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "half", false, cut).await;
    let cut = "unexpected EOF";
    check(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "half", false, cut).await;
    let garbled = "Invalid chunk size line";
    check(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n", "half", true, garbled).await;
}

#[tokio::test]
async fn an_error_of_the_transport_passes_through_a_body_around_a_body_unchanged() {
    let uri = http::Uri::from_static("https://api.example.com/v1?key=sk-secret");
    let inner =
        Body::received(StreamBody::new(futures::stream::iter([Err(io::Error::other("cut"))])), &uri, Duration::MAX);
    let mut outer = Body::new(inner.map_frame(|frame| frame));
    let error = outer.chunk().await.unwrap_err();
    assert_eq!(text(&error), "response body from api.example.com:443: cut");
    assert_eq!(error.stage(), Stage::Body);
}
