//! The examples of the three documents, run against the simulated provider: what each prints is what is checked here.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too
#![expect(clippy::duplicate_mod, reason = "each example is whole in itself")]

use std::time::Duration;

use simulator::{Config, Faults};

#[expect(dead_code, reason = "its `main` is not called here")]
#[path = "../examples/chat_limiter_document.rs"]
mod chat_limiter_document;
#[expect(dead_code, reason = "its `main` is not called here")]
#[path = "../examples/lionagi_imodel.rs"]
mod lionagi_imodel;
#[expect(dead_code, reason = "its `main` is not called here")]
#[path = "../examples/lionagi_rate_limit.rs"]
mod lionagi_rate_limit;

use chat_limiter_document as document;

fn target() -> document::Target {
    document::Target::simulated(Config::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn basic_usage_prints_the_answer() {
    assert!(!document::basic_usage(&target()).await.unwrap().is_empty());
}

#[test]
fn synchronous_usage_prints_the_answer() {
    assert!(!document::synchronous_usage(&target()).unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn batch_processing_answers_every_question_in_order() {
    let results = document::batch_processing(&target()).await.unwrap();
    assert_eq!((results.len(), results.successful_results().count()), (10, 10));
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result.item.data["messages"][0]["content"], format!("Question {index}"));
    }
}

#[tokio::test(start_paused = true)]
async fn batch_processing_survives_a_provider_that_fails() {
    let faults = Faults { server_error_rate: 0.2, overloaded_rate: 0.1, ..Faults::default() };
    let target = document::Target::simulated(Config::default().with_faults(faults)).unwrap();
    let results = document::batch_processing(&target).await.unwrap();
    assert_eq!(results.successful_results().count(), 10);
}

#[tokio::test(start_paused = true)]
async fn configured_limits_hold_until_the_provider_says_its_own_and_eight_tenths_are_used() {
    let target = document::Target::simulated(Config::default().with_requests_per_minute(500)).unwrap();
    assert_eq!(document::provider_configuration(&target).await.unwrap(), (Some(80), Some(400)));
}

#[tokio::test(start_paused = true)]
async fn a_client_with_settings_of_its_own_lists_the_models() {
    assert!(document::custom_client(&target()).await.unwrap() > 0);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_request_is_an_error_with_a_status() {
    assert_eq!(document::error_handling(&target()).await, "status");
}

#[tokio::test(start_paused = true)]
async fn limits_and_usage_are_shown_and_usage_is_reset() {
    let (limits, after) = document::monitoring(&target()).await.unwrap();
    assert_eq!((limits.requests_used, limits.request_limit), (1, Some(3_000)));
    assert!(limits.tokens_used > 0 && limits.token_limit == Some(1_000_000));
    assert_eq!((after.requests_used, after.tokens_used, after.request_limit), (0, 0, Some(3_000)));
}

#[tokio::test(start_paused = true)]
async fn logic_of_ones_own_processes_every_item() {
    let results = document::custom_logic(&target()).await.unwrap();
    assert!(
        results.iter().all(|result| result.result.as_ref().unwrap().as_array().is_some_and(|list| !list.is_empty()))
    );
    assert_eq!(results.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_document_gets_an_answer_and_its_counters_add_up() {
    let target = lionagi_rate_limit::Target::simulated(Config::default()).unwrap();
    let (answer, counts) = lionagi_rate_limit::run(&target).await.unwrap();
    assert!(answer["choices"][0]["message"]["content"].is_string());
    assert_eq!((counts.num_tasks_started, counts.num_tasks_succeeded, counts.num_tasks_failed), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_api_reference_gets_answers_from_a_provider_and_a_service_of_ones_own() {
    let target = lionagi_imodel::Target::simulated(Config::default().with_latency(Duration::from_secs(1))).unwrap();
    let answer = lionagi_imodel::model(&target).await.unwrap();
    assert_eq!(answer["model"], "gpt-4o-mini");
    let answer = lionagi_imodel::custom_service(&target).await.unwrap();
    assert_eq!(answer["model"], "llama-3.1-8b");
}

#[test]
fn a_request_larger_than_the_limit_tells_its_sizes() {
    let error = lionagi_imodel::limits_and_tokens().unwrap_err();
    assert_eq!((error.estimated_output_tokens, error.requested_tokens()), (2_000, 2_000 + error.input_tokens));
    assert!(error.input_tokens > 0);
}
