//! Answers that come as streams: those that end, and those that break, stall, or carry an error.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chat_limiter::limiter_core::Dimension;
use chat_limiter::transport::{self, Body, Timeouts, Transport};
use chat_limiter::{AnswerStream, Builder, ChatLimiter, ChatRequest, Error, Message, Request};
use chat_limiter_tests::{Face, Part, Reply, Scripted, Stopwatch, in_flight, same_random_numbers, waiting, wire};
use futures::StreamExt;
use futures::future::BoxFuture;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::{Value, json};
use simulator::{Config, Faults, Simulator};

const TOKENS_PER_MINUTE: u64 = 6_000;
/// More than any stream of these tests produces.
const MOST_OUTPUT: u64 = 1_000;

fn question() -> Request {
    Face::OpenAi.question("gpt-4o-mini", 20, MOST_OUTPUT)
}

/// A client with one slot and a limit that it is told.
fn client(server: &Scripted) -> ChatLimiter {
    same_random_numbers();
    server.client(Face::OpenAi).concurrency(1).tokens_per_minute(TOKENS_PER_MINUTE).build().unwrap()
}

/// The tokens of the limit that are taken, where no time has passed.
fn taken(client: &ChatLimiter) -> u64 {
    let limits = client.limits();
    let limit = limits[0].state.limits.iter().find(|state| state.limit.dimension() == Dimension::Tokens).unwrap();
    TOKENS_PER_MINUTE - u64::try_from(limit.level).unwrap()
}

/// The tokens of the prompt, as the client counts them.
async fn prompt() -> u64 {
    let server = Scripted::in_turn(Vec::new());
    let client = server.client(Face::OpenAi).tokens_per_minute(1).build().unwrap();
    client.request(question()).await.unwrap_err().rate_limit().unwrap().input_tokens
}

