//! The list of models.

use serde_json::json;

use super::*;

fn listing(models: &'static [&'static str]) -> Scripted {
    Scripted::new(move |_| {
        let data: Vec<Value> = models.iter().map(|id| json!({"id": id})).collect();
        (200, json!({"data": data}))
    })
}

#[tokio::test(start_paused = true)]
async fn the_list_is_asked_for_once_an_hour_and_after_it_was_cleared() {
    let server = listing(&["gpt-4o"]);
    let limiter = server.client("openai").build().unwrap();
    for _ in 0..3 {
        assert_eq!(limiter.models().await.unwrap()[0].name, "gpt-4o");
    }
    assert_eq!(server.asked().len(), 1);
    tokio::time::advance(Duration::from_secs(3_599)).await;
    limiter.models().await.unwrap();
    assert_eq!(server.asked().len(), 1);
    tokio::time::advance(SECOND).await;
    limiter.models().await.unwrap();
    assert_eq!(server.asked().len(), 2);
    limiter.clear_model_cache();
    limiter.models().await.unwrap();
    assert_eq!(server.asked().len(), 3);
    assert_eq!(limiter.usage().requests, 0, "no limit is drawn on");
}

#[tokio::test(start_paused = true)]
async fn a_model_is_found_with_whoever_lists_it() {
    let clients = [
        listing(&["gpt-4o"]).client("openai").build().unwrap(),
        Scripted::new(|_| (500, json!({"error": {"message": "out of order"}}))).client("mistral").build().unwrap(),
        listing(&["my-own"]).client("anthropic").build().unwrap(),
    ];
    let found = |model: &'static str| async {
        ChatLimiter::find_model(model, &clients).await.map(|it| it.provider().name().to_owned())
    };
    assert_eq!(found("gpt-4o").await.unwrap(), "openai");
    assert_eq!(found("openai/gpt-4o").await.unwrap(), "openai");
    assert_eq!(found("my-own").await.unwrap(), "anthropic");
    let error = found("nobody-has-it").await.unwrap_err();
    assert!(error.is_configuration(), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("nobody-has-it") && text.contains("openai, mistral (500"), "{text}");
    assert!(ChatLimiter::find_model("x", &[]).await.unwrap_err().to_string().contains("nobody"));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_another_shape_and_no_list_are_errors() {
    let server = Scripted::new(|_| (200, json!({"error": "no"})));
    assert!(server.client("openai").build().unwrap().models().await.unwrap_err().to_string().contains("data"));
    let error = server.client("perplexity").build().unwrap().models().await.unwrap_err();
    assert!(error.to_string().contains("perplexity has no list"), "{error}");
}
