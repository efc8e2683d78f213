//! Many callers at once, on quotas that are small, that change, and that somebody else uses, too.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chat_limiter::ChatLimiter;
use chat_limiter::tokenizer::Encoding;
use chat_limiter::transport::{Body, Error, Transport};
use chat_limiter_tests::{Face, Load, Reply, Scripted, in_flight, same_random_numbers, waiting, wire};
use futures::future::BoxFuture;
use serde_json::Value;
use simulator::{Config, Disturbance, Simulator};

const REQUESTS_PER_MINUTE: u64 = 300;
const MINUTE: Duration = Duration::from_secs(60);

fn config() -> Config {
    Config::default()
        .with_requests_per_minute(REQUESTS_PER_MINUTE)
        .with_tokens_per_minute(REQUESTS_PER_MINUTE * 1_000)
        .with_start_time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
}

fn client(simulator: &Simulator) -> ChatLimiter {
    Encoding::for_model_or_default(Face::OpenAi.model()).load();
    same_random_numbers();
    Face::OpenAi.client(wire::to(simulator)).concurrency(2_000).build().unwrap()
}

async fn run(client: &ChatLimiter, requests: u64) -> Load {
    Load::run(client, (0..requests).map(|_| Face::OpenAi.question(Face::OpenAi.model(), 20, 50))).await
}

