//! Compressed answers: what is asked for, decoded, handed on at once, bounded, and refused.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_compression::Level;
use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder};
use async_compression::zstd::CParameter;
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{TryStreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::*;
use crate::peer::Peer;

const FORMS: [&str; 5] = ["gzip", "x-gzip", "deflate", "br", "ZSTD"];

async fn written(mut encoder: impl AsyncWrite + Unpin, text: &[u8]) {
    encoder.write_all(text).await.unwrap();
    encoder.shutdown().await.unwrap();
}

async fn compressed(form: &str, text: &[u8]) -> Bytes {
    let mut out = Vec::new();
    match form {
        "gzip" | "x-gzip" => written(GzipEncoder::new(&mut out), text).await,
        "deflate" => written(ZlibEncoder::new(&mut out), text).await,
        "raw deflate" => written(DeflateEncoder::new(&mut out), text).await,
        "br" => written(BrotliEncoder::with_quality(&mut out, Level::Fastest), text).await,
        _ => written(ZstdEncoder::new(&mut out), text).await,
    }
    Bytes::from(out)
}

fn peer() -> Peer {
    Peer::parse(&http::Uri::from_static("https://api.example.com/v1")).unwrap()
}

/// What comes of a response with these values of `content-encoding`.
fn response(encodings: &[&str], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    for value in encodings {
        response.headers_mut().append(CONTENT_ENCODING, value.parse().unwrap());
    }
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("7"));
    decode(response, &peer())
}

/// A body that comes in pieces of so many bytes.
fn pieces(bytes: &Bytes, size: usize) -> Body {
    let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok::<_, Error>(Bytes::copy_from_slice(piece))).collect();
    Body::from_stream(stream::iter(pieces))
}

/// Text that compresses as text does.
fn prose(bytes: usize) -> Vec<u8> {
    let words = ["limit", "of", "the", "quota", "tokens", "per", "minute", "is", "not", "known"];
    let mut text = Vec::new();
    let mut state = 7_u64;
    while text.len() < bytes {
        // Any numbers that repeat.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend_from_slice(words[usize::try_from(state >> 40).unwrap() % words.len()].as_bytes());
        text.push(b' ');
    }
    text
}

/// What an encoder has written so far.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Bytes {
        Bytes::from(std::mem::take(&mut *self.0.lock().unwrap()))
    }
}

