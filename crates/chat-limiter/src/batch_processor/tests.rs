//! On a paused clock, with processors that are told what happens and against the simulated provider.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use providers::payload::{ChatRequest, Message};
use serde_json::{Value, json};
use simulator::{Config, Faults, Simulator};

use super::*;
use crate::RetryPolicy;
use crate::clock::Clock;
use crate::test_support::{client_of, simulated};

/// What becomes of an item: so many failures before it succeeds, each worth another try or not, and how long one takes.
#[derive(Clone, Debug, Default)]
struct Plan {
    model: &'static str,
    failures: u32,
    is_final: bool,
    takes: u64,
}

#[derive(Default)]
struct Planned {
    calls: AtomicUsize,
    running: Mutex<HashMap<&'static str, usize>>,
    most: Mutex<HashMap<&'static str, usize>>,
}

impl BatchProcessor for Planned {
    type Data = Plan;
    type Output = u32;

    async fn process_item(&self, item: &BatchItem<Plan>) -> Result<Processed<u32>, ItemError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let plan = item.data.clone();
        let now = {
            let mut running = self.running.lock().unwrap();
            let running = running.entry(plan.model).or_default();
            *running += 1;
            *running
        };
        let most = |known: &mut usize| *known = now.max(*known);
        most(self.most.lock().unwrap().entry(plan.model).or_default());
        tokio::time::sleep(Duration::from_secs(plan.takes)).await;
        *self.running.lock().unwrap().get_mut(plan.model).unwrap() -= 1;
        if plan.is_final {
            return Err(ItemError::new("no use"));
        }
        match item.attempt_count < plan.failures {
            true => Err(ItemError::new(format!("failure {}", item.attempt_count)).retryable()),
            false => Ok(Processed::new(item.attempt_count)),
        }
    }

    fn model_of(&self, item: &BatchItem<Plan>) -> Option<String> {
        Some(item.data.model.to_owned())
    }
}

fn plan(failures: u32, takes: u64) -> Plan {
    Plan { failures, takes, ..Plan::default() }
}

fn useless() -> Plan {
    Plan { is_final: true, takes: 1, ..Plan::default() }
}

fn config() -> BatchConfig {
    BatchConfig::default()
}

#[tokio::test(start_paused = true)]
async fn results_come_in_the_order_of_the_items_whatever_ends_first() {
    let processor = Planned::default();
    let items: Vec<Plan> = (0..30)
        .map(|i| Plan {
            model: ["a", "b", "c"][i % 3],
            takes: (30 - i) as u64,
            failures: (i % 2) as u32,
            is_final: false,
        })
        .collect();
    let results = processor.process_batch(items, &config()).await.unwrap();
    assert_eq!(results.len(), 30);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result.item.id, Some(format!("item_{index}")));
        assert_eq!(result.item.data.takes, 30 - index as u64);
        assert!(result.success);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_worth_it_is_tried_again_so_often_and_others_are_not() {
    let processor = Planned::default();
    let items = [plan(0, 0), plan(3, 0), plan(4, 0), useless()];
    let results = processor.process_batch(items, &config()).await.unwrap();
    let counts: Vec<_> = results.iter().map(|result| (result.success, result.attempt_count)).collect();
    assert_eq!(counts, [(true, 1), (true, 4), (false, 4), (false, 1)]);
    assert_eq!(results[2].error.as_ref().unwrap().to_string(), "failure 3");
    assert_eq!(results[2].item.last_error.as_deref(), Some("failure 3"));
    assert_eq!(results[3].error.as_ref().unwrap().to_string(), "no use");
    assert_eq!(results[1].result, Some(3));
    let never = BatchConfig { max_retries_per_item: 0, ..config() };
    let results = processor.process_batch([plan(1, 0)], &never).await.unwrap();
    assert_eq!((results[0].success, results[0].attempt_count), (false, 1));
}

