//! The blocking client, used from several threads against a provider with a small quota.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::thread;
use std::time::Duration;

use chat_limiter::blocking::{Builder, ChatLimiter};
use chat_limiter_tests::{Face, wire};
use simulator::{Config, Simulator};
use tokio::net::TcpListener;

const THREADS: u64 = 8;
const REQUESTS_EACH: u64 = 5;

/// Twenty requests a second, and twenty at once: half of them have to wait.
fn small_quota() -> Simulator {
    let config = Config::default().with_requests_per_minute(1_200).with_bucket_depth(Duration::from_secs(1));
    Simulator::new(config.with_latency(Duration::from_millis(1))).unwrap()
}

/// Sends the requests of all threads, each of which has to be answered.
fn send_all(limiter: &ChatLimiter) {
    thread::scope(|threads| {
        for _ in 0..THREADS {
            threads.spawn(|| {
                for _ in 0..REQUESTS_EACH {
                    let answer = limiter.request(Face::OpenAi.question("gpt-4o-mini", 20, 10)).unwrap();
                    assert!(answer.usage.is_some());
                }
            });
        }
    });
    for scope in limiter.limits() {
        assert_eq!((scope.state.in_flight, scope.state.waiting), (0, 0));
    }
}

#[test]
fn several_threads_share_one_client_and_its_quota() {
    let simulator = small_quota();
    let limiter = Builder::from(Face::OpenAi.client(wire::to(&simulator))).build().unwrap();
    send_all(&limiter);
    let statistics = simulator.statistics();
    assert_eq!(statistics.answered, THREADS * REQUESTS_EACH, "{statistics:?}");
    assert_eq!(statistics.requests, statistics.answered + statistics.rate_limited, "{statistics:?}");
}

#[test]
fn several_threads_share_one_client_over_tcp() {
    let simulator = small_quota();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(simulator.clone().serve(listener, std::future::pending()));
    let builder = ChatLimiter::builder("openai").base_url(format!("http://{address}/v1")).api_key("no-key-needed");
    send_all(&builder.build().unwrap());
    assert_eq!(simulator.statistics().answered, THREADS * REQUESTS_EACH);
}
