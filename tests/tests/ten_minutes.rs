//! Ten minutes of traffic against each API of the simulator, which the client is told no limit of.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::time::{Duration, SystemTime};

use chat_limiter::ChatLimiter;
use chat_limiter::tokenizer::Encoding;
use chat_limiter_tests::{Face, Load, same_random_numbers, wire};
use simulator::{Config, Metering, Simulator, Statistics};

const REQUESTS_PER_MINUTE: u64 = 120;
const TOKENS_PER_MINUTE: u64 = 24_000;
const LATENCY: Duration = Duration::from_millis(50);
/// What every answer produces.
const OUTPUT: u64 = 40;

/// Prompt and `max_tokens` of one request, in tokens.
#[derive(Clone, Copy, Debug)]
struct Size {
    prompt: u64,
    most_output: u64,
}

/// A full bucket and ten minutes of its refill, in requests and in what they are charged: small ones, middling ones, one
/// in ten that is very large, in an order without a pattern.
fn sizes(face: Face) -> Vec<Size> {
    let kind = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let size = |number| match (kind(number) % 10, face) {
        // 200 tokens each on average: as many as go with each request.
        (0, Face::Anthropic) => Size { prompt: 920, most_output: 4_000 },
        (0, _) => Size { prompt: 60, most_output: 920 },
        (1..=5, _) => Size { prompt: 120, most_output: 60 },
        (_, Face::Anthropic) => Size { prompt: 120, most_output: 500 },
        (_, _) => Size { prompt: 20, most_output: 120 },
    };
    // One that counts by the minute and is used to the last request would need another minute for the first one missed.
    let spare = if face == Face::OpenRouter { REQUESTS_PER_MINUTE / 5 } else { 0 };
    (0..11 * REQUESTS_PER_MINUTE - spare).map(size).collect()
}

fn config(face: Face) -> Config {
    let config = Config::default()
        .with_requests_per_minute(REQUESTS_PER_MINUTE)
        .with_tokens_per_minute(TOKENS_PER_MINUTE)
        .with_input_tokens_per_minute(TOKENS_PER_MINUTE)
        .with_output_tokens_per_minute(TOKENS_PER_MINUTE)
        .with_output_tokens(OUTPUT, OUTPUT)
        .with_latency(LATENCY)
        .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600));
    match face {
        Face::OpenAi | Face::Anthropic | Face::Compatible => config,
        // It counts the requests of each full minute, and says in a refusal how many are allowed and when the next minute
        // begins. Tokens are the affair of the provider behind it, which says neither.
        Face::OpenRouter => config.with_metering(Metering::FixedWindow).with_tokens_per_minute(2 * TOKENS_PER_MINUTE),
    }
}

/// The shortest time in which a provider of that configuration can admit and answer the requests, whoever sends them.
///
/// Whatever exceeds the full bucket has to be refilled. OpenAI charges the larger of prompt and `max_tokens`, Anthropic
/// the prompt against one limit and what was produced against another, which is far from exhausted here. OpenRouter
/// admits a minute's requests at the beginning of each minute.
fn least_time(face: Face, sizes: &[Size]) -> Duration {
    let charged = |size: &Size| if face == Face::Anthropic { size.prompt } else { size.prompt.max(size.most_output) };
    let (requests, tokens) = (sizes.len() as u64, sizes.iter().map(charged).sum::<u64>());
    let minutes = if face == Face::OpenRouter {
        requests.div_ceil(REQUESTS_PER_MINUTE) as f64
    } else {
        (requests as f64 / REQUESTS_PER_MINUTE as f64).max(tokens as f64 / TOKENS_PER_MINUTE as f64)
    };
    Duration::from_secs(60).mul_f64(minutes - 1.0) + LATENCY
}

async fn run(face: Face, sizes: &[Size]) -> (Load, Statistics) {
    same_random_numbers();
    let simulator = Simulator::new(config(face)).unwrap();
    let client: ChatLimiter = face.client(wire::to(&simulator)).build().unwrap();
    let questions = sizes.iter().map(|size| face.question(face.model(), size.prompt as usize, size.most_output));
    let load = Load::run(&client, questions).await;
    (load, simulator.statistics())
}

/// Everything is answered within `bound` times the least time, with no more than one refusal for a hundred requests, and a
/// second run is the same to the nanosecond.
async fn check(face: Face, bound: f64) {
    Encoding::for_model_or_default(face.model()).load();
    let sizes = sizes(face);
    let least = least_time(face, &sizes);
    assert!(least > Duration::from_secs(590), "{least:?} is not ten minutes");

    let (load, statistics) = run(face, &sizes).await;
    let ratio = load.elapsed.as_secs_f64() / least.as_secs_f64();
    println!(
        "{face:?}: {:.1} s, {ratio:.4} of the minimum, {} refusals",
        load.elapsed.as_secs_f64(),
        load.rate_limited
    );
    assert_eq!((load.answered, load.failures.len()), (sizes.len() as u64, 0), "{:?}", load.failures.first());
    assert_eq!((statistics.answered, statistics.refused_other), (load.answered, 0));
    assert_eq!((statistics.requests, statistics.rate_limited), (load.attempts, load.rate_limited));
    assert!(load.rate_limited * 100 <= load.answered, "{} refusals", load.rate_limited);
    assert!(ratio <= bound, "{ratio} of the minimum");

    let (again, statistics_again) = run(face, &sizes).await;
    assert_eq!((again.elapsed, statistics_again), (load.elapsed, statistics));
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_openai_go_at_the_ceiling_of_the_quota() {
    check(Face::OpenAi, 1.01).await;
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_anthropic_go_at_the_ceiling_of_the_quota() {
    check(Face::Anthropic, 1.01).await;
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_openrouter_go_near_the_ceiling_though_it_tells_limits_only_when_it_refuses() {
    // The first refusal is the first word about limits.
    check(Face::OpenRouter, 1.01).await;
}
