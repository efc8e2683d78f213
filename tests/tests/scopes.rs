//! Models that share limits, and models that do not: the client is told nothing about either.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chat_limiter::limiter_core::{Dimension, LimitSource, Nanos};
use chat_limiter::tokenizer::Encoding;
use chat_limiter::transport::{Body, Error, Transport};
use chat_limiter::{ChatLimiter, Request, ScopeState};
use chat_limiter_tests::{Face, Load, same_random_numbers, wire};
use futures::future::BoxFuture;
use simulator::{Config, Sharing, Simulator};

const LARGE: &str = "gpt-4o";
const SMALL: &str = "gpt-4o-mini";

/// 200 tokens: as many as go with each request.
const TOKENS_PER_REQUEST: u64 = 200;

fn config(requests_per_minute: u64) -> Config {
    Config::default()
        .with_requests_per_minute(requests_per_minute)
        .with_tokens_per_minute(requests_per_minute * TOKENS_PER_REQUEST)
        .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
}

/// Requests for the two models, mixed evenly over the whole.
fn mixed(large: u64, small: u64) -> Vec<Request> {
    let question = |model| Face::OpenAi.question(model, 20, TOKENS_PER_REQUEST);
    let total = large + small;
    (0..total).map(|n| question(if (n + 1) * large / total > n * large / total { LARGE } else { SMALL })).collect()
}

/// The least time for so many requests at `per_minute`: beyond the full bucket they have to be refilled.
fn least_time(requests: u64, per_minute: u64) -> Duration {
    Duration::from_secs(60).mul_f64((requests - per_minute) as f64 / per_minute as f64)
}

async fn run(name: &str, transport: Arc<dyn Transport>, requests: Vec<Request>, least: Duration) -> (ChatLimiter, f64) {
    Encoding::for_model_or_default(LARGE).load();
    same_random_numbers();
    let client = Face::OpenAi.client(transport).build().unwrap();
    let count = requests.len() as u64;
    let load = Load::run(&client, requests).await;
    let ratio = load.elapsed.as_secs_f64() / least.as_secs_f64();
    println!("{name}: {:.1?}, {ratio:.4} of the minimum, {} refusals of {count}", load.elapsed, load.rate_limited);
    assert_eq!((load.answered, load.failures.len()), (count, 0), "{name}: {:?}", load.failures.first());
    assert!(load.rate_limited * 100 <= count, "{name}: {} refusals of {count}", load.rate_limited);
    (client, ratio)
}

/// The requests per minute that the client has found, for the models that share them.
fn found(client: &ChatLimiter) -> Vec<(Vec<String>, u64)> {
    let per_minute = |scope: &ScopeState| {
        let mut limits = scope.state.limits.iter();
        let state = limits.find(|state| state.limit.dimension() == Dimension::Requests)?;
        assert_eq!((state.source, state.limit.window()), (LimitSource::Found, Nanos::MINUTE));
        Some(state.limit.amount())
    };
    let names = |scope: &ScopeState| scope.models.iter().map(ToString::to_string).collect();
    let scopes = client.limits();
    let used = scopes.iter().filter(|scope| !scope.models.is_empty());
    let mut found: Vec<_> = used.filter_map(|scope| Some((names(scope), per_minute(scope)?))).collect();
    found.sort();
    found
}

fn named(names: &[&str], per_minute: u64) -> (Vec<String>, u64) {
    (names.iter().map(ToString::to_string).collect(), per_minute)
}

#[tokio::test(start_paused = true)]
async fn models_that_share_the_accounts_limits_are_kept_in_one_scope() {
    let simulator = Simulator::new(config(300)).unwrap();
    let least = least_time(900, 300);
    let (client, ratio) = run("shared", wire::to(&simulator), mixed(450, 450), least).await;
    assert_eq!(found(&client), [named(&[LARGE, SMALL], 300)]);
    assert!(ratio <= 1.05, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn models_with_equal_limits_of_their_own_are_each_driven_at_them() {
    let simulator = Simulator::new(config(300).with_sharing(Sharing::PerModel)).unwrap();
    let least = least_time(1_500, 300);
    let (client, ratio) = run("equal and apart", wire::to(&simulator), mixed(1_500, 1_500), least).await;
    // What one model's answers say stands in for the other's where they take turns: in one scope or in two.
    let limits = found(&client);
    assert!(limits.iter().all(|(_, per_minute)| *per_minute == 300), "{limits:?}");
    assert_eq!(limits.iter().map(|(models, _)| models.len()).sum::<usize>(), 2, "{limits:?}");
    assert!(ratio <= 1.05, "{ratio}");
}

/// A provider that serves each model from a place of its own.
struct ByModel {
    large: Arc<dyn Transport>,
    small: Arc<dyn Transport>,
}

impl Transport for ByModel {
    fn send(&self, request: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, Error>> {
        let body = request.body().as_bytes().map(|body| String::from_utf8_lossy(body));
        let is_small = body.is_some_and(|body| body.contains(SMALL));
        if is_small { self.small.send(request) } else { self.large.send(request) }
    }
}

#[tokio::test(start_paused = true)]
async fn models_with_different_limits_are_each_driven_at_their_own() {
    let large = Simulator::new(config(60)).unwrap();
    let small = Simulator::new(config(600)).unwrap();
    let transport = Arc::new(ByModel { large: wire::to(&large), small: wire::to(&small) });
    let least = least_time(240, 60).max(least_time(2_400, 600));
    let (client, ratio) = run("different", transport, mixed(240, 2_400), least).await;
    assert_eq!(found(&client), [named(&[LARGE], 60), named(&[SMALL], 600)]);
    assert!(ratio <= 1.05, "{ratio}");
    assert_eq!((large.statistics().answered, small.statistics().answered), (240, 2_400));
}