/// All are answered, with no more than one refusal for a hundred requests, in that time.
#[track_caller]
fn check(case: &str, client: &ChatLimiter, load: &Load, requests: u64, least: Duration, bound: f64) {
    let ratio = load.elapsed.as_secs_f64() / least.as_secs_f64();
    println!(
        "{case}: {:.1?}, {ratio:.3} of the least time, {} refusals of {requests}",
        load.elapsed, load.rate_limited
    );
    assert_eq!((load.answered, load.failures.len()), (requests, 0), "{case}: {:?}", load.failures.first());
    assert!(load.rate_limited * 100 <= requests, "{case}: {} refusals", load.rate_limited);
    assert!(ratio <= bound, "{case}: {ratio} of the least time");
    assert_eq!((in_flight(client), waiting(client)), (0, 0), "{case}");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_share_a_small_quota_in_the_order_they_came() {
    let client = client(&Simulator::new(config()).unwrap());
    let load = run(&client, 1_000).await;
    let least = MINUTE.mul_f64((1_000 - REQUESTS_PER_MINUTE) as f64 / REQUESTS_PER_MINUTE as f64);
    check("a thousand callers", &client, &load, 1_000, least, 1.01);
    // Nobody is answered later than its place in the line asks for, so nobody starves.
    for end in &load.ends {
        let turn =
            MINUTE.mul_f64((end.place as f64 - REQUESTS_PER_MINUTE as f64).max(0.0) / REQUESTS_PER_MINUTE as f64);
        assert!(end.after <= turn + Duration::from_secs(2), "{end:?} at {turn:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_that_grow_and_shrink_while_a_thousand_wait_are_followed() {
    // A full bucket, a minute at the rate, and then at another one for the rest.
    let requests = 1_200;
    let rest = (requests - 2 * REQUESTS_PER_MINUTE) as f64 / REQUESTS_PER_MINUTE as f64;
    for (factor, bound) in [(2.0, 1.03), (0.5, 1.03)] {
        let change = Disturbance::LimitFactor { at: MINUTE, factor };
        let client = client(&Simulator::new(config().with_disturbances(vec![change])).unwrap());
        let load = run(&client, requests).await;
        check(
            &format!("{factor} times the limit"),
            &client,
            &load,
            requests,
            MINUTE + MINUTE.mul_f64(rest / factor),
            bound,
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_takes_of_the_quota_is_left_to_it() {
    let share = Disturbance::OtherClient { from: Duration::ZERO, until: Duration::from_secs(3_600), share: 0.5 };
    let client = client(&Simulator::new(config().with_disturbances(vec![share])).unwrap());
    let load = run(&client, 1_000).await;
    let least = MINUTE.mul_f64((1_000 - REQUESTS_PER_MINUTE) as f64 / (0.5 * REQUESTS_PER_MINUTE as f64));
    check("half is taken by somebody else", &client, &load, 1_000, least, 1.03);
}

/// A way to the provider that takes each request a few milliseconds, never the same.
struct Distant(Arc<dyn Transport>);

impl Transport for Distant {
    fn send(&self, request: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, Error>> {
        let transport = Arc::clone(&self.0);
        let way = Duration::from_micros(fastrand::u64(5_000..25_000));
        Box::pin(async move {
            tokio::time::sleep(way).await;
            transport.send(request).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn two_clients_on_one_quota_use_all_of_it_together() {
    let simulator = Simulator::new(config()).unwrap();
    let client = |_| Face::OpenAi.client(Arc::new(Distant(wire::to(&simulator)))).concurrency(2_000).build().unwrap();
    Encoding::for_model_or_default(Face::OpenAi.model()).load();
    same_random_numbers();
    let [one, other] = [0, 1].map(client);
    for client in [&one, &other] {
        // The first count of tokens is done on another thread, which takes a time that the clock of the test does not know.
        client.request(Face::OpenAi.question(Face::OpenAi.model(), 20, 50)).await.unwrap();
    }
    let (first, second) = tokio::join!(run(&one, 500), run(&other, 500));
    let least = MINUTE.mul_f64((1_000 - REQUESTS_PER_MINUTE) as f64 / REQUESTS_PER_MINUTE as f64);
    let elapsed = first.elapsed.max(second.elapsed);
    let refused = first.rate_limited + second.rate_limited;
    println!("two clients: {:.3} of the least time, {refused} refusals", elapsed.as_secs_f64() / least.as_secs_f64());
    assert_eq!((first.answered, second.answered), (500, 500), "{:?} {:?}", first.failures, second.failures);
    assert!(elapsed <= least.mul_f64(1.02), "{elapsed:?}");
    // Each takes what it finds, and what the other has found is seen only afterwards: that costs refusals.
    assert!(refused <= 500, "{refused} refusals");
    // While both ask, neither has less than a quarter of what is answered.
    let both = first.elapsed.min(second.elapsed);
    let meanwhile = |load: &Load| load.ends.iter().filter(|end| end.after <= both).count();
    let (one, other) = (meanwhile(&first), meanwhile(&second));
    assert!(one.min(other) * 3 >= one.max(other), "{one} and {other} were answered");
}

/// Answers that state a limit of so many requests a minute, by the model.
fn stating(limits: &'static [(&str, &str)]) -> impl Fn(&[u8]) -> Vec<(&'static str, &'static str)> {
    move |body| {
        let body: Value = serde_json::from_slice(body).unwrap();
        let limit = limits.iter().find(|(model, _)| body["model"] == *model).unwrap().1;
        vec![
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", limit),
            ("x-ratelimit-reset-requests", "0s"),
        ]
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_one_scope_ends_when_it_was_said_to_and_is_no_pause_of_another() {
    same_random_numbers();
    let headers = stating(&[("gpt-4o", "500"), ("gpt-4o-mini", "10000")]);
    // The third request of the larger model is refused.
    let server = Scripted::reading(move |n, body| match n {
        4 => Reply::error(429, &[("retry-after", "9")], "rate_limit_exceeded", "Later."),
        _ => match Reply::success() {
            Reply::Answer(answer) => {
                headers(body).into_iter().fold(Reply::Answer(answer), |it, (name, value)| it.with(name, value))
            }
            other => other,
        },
    });
    let client = server.client(Face::OpenAi).build().unwrap();
    let ask = async |model: &str| client.request(Face::OpenAi.question(model, 20, 50)).await.unwrap();
    for model in ["gpt-4o", "gpt-4o-mini", "gpt-4o", "gpt-4o-mini"] {
        ask(model).await;
    }
    let start = server.now();
    let (large, larges, small) = tokio::join!(
        ask("gpt-4o"),
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let paused: Vec<_> =
                client.limits().into_iter().filter(|scope| scope.state.paused_until.is_some()).collect();
            assert_eq!(paused.iter().map(|scope| scope.models.len()).collect::<Vec<_>>(), [1]);
            assert_eq!(&*paused[0].models[0], "gpt-4o");
            ask("gpt-4o").await;
            server.now() - start
        },
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            ask("gpt-4o-mini").await;
            server.now() - start
        }
    );
    assert_eq!((large.attempts, large.rate_limited_attempts), (2, 1));
    let resumed = large.history.last().unwrap().started.as_millis();
    assert!((9_000..=9_001).contains(&resumed), "{resumed}");
    assert!(larges >= Duration::from_secs(9) && larges < Duration::from_secs(11), "{larges:?}");
    assert!(small < Duration::from_secs(2), "{small:?}");
}
