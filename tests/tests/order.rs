//! Requests of one client that go in another order than they came.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::time::{Duration, SystemTime};

use chat_limiter::tokenizer::Encoding;
use chat_limiter::{Builder, Priority};
use chat_limiter_tests::{Face, Load, Stopwatch, same_random_numbers, wire};
use simulator::{Config, Simulator};

const FACE: Face = Face::OpenAi;
const REQUESTS_PER_MINUTE: u64 = 600;
const TOKENS_PER_MINUTE: u64 = 60_000;

fn client(simulator: &Simulator) -> Builder {
    FACE.client(wire::to(simulator)).concurrency(2_000)
}

fn simulator() -> Simulator {
    let config = Config::default()
        .with_requests_per_minute(REQUESTS_PER_MINUTE)
        .with_tokens_per_minute(TOKENS_PER_MINUTE)
        .with_latency(Duration::from_millis(50))
        .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    Simulator::new(config).unwrap()
}

/// Two and a half minutes of requests that take few tokens, then as long of tokens in few requests.
async fn time_for_small_ones_then_large_ones(look_ahead: bool) -> Duration {
    same_random_numbers();
    let simulator = simulator();
    let mut builder = client(&simulator);
    if look_ahead {
        builder = builder.look_ahead(Duration::from_secs(60));
    }
    let small = (0..1_500).map(|_| FACE.question(FACE.model(), 5, 5));
    let large = (0..100).map(|_| FACE.question(FACE.model(), 500, 1_500));
    let load = Load::run(&builder.build().unwrap(), small.chain(large)).await;
    assert_eq!((load.answered, load.rate_limited), (1_600, 0), "{:?}", load.failures.first());
    load.elapsed
}

/// Both buckets are full at the start: what is taken beyond that has to be refilled, ten requests and a thousand tokens a
/// second.
#[tokio::test(start_paused = true)]
async fn a_file_of_small_and_then_large_requests_takes_as_long_as_the_scarcer_limit() {
    Encoding::for_model_or_default(FACE.model()).load();
    let requests = (1_600 - REQUESTS_PER_MINUTE) * 60 / REQUESTS_PER_MINUTE;
    let tokens = (1_500 * 5 + 100 * 1_500 - TOKENS_PER_MINUTE) * 60 / TOKENS_PER_MINUTE;
    let least = Duration::from_secs(requests.max(tokens));
    let in_turn = time_for_small_ones_then_large_ones(false).await;
    let ahead = time_for_small_ones_then_large_ones(true).await;
    println!("in turn {in_turn:.1?}, looking ahead {ahead:.1?}, at least {least:.1?}");
    assert!(in_turn > least.mul_f64(1.5), "{in_turn:?} of {least:?}");
    assert!(ahead < least.mul_f64(1.01), "{ahead:?} of {least:?}");
}

#[tokio::test(start_paused = true)]
async fn an_urgent_request_is_answered_before_those_that_came_earlier() {
    Encoding::for_model_or_default(FACE.model()).load();
    let simulator = simulator();
    let client = client(&simulator).build().unwrap();
    // A minute of requests more than there are.
    let watch = Stopwatch::start();
    let everyday = Load::run(&client, (0..1_200).map(|_| FACE.question(FACE.model(), 5, 5)));
    let urgent = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let request = FACE.question(FACE.model(), 5, 5).with_priority(Priority::HIGHEST);
        client.request(request).await.unwrap();
        watch.elapsed()
    };
    let (load, urgent) = tokio::join!(everyday, urgent);
    assert_eq!(load.answered, 1_200, "{:?}", load.failures.first());
    assert!(urgent < Duration::from_millis(5_300), "{urgent:?}");
    assert!(load.elapsed > Duration::from_secs(59), "{:?}", load.elapsed);
}
