//! What changes and is watched while requests are on their way: limits, usage, the end.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::time::Duration;

use chat_limiter::limiter_core::{Dimension, Limit};
use chat_limiter::{ChatLimiter, Request};
use chat_limiter_tests::{Face, Load, Part, Reply, Scripted, Stopwatch, same_random_numbers, wire};
use futures::StreamExt;
use simulator::{Config, Simulator};

const MODEL: &str = "gpt-4o-mini";

fn questions(count: usize) -> Vec<Request> {
    (0..count).map(|_| Face::OpenAi.question(MODEL, 20, 50)).collect()
}

/// A client of a provider whose limits are far away.
fn unlimited() -> (Simulator, chat_limiter::Builder) {
    same_random_numbers();
    let config = Config::default().with_requests_per_minute(1_000_000).with_tokens_per_minute(1_000_000_000);
    let simulator = Simulator::new(config).unwrap();
    let client = Face::OpenAi.client(wire::to(&simulator));
    (simulator, client)
}

async fn after(span: u64, change: impl FnOnce()) {
    tokio::time::sleep(Duration::from_secs(span)).await;
    change();
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_raised_in_the_middle_of_a_run_holds_from_then_on() {
    let (_simulator, client) = unlimited();
    let client = client.requests_per_minute(60).build().unwrap();
    // 60 at once, 30 in half a minute, and the other 30 at once: of the new limit 60 have been taken, too.
    let raise = || client.set_limit(Limit::per_minute(Dimension::Requests, 600));
    let (load, ()) = tokio::join!(Load::run(&client, questions(120)), after(30, raise));
    assert_eq!(load.answered, 120, "{:?}", load.failures.first());
    let seconds = load.elapsed.as_secs_f64();
    assert!((30.0..31.0).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn two_models_are_each_held_to_the_limit_that_the_caller_gave_it() {
    let (_simulator, client) = unlimited();
    let client = client
        .limit_for("gpt-4o", Limit::per_minute(Dimension::Requests, 60))
        .limit_for(MODEL, Limit::per_minute(Dimension::Requests, 240))
        .build()
        .unwrap();
    let large = (0..120).map(|_| Face::OpenAi.question("gpt-4o", 20, 50));
    let (large, small) = tokio::join!(Load::run(&client, large), Load::run(&client, questions(480)));
    for load in [large, small] {
        assert!(load.failures.is_empty(), "{:?}", load.failures.first());
        let seconds = load.elapsed.as_secs_f64();
        assert!((59.0..63.0).contains(&seconds), "{seconds}: neither held up the other");
    }
}

#[tokio::test(start_paused = true)]
async fn a_buffer_leaves_its_part_of_the_providers_limit_there() {
    same_random_numbers();
    let config = Config::default().with_requests_per_minute(600).with_tokens_per_minute(1_000_000_000);
    let simulator = Simulator::new(config).unwrap();
    let client = Face::OpenAi.client(wire::to(&simulator)).buffer_ratio(0.5).build().unwrap();
    // 300 at once and 300 a minute, in place of 600.
    let load = Load::run(&client, questions(1_200)).await;
    assert_eq!((load.answered, load.rate_limited), (1_200, 0), "{:?}", load.failures.first());
    let minutes = load.elapsed.as_secs_f64() / 60.0;
    assert!((2.95..3.2).contains(&minutes), "{minutes}");
}

#[tokio::test(start_paused = true)]
async fn what_is_shown_as_used_is_what_the_answers_say_they_took() {
    let (simulator, client) = unlimited();
    let client = client.build().unwrap();
    let mut subscription = client.subscribe();
    let load = Load::run(&client, questions(200)).await;
    let tokens: u64 = load.ends.iter().filter_map(|end| end.usage).map(|usage| usage.total).sum();
    let (usage, served) = (client.usage(), simulator.statistics());
    assert_eq!((usage.requests, usage.tokens), (200, tokens));
    assert_eq!((usage.input_tokens, usage.output_tokens), (served.input_tokens, served.output_tokens));
    let shown = &client.current_limits()[0];
    assert_eq!((shown.requests_used, shown.tokens_used), (200, tokens));
    assert!(subscription.changed().await.is_ok());
    assert_eq!(subscription.borrow()[0].requests_used, 200);
    assert!(serde_json::to_value(shown).unwrap()["request_limit"].is_u64());
}

/// A client of a server that takes ten seconds for a whole answer, and twenty for a stream.
fn slow() -> ChatLimiter {
    let server = Scripted::reading(|_, body| {
        let wait = Part::Wait(Duration::from_secs(10));
        if String::from_utf8_lossy(body).contains("\"stream\":true") {
            Reply::stream([Part::text("a"), wait.clone(), Part::text("b"), wait, Part::end(5, 2)])
        } else {
            Reply::stream([wait, Part::end(5, 0)])
        }
    });
    server.client(Face::OpenAi).build().unwrap()
}

fn streamed() -> Request {
    Request::post("/v1/chat/completions", r#"{"model":"gpt-4o-mini","stream":true,"max_tokens":5,"messages":[]}"#)
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_lets_requests_and_streams_come_to_their_end() {
    let client = slow();
    let mut stream = client.stream(streamed()).await.unwrap();
    let clone = client.clone();
    let whole = tokio::spawn(async move { clone.request(Face::OpenAi.question(MODEL, 5, 5)).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let watch = Stopwatch::start();
    let reading = async { while stream.next().await.is_some() {} };
    tokio::join!(client.shutdown(), reading);
    let seconds = watch.elapsed().as_secs_f64();
    assert!((18.0..21.0).contains(&seconds), "{seconds}");
    assert!(whole.await.unwrap().is_ok());
    assert!(client.request(Face::OpenAi.question(MODEL, 5, 5)).await.unwrap_err().is_closed());
    // The stream is over, though it is still there.
    drop(stream);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_holds_up_no_shutdown() {
    let client = slow();
    let stream = client.stream(streamed()).await.unwrap();
    let watch = Stopwatch::start();
    let (is_done, ()) = tokio::join!(client.shutdown_within(Duration::from_secs(5)), after(1, || drop(stream)));
    assert!(is_done);
    assert_eq!(watch.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_to_be_tried_again_is_sent_before_the_client_is_shut_down() {
    let failure = Reply::error(503, &[("retry-after", "20")], "overloaded", "Later.");
    let server = Scripted::in_turn(vec![failure]);
    let client = server.client(Face::OpenAi).build().unwrap();
    let clone = client.clone();
    let request = tokio::spawn(async move { clone.request(Face::OpenAi.question(MODEL, 5, 5)).await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let watch = Stopwatch::start();
    client.shutdown().await;
    assert_eq!(watch.elapsed().as_secs(), 19);
    assert_eq!(request.await.unwrap().unwrap().attempts, 2);
}
