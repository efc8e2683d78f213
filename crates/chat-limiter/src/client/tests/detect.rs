//! A client by the name of a model or by an address.

use serde_json::json;

use super::*;
use crate::Message;

#[test]
fn a_model_tells_the_provider_and_an_unknown_one_lists_the_known() {
    let limiter = ChatLimiter::for_model("gpt-4o").unwrap().api_key("sk-0123456789");
    let provider = limiter.transport(Arc::new(Scripted::new(|_| (200, Value::Null)))).build().unwrap();
    assert_eq!(provider.provider().name(), "openai");
    let error = ChatLimiter::for_model("my-own-model").unwrap_err();
    assert!(error.is_configuration());
    assert!(error.to_string().contains("my-own-model") && error.to_string().contains("anthropic"), "{error}");
}

#[test]
fn a_key_that_is_missing_names_its_variable() {
    let builder =
        ChatLimiter::for_model("gpt-4o").unwrap().api_key_variable("CHAT_LIMITER_TESTS_HAVE_NO_SUCH_VARIABLE");
    let error = builder.build().unwrap_err();
    assert!(error.is_configuration() && error.to_string().contains("HAVE_NO_SUCH_VARIABLE"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_providers_own_name_before_a_model_is_not_sent() {
    let server = Scripted::new(|_| (200, json!({"choices": []})));
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (record, inner) = (Arc::clone(&sent), server.clone());
    let recording = transport_of(move |request| {
        record.lock().unwrap().push(String::from_utf8(request).unwrap());
        (inner.script)(&http::Request::new(Body::from_bytes("")))
    });
    for (provider, model) in
        [("openai", "openai/gpt-4o"), ("anthropic", "anthropic/claude-x"), ("openrouter", "openai/gpt-4o")]
    {
        let limiter = ChatLimiter::builder(provider).api_key("sk-0123456789").transport(Arc::clone(&recording));
        limiter.build().unwrap().chat(model, vec![Message::user("hi")]).await.unwrap();
    }
    let models: Vec<String> = sent.lock().unwrap().iter().map(|body| model_of(body)).collect();
    assert_eq!(models, ["gpt-4o", "claude-x", "openai/gpt-4o"]);
}

fn model_of(body: &str) -> String {
    serde_json::from_str::<Value>(body).unwrap()["model"].as_str().unwrap().to_owned()
}

/// A transport that answers by what is in the body.
fn transport_of(script: impl Fn(Vec<u8>) -> (u16, Value) + Send + Sync + 'static) -> Arc<dyn Transport> {
    struct Reading<F>(Arc<F>);
    impl<F: Fn(Vec<u8>) -> (u16, Value) + Send + Sync + 'static> Transport for Reading<F> {
        fn send(
            &self,
            request: http::Request<Body>,
        ) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
            let script = Arc::clone(&self.0);
            async move {
                let body = request.into_body().collect_bounded(1 << 20).await?;
                let (status, answer) = script(body.to_vec());
                let mut response = http::Response::new(Body::from_bytes(answer.to_string()));
                *response.status_mut() = StatusCode::from_u16(status).unwrap();
                Ok(response)
            }
            .boxed()
        }
    }
    Arc::new(Reading(Arc::new(script)))
}
