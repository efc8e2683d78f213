//! What is counted for dashboards.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::collections::BTreeMap;
use std::time::Duration;

use chat_limiter::{ChatLimiter, metrics as names};
use chat_limiter_tests::{Face, Reply, Scripted};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};

/// Everything that was counted, with its labels.
fn counted(snapshotter: &Snapshotter) -> BTreeMap<String, DebugValue> {
    let values = snapshotter.snapshot().into_vec().into_iter();
    let name = |key: &metrics::Key| {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        format!("{}{{{}}}", key.name(), labels.join(","))
    };
    values.map(|(key, _, _, value)| (name(key.key()), value)).collect()
}

const LABELS: &str = "provider=openai,model_group=gpt-4o-mini";

/// A test on its own runtime with a paused clock, and what it counted.
fn observed(test: impl AsyncFnOnce(&dyn Fn() -> BTreeMap<String, DebugValue>)) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || runtime.block_on(test(&|| counted(&snapshotter))));
}

#[track_caller]
fn counter(counted: &BTreeMap<String, DebugValue>, name: &str, more: &str) -> u64 {
    match counted.get(&format!("{name}{{{LABELS}{more}}}")) {
        Some(DebugValue::Counter(count)) => *count,
        None => 0,
        other => panic!("{name}: {other:?}"),
    }
}

#[track_caller]
fn gauge(counted: &BTreeMap<String, DebugValue>, name: &str, more: &str) -> f64 {
    match counted.get(&format!("{name}{{{LABELS}{more}}}")) {
        Some(DebugValue::Gauge(value)) => value.0,
        other => panic!("{name}: {other:?} in {:?}", counted.keys()),
    }
}

#[track_caller]
fn histogram(counted: &BTreeMap<String, DebugValue>, name: &str) -> Vec<f64> {
    match counted.get(&format!("{name}{{{LABELS}}}")) {
        Some(DebugValue::Histogram(values)) => values.iter().map(|value| value.0).collect(),
        other => panic!("{name}: {other:?}"),
    }
}

async fn ask(client: &ChatLimiter) {
    client.request(Face::OpenAi.question("gpt-4o-mini", 20, 50)).await.unwrap();
}

#[test]
fn attempts_refusals_retries_and_tokens_are_counted() {
    observed(async |counted| {
        let refusal = Reply::error(429, &[("retry-after", "7")], "rate_limit_exceeded", "Later.");
        let server = Scripted::in_turn(vec![refusal, Reply::error(503, &[], "overloaded", "Later."), Reply::success()]);
        ask(&server.client(Face::OpenAi).build().unwrap()).await;
        let counted = counted();
        for (name, expected) in [
            (names::ADMITTED, 3),
            (names::ANSWERED, 1),
            (names::RATE_LIMITED, 1),
            (names::FAILED, 1),
            (names::RETRIES, 2),
            (names::ABANDONED, 0),
        ] {
            assert_eq!(counter(&counted, name, ""), expected, "{name}");
        }
        assert_eq!(counter(&counted, names::TOKENS, ",direction=input"), 5);
        assert_eq!(counter(&counted, names::TOKENS, ",direction=output"), 5);
        let waits = histogram(&counted, names::WAIT);
        assert_eq!((waits.len(), histogram(&counted, names::LATENCY).len()), (3, 3));
        assert!(waits.iter().any(|wait| *wait >= 7.0), "{waits:?}");
    });
}

#[test]
fn who_waits_and_who_is_in_flight_is_seen_and_nobody_is_left() {
    observed(async |counted| {
        let server = Scripted::new(|_| Reply::Silence);
        let client = server.client(Face::OpenAi).concurrency(2).build().unwrap();
        let mut all = Box::pin(futures::future::join_all((0..5).map(|_| ask(&client))));
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut all).await.is_err());
        let seen = counted();
        let of = |name| gauge(&seen, name, "");
        let (in_flight, waiting) = (of(names::IN_FLIGHT), of(names::WAITING));
        assert_eq!(in_flight + waiting, 5.0);
        assert!((1.0..=2.0).contains(&in_flight), "{in_flight} of 2");
        drop(all);
        let seen = counted();
        // A snapshot takes what it shows, so what is seen now is the change.
        assert_eq!((gauge(&seen, names::IN_FLIGHT, ""), gauge(&seen, names::WAITING, "")), (-in_flight, -waiting));
        assert_eq!(counter(&seen, names::ABANDONED, "") as f64, in_flight);
    });
}

#[test]
fn how_much_of_a_limit_is_used_up_is_seen_and_falls_with_time() {
    observed(async |counted| {
        let server = Scripted::new(|_| Reply::success());
        let client = server.client(Face::OpenAi).requests_per_minute(4).build().unwrap();
        ask(&client).await;
        assert_eq!(gauge(&counted(), names::UTILIZATION, ",dimension=requests"), 0.25);
        ask(&client).await;
        client.record_metrics();
        assert_eq!(gauge(&counted(), names::UTILIZATION, ",dimension=requests"), 0.5);
        tokio::time::advance(Duration::from_secs(60)).await;
        client.record_metrics();
        assert_eq!(gauge(&counted(), names::UTILIZATION, ",dimension=requests"), 0.0);
    });
}

#[test]
fn every_name_is_described() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        names::describe();
        for name in [names::WAITING, names::IN_FLIGHT, names::UTILIZATION] {
            metrics::gauge!(name).set(1.0);
        }
        let counters = [names::ADMITTED, names::ANSWERED, names::RATE_LIMITED, names::FAILED, names::ABANDONED];
        for name in counters.into_iter().chain([names::RETRIES, names::TOKENS]) {
            metrics::counter!(name).increment(1);
        }
        for name in [names::WAIT, names::LATENCY] {
            metrics::histogram!(name).record(1.0);
        }
    });
    let described = snapshotter.snapshot().into_vec();
    assert_eq!(described.len(), 12);
    for (key, _, description, _) in described {
        assert!(description.is_some_and(|text| !text.is_empty()), "{}", key.key().name());
    }
}