#[tokio::test(start_paused = true)]
async fn the_first_error_stops_everything_when_asked_to() {
    let processor = Planned::default();
    let mut items = vec![useless(); 30];
    items[1].takes = 1_000;
    let stopping = BatchConfig { stop_on_first_error: true, max_concurrent_requests: 3, ..config() };
    let since = Clock::start();
    let results = processor.process_batch(items.clone(), &stopping).await.unwrap();
    assert_eq!(processor.calls.load(Ordering::Relaxed), 3);
    assert_eq!((results.len(), Duration::from(since.now()).as_secs()), (30, 1));
    assert!(!results[0].error.as_ref().unwrap().is_stopped());
    assert!(results[1..].iter().all(|result| result.error.as_ref().is_some_and(ItemError::is_stopped)
        || result.item.id.as_deref() == Some("item_2")));
    assert_eq!(results[29].attempt_count, 0);

    let processor = Planned::default();
    processor.process_batch(items, &config()).await.unwrap();
    assert_eq!(processor.calls.load(Ordering::Relaxed), 30);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_waits_for_its_retry_is_stopped_too_and_keeps_its_count() {
    let processor = Planned::default();
    let stopping = BatchConfig { stop_on_first_error: true, retry_delay: Duration::from_secs(50), ..config() };
    let results = processor.process_batch([plan(1, 0), useless()], &stopping).await.unwrap();
    assert!(results[0].error.as_ref().unwrap().is_stopped());
    assert_eq!((results[0].attempt_count, results[0].item.last_error.as_deref()), (1, Some("failure 0")));
    assert_eq!(results[0].duration, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_allowed_go_at_once_and_each_model_has_its_own_places() {
    let two = |n: usize| (0..n).map(|i| Plan { model: ["a", "b"][i % 2], takes: 10, ..Plan::default() });
    let grouped = BatchConfig { max_concurrent_requests: 4, ..config() };
    let processor = Planned::default();
    let since = Clock::start();
    processor.process_batch(two(40), &grouped).await.unwrap();
    assert_eq!(*processor.most.lock().unwrap(), HashMap::from([("a", 4), ("b", 4)]));
    assert_eq!(Duration::from(since.now()).as_secs(), 50);

    let together = BatchConfig { group_by_model: false, ..grouped };
    let processor = Planned::default();
    let since = Clock::start();
    processor.process_batch(two(40), &together).await.unwrap();
    assert_eq!(Duration::from(since.now()).as_secs(), 100);
    assert_eq!(processor.most.lock().unwrap().values().sum::<usize>(), 4);
}

#[tokio::test(start_paused = true)]
async fn each_provider_has_places_of_its_own_where_asked_to() {
    struct Takes10;
    impl BatchProcessor for Takes10 {
        type Data = &'static str;
        type Output = ();

        async fn process_item(&self, _: &BatchItem<&'static str>) -> Result<Processed<()>, ItemError> {
            tokio::time::sleep(Duration::from_secs(10)).await;
            Ok(Processed::new(()))
        }

        fn provider_of(&self, item: &BatchItem<&'static str>) -> Option<String> {
            Some(item.data.to_owned())
        }
    }
    for (group_by_provider, seconds) in [(true, 20), (false, 30)] {
        let config = BatchConfig { group_by_provider, max_concurrent_requests: 1, ..config() };
        let since = Clock::start();
        Takes10.process_batch(["a", "b", "a"], &config).await.unwrap();
        assert_eq!(Duration::from(since.now()).as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_holds_no_place_while_it_waits() {
    let processor = Planned::default();
    let one = BatchConfig { max_concurrent_requests: 1, retry_delay: Duration::from_secs(60), ..config() };
    let since = Clock::start();
    let ended: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let times = Arc::clone(&ended);
    let one = one.with_progress(move |_| times.lock().unwrap().push(since.now().into()));
    let results = processor.process_batch([plan(1, 1), plan(0, 1), plan(0, 1)], &one).await.unwrap();
    assert!(results.iter().all(|result| result.success));
    let ended = ended.lock().unwrap();
    assert_eq!(ended[..2], [Duration::from_secs(2), Duration::from_secs(3)]);
    assert!(ended[2] >= Duration::from_secs(32) && ended[2] <= Duration::from_secs(62), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_after_each_item() {
    let told: Arc<Mutex<Vec<(usize, usize)>>> = Arc::default();
    let heard = Arc::clone(&told);
    let config = BatchConfig { progress_desc: "Asking".to_owned(), max_concurrent_requests: 1, ..config() }
        .with_progress(move |progress| {
            assert_eq!((progress.description, progress.total), ("Asking", 3));
            heard.lock().unwrap().push((progress.successful, progress.failed));
        });
    Planned::default().process_batch([plan(0, 1), useless(), plan(0, 1)], &config).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [(1, 0), (1, 1), (2, 1)]);
}

#[tokio::test(start_paused = true)]
async fn statistics_add_up_and_of_nothing_are_zero() {
    let results = Planned::default().process_batch([plan(0, 2), plan(1, 0), useless()], &config()).await.unwrap();
    let stats = results.stats();
    assert_eq!((stats.total, stats.successful, stats.failed), (3, 2, 1));
    assert!(
        (stats.success_rate - 2.0 / 3.0).abs() < 1e-12 && (results.success_rate() - stats.success_rate).abs() < 1e-12
    );
    assert!((stats.avg_attempts - 4.0 / 3.0).abs() < 1e-12);
    assert_eq!(stats.total_duration, results.iter().map(|result| result.duration).sum());
    assert_eq!(stats.avg_duration, stats.total_duration / 3);
    assert_eq!((results.successful_results().count(), results.failed_results().count()), (2, 1));
    let nothing = Planned::default().process_batch(Vec::<Plan>::new(), &config()).await.unwrap();
    assert_eq!(nothing.stats(), BatchStats::default());
}

#[tokio::test(start_paused = true)]
async fn errors_are_kept_or_not_and_a_setting_that_makes_no_sense_starts_nothing() {
    let silent = BatchConfig { collect_errors: false, ..config() };
    let results = Planned::default().process_batch([useless()], &silent).await.unwrap();
    assert!(!results[0].success && results[0].error.is_none());
    let none = BatchConfig { max_concurrent_requests: 0, ..config() };
    let processor = Planned::default();
    assert!(processor.process_batch([plan(0, 0)], &none).await.unwrap_err().is_configuration());
    assert_eq!(processor.calls.load(Ordering::Relaxed), 0);
}

fn body(i: usize) -> Value {
    json!({"model": "gpt-4o-mini", "max_tokens": 20, "messages": [{"role": "user", "content": format!("Question {i}")}]})
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_chat_bodies_is_answered_in_order() {
    let (simulator, limiter) = simulated(Config::default());
    let results = process_chat_batch(&limiter, (0..20).map(body), &config()).await.unwrap();
    assert_eq!((results.success_rate(), simulator.statistics().requests), (1.0, 20));
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result.item.data, body(index));
        assert!(result.result.as_ref().unwrap()["choices"][0]["message"]["content"].is_string());
        assert_eq!(result.status_code, Some(http::StatusCode::OK));
        assert!(result.response_headers.contains_key("x-ratelimit-limit-requests"));
        assert!(result.duration > Duration::ZERO && result.attempt_count == 1);
    }
}

#[tokio::test(start_paused = true)]
async fn items_are_made_with_the_request_of_each() {
    let items = create_batch_items(["a", "b"], |data| {
        (http::Method::PUT, format!("/things/{data}"), json!({"model": "m", "input": data}))
    });
    assert_eq!((items[1].data, items[1].url.as_str(), &items[1].method), ("b", "/things/b", &http::Method::PUT));
    let request = items[0].request();
    assert_eq!((request.path.as_str(), &request.body[..]), ("/things/a", &br#"{"input":"a","model":"m"}"#[..]));
    assert_eq!((items[0].id.as_deref(), items[0].attempt_count, items[0].last_error.as_deref()), (None, 0, None));
    let named = BatchItem::new(3).with_id("three");
    assert_eq!((named.url.as_str(), named.metadata.len()), ("/chat/completions", 0));
    let results = Planned::default().process_batch([BatchItem::new(plan(0, 0)).with_id("mine")], &config()).await;
    assert_eq!((results.unwrap()[0].item.id.as_deref(), named.id.as_deref()), (Some("mine"), Some("three")));
}

#[tokio::test(start_paused = true)]
async fn chat_requests_and_openai_bodies_go_to_anthropic_as_well() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let limiter = client_of(&simulator, "anthropic").build().unwrap();
    let bodies = [json!({"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "Hi"}]}), json!({})];
    let results = process_chat_batch(&limiter, bodies, &config()).await.unwrap();
    assert!(results[0].result.as_ref().unwrap()["content"][0]["text"].is_string());
    let error = results[1].error.as_ref().unwrap();
    assert_eq!(error.client_error().unwrap().code(), "invalid_request");
    let request = ChatRequest::new("claude-haiku-4-5", vec![Message::user("Hi")]);
    let results = process_chat_completion_batch(&limiter, [request], &config()).await.unwrap();
    assert!(!results[0].result.as_ref().unwrap().text().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_succeed_is_sent_once() {
    let simulator = Simulator::new(Config::default().with_api_key("another")).unwrap();
    let limiter = client_of(&simulator, "openai").build().unwrap();
    let results = process_chat_batch(&limiter, [body(0)], &config()).await.unwrap();
    assert_eq!(results[0].status_code, Some(http::StatusCode::UNAUTHORIZED));
    assert_eq!((results[0].attempt_count, simulator.statistics().requests), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_sent_no_more_often_because_two_may_try_again() {
    // As the client has it, or the three retries of the batch where these are fewer.
    for (client, expected) in [(1, 1), (2, 2), (10, 4)] {
        let by_failures = RetryPolicy { max_failures: client, ..RetryPolicy::default() };
        let by_attempts = RetryPolicy { max_attempts: client, ..RetryPolicy::default() };
        for policy in [by_failures, by_attempts] {
            let faults = Faults { server_error_rate: 1.0, ..Faults::default() };
            let simulator = Simulator::new(Config::default().with_faults(faults)).unwrap();
            let limiter = client_of(&simulator, "openai").retry(policy).build().unwrap();
            let results = process_chat_batch(&limiter, [body(0)], &config()).await.unwrap();
            let sent = (results[0].attempt_count, simulator.statistics().requests);
            assert_eq!(sent, (expected, u64::from(expected)), "{policy:?}");
        }
    }
}

/// Sends its items with a client.
struct Sending(crate::ChatLimiter);

impl BatchProcessor for Sending {
    type Data = Value;
    type Output = ();

    async fn process_item(&self, item: &BatchItem<Value>) -> Result<Processed<()>, ItemError> {
        let answer = self.0.request(crate::Request::json(http::Method::POST, "/chat/completions", &item.data)).await?;
        Ok(Processed::from_answer(&answer, ()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_client_gave_up_on_is_not_repeated_by_a_processor_of_ones_own() {
    let faults = Faults { server_error_rate: 1.0, ..Faults::default() };
    let simulator = Simulator::new(Config::default().with_faults(faults)).unwrap();
    let policy = RetryPolicy { max_attempts: 2, ..RetryPolicy::default() };
    let limiter = client_of(&simulator, "openai").retry(policy).build().unwrap();
    let results = Sending(limiter).process_batch([body(0)], &config()).await.unwrap();
    assert!(!results[0].error.as_ref().unwrap().is_retryable());
    assert_eq!((results[0].attempt_count, simulator.statistics().requests), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_batch_leaves_nothing_in_flight() {
    let (_, limiter) = simulated(Config::default().with_latency(Duration::from_secs(5)));
    let batch = tokio::spawn({
        let limiter = limiter.clone();
        async move { process_chat_batch(&limiter, (0..20).map(body), &config()).await }
    });
    while limiter.limits()[0].state.in_flight == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    batch.abort();
    assert!(batch.await.unwrap_err().is_cancelled());
    let state = &limiter.limits()[0].state;
    assert_eq!((state.in_flight, state.waiting), (0, 0));
}
