//! What the specified systems do wrong, where no other test shows that it is right here: `docs/PARITY.md`.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_limiter::batch_processor::{BatchConfig, process_chat_batch, process_chat_completion_batch};
use chat_limiter::providers::Registry;
use chat_limiter::providers::payload::{JsonSchema, ResponseFormat};
use chat_limiter::service::BaseService;
use chat_limiter::{ChatLimiter, ChatRequest, Message, ProviderConfig, Request, RetryPolicy};
use chat_limiter_tests::{Face, Reply, Scripted, Stopwatch, wire};
use serde_json::{Value, json};
use simulator::{Config, Simulator};

fn question(model: &str) -> Value {
    json!({"model": model, "max_tokens": 20, "messages": [{"role": "user", "content": "What is a bucket?"}]})
}

fn post(body: &Value) -> Request {
    Request::post("/chat/completions", body.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_one_lets_one_request_through_in_a_minute_whatever_share_is_used() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let config: ProviderConfig = serde_json::from_value(json!({"provider": "openai", "default_request_limit": 1,
        "supports_dynamic_limits": false, "request_buffer_ratio": 0.9}))
    .unwrap();
    let builder = config.builder().unwrap().base_url("http://provider.invalid/v1").api_key("key");
    let limiter = builder.transport(wire::to(&simulator)).build().unwrap();
    let since = Stopwatch::start();
    for _ in 0..3 {
        limiter.request(post(&question("gpt-4o-mini"))).await.unwrap();
    }
    assert!((120..=121).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn chat_bodies_are_grouped_by_the_model_that_they_name() {
    let simulator = Simulator::new(Config::default().with_latency(Duration::from_secs(10))).unwrap();
    let limiter = Face::OpenAi.client(wire::to(&simulator)).build().unwrap();
    let bodies = ["gpt-4o", "gpt-4o-mini", "gpt-4.1"].map(question);
    let elapsed = async |group_by_model| {
        let config = BatchConfig { max_concurrent_requests: 1, group_by_model, ..BatchConfig::default() };
        let since = Stopwatch::start();
        let results = process_chat_batch(&limiter, bodies.clone(), &config).await.unwrap();
        assert_eq!(results.successful_results().count(), 3);
        since.elapsed().as_secs()
    };
    assert!((10..20).contains(&elapsed(true).await));
    assert!(elapsed(false).await >= 30);
}

#[tokio::test(start_paused = true)]
async fn a_batch_sends_every_field_of_its_requests() {
    let sent: Arc<Mutex<Vec<Value>>> = Arc::default();
    let seen = Arc::clone(&sent);
    let server = Scripted::reading(move |_, body| {
        seen.lock().unwrap().push(serde_json::from_slice(body).unwrap());
        Reply::success()
    });
    let limiter = server.client(Face::OpenAi).build().unwrap();
    let mut request = ChatRequest::new("gpt-4o", vec![Message::system("Be brief."), Message::user("Hi")]);
    request.seed = Some(7);
    request.response_format = Some(ResponseFormat::JsonSchema(JsonSchema::new("answer", json!({"type": "object"}))));
    request.extra.insert("provider".to_owned(), json!({"order": ["azure"]}));
    let results = process_chat_completion_batch(&limiter, [request], &BatchConfig::default()).await.unwrap();
    assert!(results[0].success);
    let body = json!({"model": "gpt-4o", "messages": [], "seed": 0, "json_mode": true});
    process_chat_batch(&limiter, [body.clone()], &BatchConfig::default()).await.unwrap();
    let sent = sent.lock().unwrap();
    assert_eq!((&sent[0]["seed"], &sent[0]["provider"]["order"][0]), (&json!(7), &json!("azure")));
    assert_eq!(sent[0]["response_format"]["type"], "json_schema");
    assert_eq!(sent[0]["messages"].as_array().map(Vec::len), Some(2));
    assert_eq!(sent[1], body);
}

#[test]
fn the_address_of_one_client_is_not_that_of_another() {
    let other = ChatLimiter::builder("openai").api_key("key").base_url("http://127.0.0.1:9/v1").build().unwrap();
    let limiter = ChatLimiter::builder("openai").api_key("key").build().unwrap();
    let shown = |limiter: &ChatLimiter| format!("{limiter:?}");
    assert!(shown(&other).contains("127.0.0.1") && shown(&limiter).contains("https://api.openai.com/v1"));
    assert_eq!(limiter.provider().base_url(), "https://api.openai.com/v1");
}

#[tokio::test(start_paused = true)]
async fn an_error_may_be_null_or_a_text() {
    let server = Scripted::in_turn(vec![
        Reply::json(200, &[], &json!({"error": null, "choices": [{"message": {"content": "fine"}}]})),
        Reply::json(400, &[], &json!({"error": "the model is on holiday"})),
        Reply::text(400, &[], "<html>not JSON</html>"),
    ]);
    let limiter = server.client(Face::OpenAi).build().unwrap();
    assert_eq!(limiter.simple_chat("gpt-4o", "Hi").await.unwrap(), "fine");
    let error = limiter.simple_chat("gpt-4o", "Hi").await.unwrap_err();
    assert!(error.to_string().contains("the model is on holiday"), "{error}");
    assert_eq!(limiter.simple_chat("gpt-4o", "Hi").await.unwrap_err().status().unwrap().as_u16(), 400);
}

#[tokio::test(start_paused = true)]
async fn closing_one_client_leaves_its_transport_to_others() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let transport = wire::to(&simulator);
    let first = Face::OpenAi.client(Arc::clone(&transport)).build().unwrap();
    let second = Face::OpenAi.client(transport).build().unwrap();
    first.request(post(&question("gpt-4o"))).await.unwrap();
    first.close();
    assert!(first.request(post(&question("gpt-4o"))).await.unwrap_err().is_closed());
    drop(first);
    second.request(post(&question("gpt-4o"))).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_service_waits_as_long_as_the_provider_says_and_is_made_again() {
    let refused = Reply::error(429, &[("retry-after", "20")], "rate_limit_exceeded", "Rate limit reached");
    let server = Scripted::in_turn(vec![refused.clone(), refused]);
    let service = BaseService::new(server.client(Face::OpenAi).build().unwrap());
    service.init_endpoint("chat/completions").unwrap();
    let answer = service.call_api(&question("gpt-4o"), "chat/completions", "post").await.unwrap();
    assert_eq!((answer.attempts, answer.rate_limited_attempts), (3, 2));
    let arrivals: HashSet<u64> = server.arrivals().iter().map(Duration::as_secs).collect();
    assert_eq!(arrivals, HashSet::from([0, 20, 40]));
    assert_eq!(service.status_tracker().num_tasks_succeeded(), 1);
}

#[test]
fn a_seed_is_left_out_for_anthropic_and_said_to_be() {
    let mut request = ChatRequest::new("claude-haiku-4-5", vec![Message::user("Hi")]);
    request.seed = Some(7);
    let payload = Registry::standard().by_name("anthropic").unwrap().chat_payload(&request).unwrap();
    assert_eq!((payload.body.get("seed"), payload.left_out), (None, vec!["seed"]));
}

#[tokio::test(start_paused = true)]
async fn a_request_may_have_a_retry_policy_of_its_own() {
    let server = Scripted::new(|_| Reply::error(500, &[], "server_error", "broken"));
    let limiter = server.client(Face::OpenAi).build().unwrap();
    let mut policy = RetryPolicy::default();
    policy.max_failures = 2;
    let error = limiter.request(post(&question("gpt-4o")).with_retry(policy)).await.unwrap_err();
    assert_eq!((error.attempts(), server.arrivals().len()), (2, 2));
    policy.max_failures = 1;
    let streamed = limiter.stream(post(&question("gpt-4o")).with_retry(policy)).await;
    assert_eq!((streamed.err().map(|error| error.attempts()), server.arrivals().len()), (Some(1), 3));
}

/// Polls a future so many times, a millisecond apart, and drops it. Whether it was done by then.
async fn poll_and_drop(future: impl Future, times: usize) -> bool {
    let mut future = std::pin::pin!(future);
    for _ in 0..times {
        if futures::poll!(future.as_mut()).is_ready() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    false
}

#[tokio::test(start_paused = true)]
async fn a_call_of_a_service_or_a_batch_dropped_at_any_poll_leaks_nothing() {
    let simulator = Simulator::new(Config::default().with_latency(Duration::from_millis(5))).unwrap();
    let client =
        || Face::OpenAi.client(wire::to(&simulator)).concurrency(2).requests_per_minute(10_000).build().unwrap();
    let is_idle = |limiter: &ChatLimiter| {
        let states = limiter.limits();
        states.iter().all(|scope| (scope.state.in_flight, scope.state.waiting) == (0, 0))
    };
    let service = BaseService::new(client()).with_limits(10_000, 10_000_000, Duration::from_secs(60));
    service.init_endpoint("chat/completions").unwrap();
    let (payload, limiter) = (question("gpt-4o"), client());
    let config = BatchConfig::default();
    for times in 0.. {
        let call = poll_and_drop(service.call_api(&payload, "chat/completions", "post"), times).await;
        let bodies = vec![payload.clone(); 5];
        let batch = poll_and_drop(process_chat_batch(&limiter, bodies, &config), times).await;
        assert!(is_idle(service.limiter()) && is_idle(&limiter), "after {times} polls");
        let counts = service.status_tracker().snapshot();
        assert_eq!(counts.num_tasks_in_progress, 0);
        assert_eq!(counts.num_tasks_started, counts.num_tasks_succeeded + counts.num_tasks_failed);
        if call && batch {
            break;
        }
    }
    // Both places in flight are there.
    let both = futures::join!(limiter.request(post(&payload)), limiter.request(post(&payload)));
    assert!(both.0.is_ok() && both.1.is_ok());
}