impl AsyncWrite for Written {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn every_form_is_decoded_whatever_the_pieces_it_comes_in_and_its_headers_go() {
    let text = prose(30_000);
    for form in FORMS {
        let bytes = compressed(&form.to_ascii_lowercase(), &text).await;
        assert!(bytes.len() < text.len() / 2);
        for size in [1, 7, 1000, usize::MAX] {
            let response = response(&[form], pieces(&bytes, size.min(bytes.len())));
            assert!(response.headers().is_empty(), "{:?}", response.headers());
            assert_eq!(response.into_body().collect_bounded(text.len()).await.unwrap(), text, "{form} by {size}");
        }
    }
}

#[tokio::test]
async fn deflate_is_read_with_its_wrapping_and_without() {
    let text = prose(10_000);
    for form in ["deflate", "raw deflate"] {
        let body = Body::from_bytes(compressed(form, &text).await);
        assert_eq!(response(&["deflate"], body).into_body().collect_bounded(text.len()).await.unwrap(), text, "{form}");
    }
}

#[tokio::test]
async fn forms_applied_in_turn_are_undone_in_turn_and_what_nobody_does_is_refused() {
    let text = prose(1_000);
    let twice = compressed("br", &compressed("gzip", &text).await).await;
    for encodings in [&["gzip, br"][..], &["identity,gzip ,, BR"], &["gzip", "br"]] {
        let body = response(encodings, Body::from_bytes(twice.clone())).into_body();
        assert_eq!(body.collect_bounded(text.len()).await.unwrap(), text, "{encodings:?}");
    }
    let four = response(&["gzip, gzip, gzip, gzip"], Body::from("irrelevant"));
    let error = four.into_body().collect_bounded(100).await.unwrap_err();
    let expected = "response body from api.example.com:443: compressed 4 times in turn, which nobody asked for";
    assert_eq!(error.to_string(), expected);
    assert!(error.is_body() && error.was_sent());
}

#[tokio::test]
async fn a_form_that_is_not_known_is_left_as_it_is_with_its_headers() {
    for encodings in [&["utf-8"][..], &["gzip, compress"], &["gzip", "x"], &["gzip;q=1"], &["identity"], &[]] {
        let response = response(encodings, Body::from("as it is"));
        assert_eq!(response.headers().get_all(CONTENT_ENCODING).iter().count(), encodings.len());
        assert!(response.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(response.into_body().collect_bounded(100).await.unwrap(), "as it is");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_has_no_form() {
    for form in FORMS {
        assert_eq!(response(&[form], Body::empty()).into_body().collect_bounded(0).await.unwrap(), "");
        let nothing = Body::from_stream(stream::iter([Ok::<_, Error>(Bytes::new())]));
        assert_eq!(response(&[form], nothing).into_body().collect_bounded(0).await.unwrap(), "");
    }
    let empty = compressed("gzip", b"").await;
    assert_eq!(response(&["gzip"], Body::from_bytes(empty)).into_body().collect_bounded(0).await.unwrap(), "");
}

#[tokio::test]
async fn broken_bytes_are_an_error_of_the_body_after_what_came_before_them() {
    let text = prose(300_000);
    for form in FORMS {
        let name = form.trim_start_matches("x-").to_ascii_lowercase();
        let whole = compressed(&name, &text).await;
        let mut garbled = whole.to_vec();
        garbled[whole.len() / 2..].fill(0xff);
        let cut = whole.slice(..whole.len() - 1);
        let trailing = Bytes::from([&whole[..], b"and more"].concat());
        for (what, bytes) in
            [("garbled", garbled.into()), ("cut", cut), ("trailing", trailing), ("text", "text".into())]
        {
            let mut body = response(&[form], pieces(&bytes, 1000)).into_body();
            let mut found = Vec::new();
            let error = loop {
                match body.chunk().await {
                    Ok(Some(chunk)) => found.extend_from_slice(&chunk),
                    Ok(None) => panic!("{what} {form} passed for a whole body"),
                    Err(error) => break error,
                }
            };
            // What is garbled may pass for something else for a while.
            let good = if what == "garbled" { found.len().min(text.len() / 4) } else { found.len() };
            assert!(text.starts_with(&found[..good]), "{what} {form}");
            assert!(what == "text" || found.len() > text.len() / 4, "{what} {form}: {}", found.len());
            let expected = format!("response body from api.example.com:443: {name} that cannot be decoded: ");
            assert!(error.to_string().starts_with(&expected), "{error}");
            assert!(error.is_body() && error.was_sent() && !error.is_timeout() && !error.is_body_too_large());
            assert!(body.chunk().await.unwrap().is_none(), "after an error it is at its end");
        }
    }
}

#[tokio::test]
async fn what_breaks_the_body_that_is_decoded_is_told_unchanged_after_what_came_before() {
    let uri = http::Uri::from_static("https://api.example.com/v1");
    for form in FORMS {
        let bytes = compressed(&form.to_ascii_lowercase(), &prose(300_000)).await;
        let chunks = [Ok(bytes.slice(..bytes.len() / 2)), Err(io::Error::other("cut"))];
        let broken = Body::received(StreamBody::new(stream::iter(chunks).map_ok(Frame::data)), &uri, Duration::MAX);
        let mut body = response(&[form], broken).into_body();
        let mut found = 0;
        let error = loop {
            match body.chunk().await {
                Ok(chunk) => found += chunk.unwrap().len(),
                Err(error) => break error,
            }
        };
        assert!(found > 75_000, "{form}: {found}");
        assert!(error.to_string().ends_with(": cut"), "{error}");
    }
}

#[tokio::test]
async fn a_small_body_that_stands_for_a_large_one_is_refused_at_the_limit() {
    let zeros = vec![0; 4 << 20];
    for form in FORMS {
        let bytes = compressed(&form.to_ascii_lowercase(), &zeros).await;
        assert!(bytes.len() < 8 << 10, "{form}: {}", bytes.len());
        let mut body = response(&[form], Body::from_bytes(bytes.clone())).into_body();
        assert!(body.chunk().await.unwrap().unwrap().len() <= 16 << 10);
        let body = response(&[form], Body::from_bytes(bytes)).into_body();
        let error = body.collect_bounded(1 << 18).await.unwrap_err();
        assert_eq!(error.to_string(), "response body from api.example.com:443: larger than 262144 bytes");
        assert!(error.is_body_too_large());
    }
}

#[tokio::test]
async fn zstd_that_needs_more_memory_than_http_allows_is_refused() {
    for (window, is_allowed) in [(23, true), (24, false)] {
        let mut out = Vec::new();
        let window = [CParameter::window_log(window)];
        written(ZstdEncoder::with_quality_and_params(&mut out, Level::Fastest, &window), &prose(10_000)).await;
        let body = response(&["zstd"], Body::from(out)).into_body();
        let outcome = body.collect_bounded(20_000).await;
        assert_eq!(outcome.is_ok(), is_allowed, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_the_server_flushed_is_handed_on_before_the_next_one_is_written() {
    async fn check(form: &str, mut encoder: impl AsyncWrite + Unpin, out: Written) {
        let (write, chunks) = mpsc::unbounded::<Result<Bytes, Error>>();
        let mut body = response(&[form], Body::from_stream(chunks)).into_body();
        for number in 0..20 {
            let event = format!("data: {number}\n\n");
            encoder.write_all(event.as_bytes()).await.unwrap();
            encoder.flush().await.unwrap();
            write.unbounded_send(Ok(out.take())).unwrap();
            // Nothing else will come: whoever waits for more waits until the clock jumps.
            let chunk = tokio::time::timeout(Duration::from_secs(1), body.chunk()).await;
            assert_eq!(chunk.unwrap_or_else(|_| panic!("{form} held back {event}")).unwrap().unwrap(), event);
        }
        encoder.shutdown().await.unwrap();
        write.unbounded_send(Ok(out.take())).unwrap();
        drop(write);
        assert!(body.chunk().await.unwrap().is_none());
    }
    let pipe = Written::default();
    check("gzip", GzipEncoder::new(pipe.clone()), pipe).await;
    let pipe = Written::default();
    check("deflate", ZlibEncoder::new(pipe.clone()), pipe).await;
    let pipe = Written::default();
    check("br", BrotliEncoder::new(pipe.clone()), pipe).await;
    let pipe = Written::default();
    check("zstd", ZstdEncoder::new(pipe.clone()), pipe).await;
}