/// What is read of a stream: the texts, and the error that ends it.
async fn read_to_end(stream: &mut AnswerStream) -> (Vec<String>, Option<Error>) {
    let mut texts = Vec::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => texts.extend(event.text()),
            Err(error) => {
                assert!(stream.next().await.is_none(), "an error ends a stream");
                return (texts, Some(error));
            }
        }
    }
    (texts, None)
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_is_settled_with_its_usage_and_holds_its_slot_until_then() {
    let server = Scripted::in_turn(vec![Reply::stream([Part::text("Hel"), Part::text("lo"), Part::end(7, 2)])]);
    let client = client(&server);
    let mut stream = client.stream(question()).await.unwrap();
    assert_eq!((stream.status().as_u16(), stream.attempts(), stream.usage()), (200, 1, None));
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(in_flight(&client), 1);
    assert!(taken(&client) >= MOST_OUTPUT, "reserved: {}", taken(&client));
    let another = client.request(question());
    tokio::pin!(another);
    assert!(futures::poll!(&mut another).is_pending());
    assert_eq!(read_to_end(&mut stream).await.0, ["Hel", "lo"]);
    let usage = stream.usage().unwrap();
    assert_eq!((usage.input, usage.output, usage.total, stream.is_complete()), (7, 2, 9, true));
    // Its capacity and its slot are back though it is still there. The other request takes ten tokens.
    another.await.unwrap();
    assert_eq!((in_flight(&client), taken(&client)), (0, 9 + 10));
    assert!(stream.next().await.is_none());
    assert_eq!(stream.history().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_is_settled_with_what_was_produced_and_not_tried_again() {
    for (case, end, code) in [("breaks", Part::Break, "connection"), ("stalls", Part::Stall, "timeout")] {
        let sent = Part::Wait(Duration::from_millis(1));
        let server = Scripted::in_turn(vec![Reply::stream([Part::text("12345678"), Part::text("9"), sent, end])]);
        let client = client(&server);
        let mut stream = client.stream(question()).await.unwrap();
        let watch = Stopwatch::start();
        let (texts, error) = read_to_end(&mut stream).await;
        let error = error.unwrap_or_else(|| panic!("{case}: {texts:?} {stream:?}"));
        assert_eq!(
            (texts.concat().as_str(), error.code(), error.attempts()),
            ("123456789", code, 1),
            "{case}: {error}"
        );
        assert_eq!((error.is_timeout(), stream.is_complete()), (code == "timeout", false), "{case}");
        let last = error.history().last().unwrap();
        assert_eq!((last.code, last.status.map(|status| status.as_u16())), (Some(code), Some(200)), "{case}");
        assert_eq!((in_flight(&client), waiting(&client), server.arrivals().len()), (0, 0, 1), "{case}");
        if code == "timeout" {
            assert!((60..=61).contains(&watch.elapsed().as_secs()), "the idle timeout: {:?}", watch.elapsed());
        } else {
            // Nine bytes are three tokens.
            assert_eq!(taken(&client), prompt().await + 3, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_is_settled_with_what_was_produced_and_gives_its_slot_back() {
    for (read, expected) in [(0, 2), (1, 2), (2, 3)] {
        let parts = [Part::text("12345678"), Part::Wait(Duration::from_millis(1)), Part::text("9"), Part::Stall];
        let server = Scripted::in_turn(vec![Reply::stream(parts)]);
        let client = client(&server);
        let mut stream = client.stream(question()).await.unwrap();
        for _ in 0..read {
            stream.next().await.unwrap().unwrap();
        }
        drop(stream);
        assert_eq!((in_flight(&client), waiting(&client)), (0, 0));
        assert_eq!(taken(&client), prompt().await + expected, "after {read} events");
        client.request(question()).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_is_not_taken_for_a_server_that_stalls() {
    let server = Scripted::in_turn(vec![Reply::stream([Part::text("a"), Part::text("b"), Part::end(7, 2)])]);
    let mut stream = client(&server).stream(question()).await.unwrap();
    for text in ["a", "b"] {
        assert_eq!(stream.next().await.unwrap().unwrap().text().as_deref(), Some(text));
        let _ = tokio::time::timeout(Duration::from_secs(3_600), std::future::pending::<()>()).await;
    }
    assert!(read_to_end(&mut stream).await.1.is_none() && stream.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_model_may_think_before_its_first_event_as_long_as_before_a_whole_answer() {
    // 120 s, and one more for every 20 tokens that may be produced.
    let longest = Duration::from_secs(120 + MOST_OUTPUT / 20);
    let thinking = |span| {
        let parts = [Part::Send(": thinking\n\n".into()), Part::Wait(span), Part::text("Hi"), Part::end(7, 1)];
        Scripted::new(move |_| Reply::stream(parts.clone()))
    };
    let mut stream = client(&thinking(longest - Duration::from_secs(1))).stream(question()).await.unwrap();
    assert_eq!((read_to_end(&mut stream).await.0.concat().as_str(), stream.attempts()), ("Hi", 1));
    let server = thinking(longest + Duration::from_secs(1));
    let error = client(&server).stream(question()).await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), ("timeout", 2), "{error}");
    let took = error.history().last().unwrap().took;
    assert!(took >= longest && took <= longest + Duration::from_millis(1), "{took:?}");
    // A caller's own timeouts hold as they are.
    let timeouts = Timeouts { idle: Duration::from_secs(5), ..Timeouts::default() };
    let client = thinking(Duration::from_secs(6)).client(Face::OpenAi).timeouts(timeouts).build().unwrap();
    assert!(client.stream(question()).await.unwrap_err().is_timeout());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_sends_comments_for_ever_is_given_up() {
    let comment = || Part::Repeat(Bytes::from_static(b": still here\n\n"), Duration::from_secs(15));
    // Before the first event it is asked once more.
    let server = Scripted::new(move |_| Reply::stream([comment()]));
    let error = client(&server).stream(question()).await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), ("timeout", 2), "{error}");
    let server = Scripted::new(move |_| Reply::stream([Part::text("a"), comment()]));
    let client = client(&server);
    let mut stream = client.stream(question()).await.unwrap();
    let watch = Stopwatch::start();
    let (texts, error) = read_to_end(&mut stream).await;
    assert_eq!((texts.len(), error.unwrap().code()), (1, "timeout"));
    assert!((600..=616).contains(&watch.elapsed().as_secs()), "{:?}", watch.elapsed());
    assert_eq!(in_flight(&client), 0);
}

#[tokio::test(start_paused = true)]
async fn before_its_first_event_a_stream_is_tried_again_as_any_request() {
    let inside = |code: u16| Part::event(&json!({"error": {"code": code, "message": "Upstream failed"}}));
    let cases: Vec<(&str, Vec<Reply>, u32)> = vec![
        ("a status", vec![Reply::error(500, &[], "api_error", "Sorry.")], 2),
        ("a refusal", vec![Reply::error(429, &[("retry-after", "3")], "rate_limit_exceeded", "Later.")], 2),
        ("a reset", vec![Reply::Reset, Reply::Reset], 3),
        ("an error first", vec![Reply::stream([inside(502)])], 2),
        ("an error after a comment", vec![Reply::stream([Part::Send(": hm\n\n".into()), inside(502)])], 2),
        ("a refusal first", vec![Reply::stream([inside(429)])], 2),
        ("an end before anything", vec![Reply::stream([])], 2),
        ("a break before anything", vec![Reply::stream([Part::Break])], 2),
        ("a page", vec![Reply::text(200, &[("content-type", "text/html")], "<html></html>")], 2),
    ];
    for (case, mut replies, attempts) in cases {
        replies.push(Reply::stream([Part::text("Hi"), Part::end(7, 1)]));
        let server = Scripted::in_turn(replies);
        let client = client(&server);
        let mut stream = client.stream(question()).await.unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!((stream.attempts(), stream.history().len()), (attempts, attempts as usize), "{case}");
        let failed: Vec<bool> = stream.history().iter().map(|attempt| attempt.code.is_some()).collect();
        assert!(failed.split_last().is_some_and(|(last, before)| !last && before.iter().all(|it| *it)), "{case}");
        let (texts, error) = read_to_end(&mut stream).await;
        assert!(error.is_none() && texts == ["Hi"], "{case}: {error:?}");
        assert_eq!((in_flight(&client), waiting(&client)), (0, 0), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_inside_a_stream_ends_it_with_its_kind() {
    let chat = |code: &str| json!({"error": {"code": code, "type": code, "message": "Something happened."}});
    for (data, code) in [
        (chat("rate_limit_exceeded"), "rate_limited"),
        (chat("insufficient_quota"), "quota_exhausted"),
        (json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}), "overloaded"),
        (
            json!({"error": {"code": 502, "message": "Upstream error"}, "choices": [{"finish_reason": "error"}]}),
            "transient",
        ),
    ] {
        let server =
            Scripted::in_turn(vec![Reply::stream([Part::text("1234"), Part::event(&data), Part::text("never")])]);
        let client = client(&server);
        let mut stream = client.stream(question()).await.unwrap();
        let (texts, error) = read_to_end(&mut stream).await;
        let error = error.unwrap_or_else(|| panic!("{data}"));
        assert_eq!((texts.concat().as_str(), error.code(), error.is_status()), ("1234", code, true), "{error}");
        assert_eq!(serde_json::from_slice::<Value>(error.body().unwrap()).unwrap(), data);
        assert_eq!((in_flight(&client), server.arrivals().len()), (0, 1), "{data}");
        // A refusal for the rate holds back whoever shares the limit.
        let is_paused = client.limits()[0].state.paused_until.is_some();
        assert_eq!((error.is_rate_limited(), is_paused), (code == "rate_limited", code == "rate_limited"), "{data}");
        if code != "rate_limited" {
            assert_eq!(taken(&client), prompt().await + 1, "{data}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_whole_is_one_event() {
    let body = json!({"id": "1", "choices": [{"message": {"content": "Hi"}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}});
    let server = Scripted::in_turn(vec![Reply::json(200, &[], &body)]);
    let client = client(&server);
    let mut stream = client.stream(question()).await.unwrap();
    assert_eq!((in_flight(&client), taken(&client)), (0, 10));
    let event = stream.next().await.unwrap().unwrap();
    assert_eq!((event.json::<Value>().unwrap(), event.text().as_deref()), (body, Some("Hi")));
    assert!(stream.next().await.is_none() && stream.is_complete());
    assert_eq!(stream.usage().unwrap().total, 10);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_say_what_it_is_is_found_out() {
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10});
    let whole = json!({"choices": [{"message": {"content": "Hi"}}], "usage": usage}).to_string();
    let events =
        format!("data: {}\n\ndata: [DONE]\n\n", json!({"choices": [{"delta": {"content": "Hi"}}], "usage": usage}));
    for headers in [&[][..], &[("content-type", "text/plain; charset=utf-8")]] {
        for body in [&whole, &events] {
            let server = Scripted::in_turn(vec![Reply::text(200, headers, body.clone())]);
            let client = client(&server);
            let mut stream = client.stream(question()).await.unwrap();
            assert_eq!(
                (read_to_end(&mut stream).await.0.concat().as_str(), stream.attempts()),
                ("Hi", 1),
                "{headers:?} {body}"
            );
            assert_eq!((stream.usage().unwrap().total, taken(&client), in_flight(&client)), (10, 10, 0));
            assert!(stream.is_complete(), "{headers:?} {body}");
        }
        let server = Scripted::new(move |_| Reply::text(200, headers, "Welcome!"));
        let mut stream = client(&server).stream(question()).await.unwrap();
        assert_eq!((&stream.next().await.unwrap().unwrap().data[..], stream.attempts()), (&b"Welcome!"[..], 1));
        assert!(stream.next().await.is_none() && stream.is_complete());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_without_a_usage_is_settled_with_an_estimate_and_one_that_shows_nothing_as_reserved() {
    let server =
        Scripted::in_turn(vec![Reply::stream([Part::text("12345678"), Part::Send("data: [DONE]\n\n".into())])]);
    let first = client(&server);
    assert!(read_to_end(&mut first.stream(question()).await.unwrap()).await.1.is_none());
    assert_eq!(taken(&first), prompt().await + 2);
    let sound =
        Reply::stream([Part::Send("\u{1}\u{2}".into()), Part::Send("\u{3}".into())]).with("content-type", "audio/mpeg");
    let server = Scripted::in_turn(vec![sound]);
    let second = client(&server);
    let mut stream = second.stream(question()).await.unwrap();
    let reserved = taken(&second);
    let mut sound = Vec::new();
    while let Some(event) = stream.next().await {
        sound.extend_from_slice(&event.unwrap().data);
    }
    assert_eq!((sound, taken(&second), in_flight(&second)), (vec![1, 2, 3], reserved, 0));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_too_large_ends_the_stream() {
    let large = format!("data: {}", "x".repeat(3_000));
    let parts = [Part::text("a"), Part::Send(large.clone().into()), Part::Send(large.into())];
    let server = Scripted::new(move |_| Reply::stream(parts.clone()));
    let client = server.client(Face::OpenAi).answer_limit(4_000).build().unwrap();
    let mut stream = client.stream(question()).await.unwrap();
    let (texts, error) = read_to_end(&mut stream).await;
    let error = error.unwrap();
    assert_eq!((texts.len(), error.code()), (1, "invalid_answer"), "{error}");
    assert!(error.to_string().contains("4000 bytes"), "{error}");
    assert_eq!(in_flight(&client), 0);
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_a_stream_are_passed_on_as_they_come_wherever_they_are_cut() {
    let whole = format!(
        ": hm\r\n\r\nevent: a\ndata: {}\n\ndata: {}\n\ndata: [DONE]\n\n",
        json!({"choices": [{"delta": {"content": "Gr\u{fc}\u{df} dich"}}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}})
    );
    for size in [1, 2, 3, 7, 64, 1_000] {
        let parts: Vec<Part> =
            whole.as_bytes().chunks(size).map(|chunk| Part::Send(Bytes::copy_from_slice(chunk))).collect();
        let server = Scripted::in_turn(vec![Reply::stream(parts.clone()), Reply::stream(parts)]);
        let client = client(&server);
        let mut bytes = client.stream(question()).await.unwrap().into_bytes();
        let mut passed = Vec::new();
        while let Some(chunk) = bytes.next().await {
            passed.extend_from_slice(&chunk.unwrap());
        }
        assert_eq!(String::from_utf8(passed).unwrap(), whole, "{size}");
        assert_eq!((bytes.stream().usage().unwrap().total, taken(&client)), (9, 9), "{size}");
        let mut stream = client.stream(question()).await.unwrap();
        let event = stream.next().await.unwrap().unwrap();
        assert_eq!((event.name.as_str(), event.text().as_deref()), ("a", Some("Gr\u{fc}\u{df} dich")), "{size}");
        assert!(read_to_end(&mut stream).await.1.is_none());
    }
}

const EVENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const COMMENT: &str = ": nothing\n\n";

/// A provider whose every answer begins with the one and repeats the other for ever, as fast as it is read, and how often
/// it was read.
struct Flood(&'static str, &'static str, Arc<AtomicUsize>);

impl Transport for Flood {
    fn send(&self, _: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
        let (first, then, read) = (self.0, self.1, Arc::clone(&self.2));
        let mut bytes = std::iter::once(first).chain(std::iter::repeat(then));
        let frames = futures::stream::repeat_with(move || {
            read.fetch_add(1, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Frame::data(Bytes::from_static(bytes.next().unwrap().as_bytes())))
        });
        let response = http::Response::builder().header("content-type", "text/event-stream");
        let response = response.body(Body::new(StreamBody::new(frames))).map_err(transport::Error::invalid_request);
        Box::pin(std::future::ready(response))
    }
}

fn flood(first: &'static str, then: &'static str) -> (ChatLimiter, Arc<AtomicUsize>) {
    let read = Arc::<AtomicUsize>::default();
    let builder = Face::OpenAi.client(Arc::new(Flood(first, then, Arc::clone(&read)))).answer_limit(10_000);
    (builder.tokens_per_minute(1_000_000).build().unwrap(), read)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_before_it_is_asked_for() {
    let (client, read) = flood(EVENT, EVENT);
    let mut stream = client.stream(question()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    for asked in 1..100 {
        assert_eq!(stream.next().await.unwrap().unwrap().text().as_deref(), Some("a"));
        assert_eq!(read.load(Ordering::Relaxed), asked);
    }
    drop(stream);
    assert_eq!(in_flight(&client), 0);
}

#[tokio::test(start_paused = true)]
async fn a_flood_without_an_event_ends_and_leaves_others_their_turn() {
    let (client, read) = flood(COMMENT, COMMENT);
    let error = client.stream(question()).await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), ("invalid_answer", 2), "{error}");
    assert!(error.to_string().contains("10000 bytes"), "{error}");
    assert_eq!(read.load(Ordering::Relaxed), 2 * (10_000 / COMMENT.len() + 1));
    let (client, read) = flood(EVENT, COMMENT);
    let mut stream = client.stream(question()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    assert!(futures::poll!(stream.next()).is_pending());
    assert!(read.load(Ordering::Relaxed) < 100, "looked at {} chunks in one turn", read.load(Ordering::Relaxed));
    assert_eq!(read_to_end(&mut stream).await.1.unwrap().code(), "invalid_answer");
}

async fn story(client: &ChatLimiter, face: Face) -> AnswerStream {
    let mut request = ChatRequest::new(face.model(), vec![Message::user("Tell me a story.")]);
    request.max_tokens = Some(200);
    client.chat_stream(&request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_chat_is_streamed_from_every_provider_with_its_usage() {
    for face in Face::ALL {
        let simulator = Simulator::new(Config::default().with_output_tokens(20, 20)).unwrap();
        let client = face.client(wire::to(&simulator)).build().unwrap();
        let mut stream = story(&client, face).await;
        let (texts, error) = read_to_end(&mut stream).await;
        assert!(error.is_none(), "{face:?}: {error:?}");
        assert!(texts.len() > 5, "{face:?}: {texts:?}");
        assert_eq!(stream.usage().map(|usage| usage.output), Some(20), "{face:?}");
        assert!(stream.is_complete(), "{face:?}");
        assert_eq!((in_flight(&client), simulator.statistics().answered), (0, 1), "{face:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_the_provider_breaks_off_end_with_an_error_and_leak_nothing() {
    for face in Face::ALL {
        let faults = Faults { stream_break_rate: 1.0, ..Faults::default() };
        let simulator = Simulator::new(Config::default().with_output_tokens(50, 50).with_faults(faults)).unwrap();
        let settings = |builder: Builder| builder.concurrency(1);
        let client = settings(face.client(wire::to(&simulator))).build().unwrap();
        for _ in 0..5 {
            let mut stream = match client.stream(streamed(face)).await {
                Ok(stream) => stream,
                // Broken off before the first event, each time.
                Err(error) => {
                    assert_eq!(error.code(), "connection", "{face:?}: {error}");
                    continue;
                }
            };
            let (_, error) = read_to_end(&mut stream).await;
            assert_eq!(error.unwrap().code(), "connection", "{face:?}");
            assert_eq!((in_flight(&client), waiting(&client)), (0, 0), "{face:?}");
        }
    }
}

fn streamed(face: Face) -> Request {
    let message = json!([{"role": "user", "content": "Tell me a story."}]);
    let body = json!({"model": face.model(), "max_tokens": 200, "messages": message, "stream": true});
    Request::post(face.path(), body.to_string())
}
