//! Each stage ends at exactly its time, and is not charged for another's.

use futures::StreamExt;
use http_body::Frame;
use http_body_util::StreamBody;

use super::*;
use crate::Stage;

const SECOND: Duration = Duration::from_secs(1);

/// A response whose chunks come at the given pauses, and then nothing for ever.
fn dripping(pauses: &'static [u64]) -> Response<impl http_body::Body<Data = Bytes, Error = io::Error>> {
    let chunks = futures::stream::iter(pauses).then(async |pause| {
        tokio::time::sleep(SECOND * u32::try_from(*pause).unwrap()).await;
        Ok(Frame::data(Bytes::from_static(b"chunk")))
    });
    Response::new(StreamBody::new(chunks.chain(futures::stream::pending())))
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_come_about_fails_after_the_connect_timeout() {
    let connector = crate::from_fn(|_uri| std::future::pending::<io::Result<DuplexStream>>());
    let transport = HyperTransport::with_connector(connector, Timeouts::default());
    let (outcome, elapsed) = timed(transport.send(question())).await;
    let error = outcome.unwrap_err();
    assert_eq!(elapsed, 10 * SECOND);
    assert_eq!(text(&error), "connect to api.example.com:80: no connection within 10s");
    assert!(error.is_connect() && error.is_timeout() && !error.was_sent());
}

#[tokio::test(start_paused = true)]
async fn no_attempt_to_connect_lasts_for_ever() {
    let connector = crate::from_fn(|_uri| std::future::pending::<io::Result<DuplexStream>>());
    let transport = HyperTransport::with_connector(connector, Timeouts::NONE);
    let (outcome, elapsed) = timed(transport.send(question())).await;
    let error = outcome.unwrap_err();
    assert_eq!(elapsed, 300 * SECOND);
    assert!(error.is_connect() && error.is_timeout() && !error.was_sent(), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_mute_server_fails_after_the_first_byte_timeout_which_starts_with_the_connection() {
    let connector = crate::from_fn(|_uri| async {
        tokio::time::sleep(9 * SECOND).await;
        let (ours, theirs) = duplex(1024);
        tokio::spawn(async move {
            let _mute = write_raw(theirs, b"").await;
            std::future::pending::<()>().await;
        });
        Ok::<_, io::Error>(ours)
    });
    let transport = HyperTransport::with_connector(connector, Timeouts::default());
    let (outcome, elapsed) = timed(transport.send(question())).await;
    let error = outcome.unwrap_err();
    assert_eq!(elapsed, (9 + 120) * SECOND);
    assert_eq!(text(&error), "response from api.example.com:80: no answer within 120s");
    assert!(error.is_timeout() && error.was_sent() && !error.is_connect() && !error.is_body());
    assert_eq!(error.stage(), Stage::Response);
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_last_moment_is_an_answer() {
    let piped = piped(|pipe| {
        serve_http1(pipe, async |_| {
            tokio::time::sleep(120 * SECOND - Duration::from_millis(1)).await;
            dripping(&[])
        })
    });
    assert_eq!(piped.send(question()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_fails_after_the_idle_timeout_counted_from_its_last_chunk() {
    let piped = piped(|pipe| serve_http1(pipe, async |_| dripping(&[0, 59, 59])));
    let mut body = piped.send(question()).await.unwrap().into_body();
    for expected in [0, 59, 59] {
        let (chunk, elapsed) = timed(body.chunk()).await;
        assert_eq!(chunk.unwrap().unwrap(), "chunk");
        assert_eq!(elapsed, expected * SECOND);
    }
    let (outcome, elapsed) = timed(body.chunk()).await;
    let error = outcome.unwrap_err();
    assert_eq!(elapsed, 60 * SECOND);
    assert_eq!(text(&error), "response body from api.example.com:80: nothing for 60s");
    assert!(error.is_timeout() && error.is_body() && error.was_sent());
    assert!(body.chunk().await.unwrap().is_none(), "after an error it is at its end");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_a_stalled_server() {
    let piped = piped(|pipe| serve_http1(pipe, async |_| dripping(&[0, 1])));
    let mut body = piped.send(question()).await.unwrap().into_body();
    for _ in 0..2 {
        assert!(body.chunk().await.unwrap().is_some());
        tokio::time::sleep(3_600 * SECOND).await;
    }
    assert_eq!(timed(body.chunk()).await.1, 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn timeouts_in_a_request_stand_in_for_those_of_the_transport() {
    let piped = piped(|pipe| {
        serve_http1(pipe, async |_| {
            tokio::time::sleep(200 * SECOND).await;
            dripping(&[0, 100])
        })
    });
    let (outcome, elapsed) =
        timed(piped.send(question_within(Timeouts { first_byte: 3 * SECOND, ..Timeouts::default() }))).await;
    assert!(outcome.unwrap_err().is_timeout());
    assert_eq!(elapsed, 3 * SECOND);

    let mut body = piped.send(question_within(Timeouts::NONE)).await.unwrap().into_body();
    assert!(body.chunk().await.unwrap().is_some());
    assert_eq!(timed(body.chunk()).await.1, 100 * SECOND);
}
