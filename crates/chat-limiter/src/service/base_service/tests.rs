//! Against the simulated provider.

use serde_json::json;
use simulator::{Config, Faults, Simulator};

use super::*;
use crate::RetryPolicy;
use crate::clock::Clock;
use crate::service::{RateLimiter, SimpleRateLimiter};
use crate::test_support::{client_of, simulated};

fn question() -> Value {
    json!([{"role": "user", "content": "What is a bucket?"}])
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_was_made_ready_is_called_and_counted() {
    let (simulator, limiter) = simulated(Config::default());
    let service = BaseService::new(limiter).with_limits(10, 50_000, Duration::from_secs(60));
    service.init_endpoint("chat/completions").unwrap();
    let payload = service.payload("chat/completions", question(), json!({"model": "gpt-4o-mini"})).unwrap();
    let answer = service.call_api(&payload, "chat/completions", "post").await.unwrap();
    assert!(answer.json().unwrap()["choices"][0]["message"]["content"].is_string());
    let endpoint = &service.endpoints()["chat/completions"];
    assert_eq!(endpoint.rate_limiter().unwrap().available_request_capacity(), Some(9));
    assert_eq!(simulator.statistics().requests, 1);
    let counts = service.status_tracker().snapshot();
    assert_eq!((counts.num_tasks_started, counts.num_tasks_succeeded, counts.num_tasks_in_progress), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_was_not_made_ready_is_an_error_that_says_so() {
    let (simulator, limiter) = simulated(Config::default());
    let service = BaseService::new(limiter);
    let error = service.call_api(&json!({}), "chat/completions", "post").await.unwrap_err();
    assert!(error.is_configuration());
    assert_eq!(error.to_string(), "the endpoint `chat/completions` has not been initialized; none is");
    service.init_endpoint(["embeddings", "finetune"]).unwrap();
    let error = service.call_api(&json!({}), "chat/completions", "post").await.unwrap_err();
    assert!(error.to_string().ends_with("ready are embeddings, finetune"), "{error}");
    assert_eq!((simulator.statistics().requests, service.status_tracker().num_tasks_started()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn one_several_all_or_a_given_endpoint_is_made_ready_once() {
    let (_, limiter) = simulated(Config::default());
    let service = BaseService::new(limiter).with_limits(7, 70, Duration::from_secs(7));
    service.init_endpoint(Endpoint::new("embeddings").with_max_requests(3)).unwrap();
    service.init_endpoint(["chat/completions", "embeddings"]).unwrap();
    assert_eq!(service.endpoints().len(), 2);
    service.init_endpoint(EndpointSelection::All).unwrap();
    let endpoints = service.endpoints();
    let names: Vec<&str> = endpoints.keys().map(String::as_str).collect();
    let expected =
        ["audio_speech", "audio_transcriptions", "audio_translations", "chat/completions", "embeddings", "finetune"];
    assert_eq!(names, expected);
    assert_eq!(endpoints["embeddings"].max_requests(), 3);
    let chat = &endpoints["chat/completions"];
    assert_eq!((chat.max_requests(), chat.max_tokens(), chat.interval()), (7, 70, Duration::from_secs(7)));
    let other = &endpoints["finetune"];
    assert_eq!((other.max_requests(), other.max_tokens(), other.interval().as_secs()), (1_000, 100_000, 60));
}

#[test]
fn every_service_has_the_endpoints_that_its_provider_has() {
    let names = |service: BaseService| service.available_endpoints().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(BaseService::openai("key").unwrap()).len(), 6);
    let openrouter = names(BaseService::openrouter("key").unwrap());
    assert!(openrouter.contains(&"chat/completions".to_owned()) && !openrouter.contains(&"finetune".to_owned()));
    let simulator = Simulator::new(Config::default()).unwrap();
    let anthropic = names(BaseService::new(client_of(&simulator, "anthropic").build().unwrap()));
    assert_eq!(anthropic, ["chat/completions"]);
    let error = BaseService::openai(" ").unwrap_err();
    assert!(error.is_configuration(), "{error}");
}

#[test]
fn an_unknown_endpoint_lists_what_there_is_and_makes_nothing_ready() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let service = BaseService::new(client_of(&simulator, "openai").build().unwrap());
    let error = service.init_endpoint(["embeddings", "chat"]).unwrap_err();
    assert!(error.is_configuration());
    let text = error.to_string();
    assert!(text.starts_with("the endpoint `chat` is not available for openai; there are audio_speech, "), "{text}");
    assert!(service.endpoints().is_empty());
    assert!(service.payload("chat", question(), json!({})).unwrap_err().to_string().contains("chat/completions"));
}

#[tokio::test(start_paused = true)]
async fn every_method_is_known_by_name_and_others_are_refused() {
    let (_, limiter) = simulated(Config::default());
    let service = BaseService::new(limiter);
    service.init_endpoint(Endpoint::new("/v1/models")).unwrap();
    let models = service.call_api(&Value::Null, "/v1/models", "get").await.unwrap();
    assert!(models.json().unwrap()["data"].is_array());
    let error = service.call_api(&Value::Null, "/v1/models", "fetch").await.unwrap_err();
    assert_eq!(error.code(), "invalid_request");
    assert!(error.to_string().starts_with("`fetch` is no method; there are GET, POST"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_chat_goes_to_a_provider_with_another_form() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let service = BaseService::new(client_of(&simulator, "anthropic").build().unwrap());
    service.init_endpoint("chat/completions").unwrap();
    let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]);
    let payload = json!({"model": "claude-haiku-4-5", "messages": messages});
    let answer = service.call_api(&payload, "chat/completions", "post").await.unwrap();
    assert!(answer.json().unwrap()["content"][0]["text"].is_string());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_is_tried_again_and_then_counted_by_its_reason() {
    let faults = Faults { server_error_rate: 1.0, ..Faults::default() };
    let simulator = Simulator::new(Config::default().with_faults(faults)).unwrap();
    let policy = RetryPolicy { max_failures: 3, ..RetryPolicy::default() };
    let service = BaseService::new(client_of(&simulator, "openai").retry(policy).build().unwrap());
    service.init_endpoint("chat/completions").unwrap();
    let payload = service.payload("chat/completions", question(), json!({"model": "gpt-4o-mini"})).unwrap();
    let error = service.call_api(&payload, "chat/completions", "POST").await.unwrap_err();
    assert_eq!(error.attempts(), 3);
    let counts = service.status_tracker().snapshot();
    assert_eq!((counts.num_tasks_failed, counts.num_api_errors, counts.num_rate_limit_errors), (1, 1, 0));
    let limiter = service.endpoints()["chat/completions"].rate_limiter().cloned().unwrap();
    assert_eq!(limiter.available_request_capacity(), Some(997), "each time it was sent counts");
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_an_endpoint_spaces_its_calls_over_all_models() {
    let (_, limiter) = simulated(Config::default());
    let service = BaseService::new(limiter).with_limits(2, 100_000, Duration::from_secs(60));
    service.init_endpoint("chat/completions").unwrap();
    let since = Clock::start();
    for model in ["gpt-4o-mini", "gpt-4o", "gpt-4.1", "gpt-4.1-mini", "o3"] {
        let payload = service.payload("chat/completions", question(), json!({"model": model})).unwrap();
        service.call_api(&payload, "chat/completions", "post").await.unwrap();
    }
    assert_eq!(Duration::from(since.now()).as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limiter_of_ones_own_is_asked() {
    #[derive(Debug)]
    struct Never(SimpleRateLimiter);
    impl RateLimiter for Never {
        fn interval(&self) -> Duration {
            self.0.interval()
        }
        fn max_requests(&self) -> Option<u64> {
            self.0.max_requests()
        }
        fn max_tokens(&self) -> Option<u64> {
            Some(0)
        }
        fn available_request_capacity(&self) -> Option<u64> {
            self.0.available_request_capacity()
        }
        fn available_token_capacity(&self) -> Option<u64> {
            Some(0)
        }
        fn start_replenishing(&self) {}
        fn stop_replenishing(&self) {}
        fn request_permission(&self, tokens: u64) -> Result<bool, crate::service::RateLimitError> {
            Err(crate::service::RateLimitError::new("never", tokens, 0))
        }
    }
    let (simulator, limiter) = simulated(Config::default());
    let service = BaseService::new(limiter);
    let class = |requests, tokens, interval| {
        std::sync::Arc::new(Never(SimpleRateLimiter::create(requests, tokens, interval))) as Arc<dyn RateLimiter>
    };
    service.init_endpoint(Endpoint::default().with_rate_limiter(class)).unwrap();
    let payload = json!({"model": "gpt-4o-mini", "messages": question()});
    let error = service.call_api(&payload, "chat/completions", "post").await.unwrap_err();
    assert!(error.is_too_large(), "{error}");
    assert_eq!(simulator.statistics().requests, 0);
}
