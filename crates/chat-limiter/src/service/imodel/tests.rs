//! Against the simulated provider.

use std::sync::Arc;

use futures::StreamExt;
use providers::Provider;
use serde_json::json;
use simulator::{Config, Simulator};

use super::*;
use crate::service::{Service, register_service};
use crate::test_support::{client_of, simulated};

const QUESTION: &str = "What is a bucket?";

fn question() -> Value {
    json!({"messages": [{"role": "user", "content": QUESTION}]})
}

fn model(limiter: ChatLimiter, provider: &str, task: &str) -> IModelBuilder {
    IModel::builder(provider).task(task).limiter(limiter)
}

#[track_caller]
fn error_of(builder: IModelBuilder) -> String {
    let error = builder.build().unwrap_err();
    assert!(error.is_configuration());
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_model_is_asked_by_provider_and_task() {
    let (simulator, limiter) = simulated(Config::default());
    let model = model(limiter, "openai", "chat").model("gpt-4o-mini").config("max_tokens", 20).build().unwrap();
    let answer = model.invoke(question()).await.unwrap();
    assert!(answer.json().unwrap()["choices"][0]["message"]["content"].is_string());
    assert!(answer.usage.unwrap().output <= 20);
    assert_eq!(simulator.statistics().requests, 1);
    assert_eq!(model.task(), Task::Chat);
    assert!(model.list_tasks().iter().any(|task| task == "embeddings"));
}

#[tokio::test(start_paused = true)]
async fn the_same_fields_go_to_a_provider_with_another_form() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let limiter = client_of(&simulator, "anthropic").build().unwrap();
    let model = model(limiter, "anthropic", "create_message").model("claude-haiku-4-5").build().unwrap();
    let messages = json!({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]});
    let request = model.request(messages.clone()).unwrap();
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!((request.path.as_str(), &body["system"]), ("/v1/messages", &json!("Be brief.")));
    assert!(body["max_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
    assert!(model.invoke(messages).await.unwrap().json().unwrap()["content"][0]["text"].is_string());
    // Anthropic's own fields are understood as well.
    let own = json!({"system": "Be brief.", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]});
    let body: Value = serde_json::from_slice(&model.request(own).unwrap().body).unwrap();
    assert_eq!((&body["system"], &body["max_tokens"]), (&json!("Be brief."), &json!(5)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_come_as_a_stream_with_its_usage() {
    let simulator = Simulator::new(Config::default()).unwrap();
    for (provider, name) in [("openai", "gpt-4o-mini"), ("anthropic", "claude-haiku-4-5")] {
        let limiter = client_of(&simulator, provider).build().unwrap();
        let model = model(limiter, provider, "chat").model(name).config("max_tokens", 9).build().unwrap();
        let mut stream = model.stream(question()).await.unwrap();
        let mut text = String::new();
        while let Some(event) = stream.next().await {
            text.push_str(&event.unwrap().text().unwrap_or_default());
        }
        assert!(!text.is_empty() && stream.usage().is_some_and(|usage| usage.output == 9), "{provider}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_are_found_in_any_spelling_and_have_paths_of_their_own() {
    let (_, limiter) = simulated(Config::default());
    for (name, path) in [
        ("Create-Embedding", "/v1/embeddings"),
        ("chat", "/v1/chat/completions"),
        ("chat completions", "/v1/chat/completions"),
        ("models", "/v1/models"),
    ] {
        let model = model(limiter.clone(), "openai", name).model("m").build().unwrap();
        let fields = json!({"messages": [{"role": "user", "content": "Hi"}], "input": "Hi"});
        assert_eq!(model.request(fields).unwrap().path, path, "{name}");
    }
    let embeddings = model(limiter, "openai", "embed").model("text-embedding-3-small").build().unwrap();
    assert!(embeddings.invoke(json!({"input": "Hi"})).await.unwrap().json().unwrap()["data"].is_array());
}

#[test]
fn a_task_that_means_none_or_several_lists_them() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let client = client_of(&simulator, "openai").build().unwrap();
    let error = error_of(model(client.clone(), "openai", "paint"));
    assert!(error.starts_with("no task `paint`; there are chat, responses, "), "{error}");
    let error = error_of(model(client.clone(), "openai", "create"));
    assert!(error.starts_with("`create` may be any of chat, responses, "), "{error}");
    assert!(error_of(model(client, "openai", "")).starts_with("no task ``"));
}

#[test]
fn an_unknown_provider_lists_the_known_ones() {
    let error = IModel::new("opnai", "chat", None, Some("key"), None, None, None).unwrap_err();
    assert!(error.is_configuration());
    assert!(error.to_string().starts_with("unknown provider `opnai`; known are openai, "), "{error}");
}

#[test]
fn a_missing_key_names_its_variable() {
    let variable = "CHAT_LIMITER_TEST_KEY_THAT_NOBODY_SETS";
    let error = IModel::new("openai", "chat", None, None, Some(variable), None, None).unwrap_err();
    assert!(error.is_configuration() && error.to_string().contains(variable), "{error}");
    // A key wins over the name of a variable, and is shown nowhere.
    let model = IModel::new("openai", "chat", None, Some("sk-secret-1"), Some(variable), None, None).unwrap();
    assert!(!format!("{model:?}").contains("secret"));
    assert!(!format!("{:?}", IModel::builder("openai").api_key("sk-secret-1")).contains("secret"));
}

#[test]
fn a_key_may_be_the_name_of_a_variable_that_is_set() {
    // Any variable that is there has a value in the place of a key: one in capitals that every environment has.
    let Some((name, _)) = std::env::vars().find(|(name, value)| {
        let is_capital = |b: u8| b.is_ascii_uppercase() || b == b'_';
        name.bytes().all(is_capital) && !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic())
    }) else {
        return;
    };
    let builder = IModel::builder("openai").api_key(name.as_str());
    assert!(matches!(&builder.key, builder::Key::Variable(variable) if *variable == name));
    assert!(builder.build().is_ok());
}

#[test]
fn limits_per_minute_are_ceilings_of_the_client() {
    let model = IModel::new("openai", "chat", Some("gpt-4o"), Some("key"), None, Some(900), Some(3)).unwrap();
    let limits = &model.limiter().limits()[0].state.limits;
    let amount = |dimension| limits.iter().find(|known| known.limit.dimension() == dimension).unwrap().limit.amount();
    assert_eq!((amount(Dimension::Tokens), amount(Dimension::Requests)), (900, 3));
    assert!(model.check_availability(800, 100));
    assert!(!model.check_availability(800, 101));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_is_not_available() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let limiter = client_of(&simulator, "openai").requests_per_minute(1).build().unwrap();
    let model = model(limiter, "openai", "chat").model("gpt-4o-mini").build().unwrap();
    assert!(model.check_availability(10, 10));
    let running = tokio::spawn({
        let model = model.clone();
        async move { model.invoke(question()).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    while simulator.statistics().requests == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    assert!(!model.check_availability(0, 0));
    running.await.unwrap().unwrap();
}

#[test]
fn a_client_that_is_shared_takes_no_settings() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let client = client_of(&simulator, "openai").build().unwrap();
    let shared = || model(client.clone(), "openai", "chat");
    for builder in [
        shared().api_key("key"),
        shared().api_key_schema("A_VARIABLE"),
        shared().base_url("http://127.0.0.1:9/v1"),
        shared().interval_tokens(1),
        shared().interval_requests(1),
    ] {
        assert!(error_of(builder).starts_with("a client that is shared has its own key"));
    }
    assert!(shared().build().is_ok());
}

#[tokio::test(start_paused = true)]
async fn models_that_share_a_client_share_its_limits() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let limiter = client_of(&simulator, "openai").requests_per_minute(2).build().unwrap();
    let first = model(limiter.clone(), "openai", "chat").model("gpt-4o-mini").build().unwrap();
    let second = model(limiter, "openai", "chat").model("gpt-4o-mini").build().unwrap();
    first.invoke(question()).await.unwrap();
    assert!(second.check_availability(1, 1));
    second.invoke(question()).await.unwrap();
    assert!(!first.check_availability(1, 1));
}

#[test]
fn what_is_missing_or_contradicts_is_named() {
    let simulator = Simulator::new(Config::default()).unwrap();
    let client = client_of(&simulator, "openai").build().unwrap();
    let without_model = model(client.clone(), "openai", "chat").build().unwrap();
    let error = without_model.request(question()).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("invalid_request", "chat: `model` is required"));
    let chat = model(client.clone(), "openai", "chat").model("gpt-4o").build().unwrap();
    assert_eq!(chat.request(json!({})).unwrap_err().to_string(), "chat: `messages` is required");
    let error = chat.request(json!({"model": "gpt-3", "messages": []})).unwrap_err().to_string();
    assert_eq!(error, "models are inconsistent: this is `gpt-4o`, the request names `gpt-3`");
    assert!(chat.request(json!(["messages"])).unwrap_err().to_string().contains("must be an object"));
    let transcription = model(client, "openai", "transcription").model("whisper-1").build().unwrap();
    assert!(transcription.request(json!({})).unwrap_err().to_string().contains("invoke_file"));
}

#[tokio::test(start_paused = true)]
async fn a_service_of_ones_own_offers_the_tasks_that_it_lists() {
    #[derive(Debug)]
    struct Custom;
    impl Service for Custom {
        fn provider(self: Arc<Self>) -> Arc<dyn Provider> {
            Arc::new(OpenAiCompatible::new().with_name("custom"))
        }
        fn list_tasks(&self) -> Vec<String> {
            vec!["chat".to_owned(), "completion".to_owned()]
        }
    }
    use providers::OpenAiCompatible;
    register_service("imodel-test-custom", Custom).unwrap();
    let (_, limiter) = simulated(Config::default());
    let chat = model(limiter.clone(), "imodel-test-custom", "chat").model("llama").build().unwrap();
    assert_eq!(chat.list_tasks(), ["chat", "completion"]);
    assert!(chat.invoke(question()).await.is_ok());
    let error = error_of(model(limiter, "imodel-test-custom", "embeddings"));
    assert_eq!(error, "no task `embeddings`; there are chat, completions");
}

#[test]
fn prices_come_from_the_table_of_models() {
    let limiter = ChatLimiter::builder("openai").api_key("key").build().unwrap();
    let model = |name: &str| IModel::builder("openai").model(name).limiter(limiter.clone()).build().unwrap();
    let table = ModelTable::standard();
    let price = table.find("openai", "gpt-4o-mini").and_then(|facts| facts.price).unwrap();
    let tokens = TiktokenCalculator::new("gpt-4o-mini").calculate(QUESTION) as f64;
    let expected = (tokens * price.input + 100.0 * price.output) / 1e6;
    let estimate = model("gpt-4o-mini").estimate_text_price(QUESTION, false, 100).unwrap();
    assert!((estimate - expected).abs() < 1e-12, "{estimate} {expected}");
    assert!(model("gpt-4o-mini").estimate_text_price(QUESTION, true, 100).unwrap() < estimate);
    assert_eq!(model("unheard-of").estimate_text_price(QUESTION, false, 100), None);
}
