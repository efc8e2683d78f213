//! Tasks by name, and where they are.

use super::*;
use crate::Registry;
use crate::payload::{ChatDialect, ChatRequest, Message};

fn task(provider: &str, name: &str) -> Result<Task, String> {
    find(&of_provider(provider), name).map(|endpoint| endpoint.task).map_err(|error| error.to_string())
}

#[test]
fn a_task_is_found_under_every_name_in_use() {
    let check = |name: &str, expected: Task| assert_eq!(task("openai", name), Ok(expected), "{name}");
    check("chat", Task::Chat);
    check("Chat Completions", Task::Chat);
    check("chat/completions", Task::Chat);
    check("create_chat_completion", Task::Chat);
    check("embedding", Task::Embeddings);
    check("EMBEDDINGS", Task::Embeddings);
    check("audio_speech", Task::Speech);
    check("finetune", Task::FineTuning);
    check("fine_tuning", Task::FineTuning);
    check("transcri", Task::Transcription);
    assert_eq!(task("anthropic", "create_message"), Ok(Task::Chat));
}

#[test]
fn a_name_that_means_several_lists_them() {
    let expected = "`audio` may be any of speech, transcription, translation";
    assert_eq!(task("openai", "audio"), Err(expected.to_owned()));
}

#[test]
fn a_name_that_means_nothing_lists_what_there_is() {
    let expected = "no task `speech`; there are chat, count_tokens, batches, files, models";
    assert_eq!(task("anthropic", "speech"), Err(expected.to_owned()));
    for name in ["", " ", "---", "s", "日本"] {
        assert!(task("perplexity", name).is_err(), "{name:?}");
    }
}

#[test]
fn a_whole_name_wins_over_a_part() {
    assert_eq!(task("openai", "completions"), Ok(Task::Completions));
}

#[test]
fn the_model_stands_in_the_path_where_it_belongs() {
    let path = |endpoints: Vec<Endpoint>, model: &str| find(&endpoints, "chat").unwrap().path_for(model).into_owned();
    assert_eq!(path(of_form(Form::Gemini), "gemini-2.5-flash"), "/models/gemini-2.5-flash:generateContent");
    assert_eq!(path(of_form(Form::Bedrock), "a/b?c"), "/model/a%2Fb%3Fc/converse");
    assert_eq!(path(of_form(Form::Cohere), "command-a"), "/v2/chat");
    assert_eq!(path(of_provider("openai"), "gpt-4o"), "/v1/chat/completions");
}

#[test]
fn a_chat_request_goes_where_the_chat_is() {
    let request = ChatRequest::new("m", vec![Message::user("Hi")]);
    for form in Form::ALL {
        let endpoints = of_form(form);
        let Ok(chat) = find(&endpoints, "chat") else { continue };
        let payload = form.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
        assert_eq!(payload.endpoint, chat.path_for("m"), "{form:?}");
    }
    let registry = Registry::standard();
    for name in registry.names() {
        let provider = registry.by_name(name).unwrap();
        let endpoints = provider.endpoints();
        assert_eq!(provider.chat_payload(&request).unwrap().endpoint, find(&endpoints, "chat").unwrap().path, "{name}");
    }
}

#[test]
fn what_is_sent_goes_to_the_address_that_the_provider_documents() {
    let request = ChatRequest::new("m", vec![Message::user("Hi")]);
    let check = |base: &str, path: &str, expected: &str| {
        assert_eq!(crate::join_url(base, path).unwrap().to_string(), expected);
    };
    let registry = Registry::standard();
    for (name, expected) in [
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
        ("openrouter", "https://openrouter.ai/api/v1/chat/completions"),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"),
        ("groq", "https://api.groq.com/openai/v1/chat/completions"),
        ("mistral", "https://api.mistral.ai/v1/chat/completions"),
        ("cohere", "https://api.cohere.ai/compatibility/v1/chat/completions"),
        ("together", "https://api.together.xyz/v1/chat/completions"),
        ("fireworks", "https://api.fireworks.ai/inference/v1/chat/completions"),
        ("cerebras", "https://api.cerebras.ai/v1/chat/completions"),
        ("xai", "https://api.x.ai/v1/chat/completions"),
        ("deepseek", "https://api.deepseek.com/v1/chat/completions"),
        ("perplexity", "https://api.perplexity.ai/chat/completions"),
        ("sambanova", "https://api.sambanova.ai/v1/chat/completions"),
        ("github-models", "https://models.github.ai/inference/chat/completions"),
        ("huggingface", "https://router.huggingface.co/v1/chat/completions"),
        ("bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions"),
        ("ollama", "http://127.0.0.1:11434/v1/chat/completions"),
    ] {
        let provider = registry.by_name(name).unwrap();
        check(provider.base_url(), &provider.chat_payload(&request).unwrap().endpoint, expected);
    }
    for (form, expected) in [
        (Form::Gemini, "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
        (Form::Cohere, "https://api.cohere.com/v2/chat"),
        (Form::Ollama, "http://127.0.0.1:11434/api/chat"),
    ] {
        check(form.base_url().unwrap(), &form.payload(&request, &ChatDialect::COMPATIBLE).unwrap().endpoint, expected);
    }
    let key = crate::discovery::openrouter::key_request().path;
    check("https://openrouter.ai/api/v1", &key, "https://openrouter.ai/api/v1/key");
    let limits = crate::discovery::anthropic::rate_limits_request(None).path;
    check("https://api.anthropic.com/v1", &limits, "https://api.anthropic.com/v1/organizations/rate_limits");
}

#[test]
fn every_provider_chats_and_no_task_stands_twice() {
    let registry = Registry::standard();
    for provider in registry.names().chain(["somebody"]) {
        let endpoints = of_provider(provider);
        assert!(endpoints.iter().any(|endpoint| endpoint.task == Task::Chat), "{provider}");
        for task in Task::ALL {
            assert!(endpoints.iter().filter(|endpoint| endpoint.task == task).count() <= 1, "{provider} {task}");
        }
    }
}

#[test]
fn models_are_listed_where_they_can_be_asked_for() {
    let registry = Registry::standard();
    for name in registry.names() {
        let provider = registry.by_name(name).unwrap();
        let is_listed = provider.endpoints().iter().any(|endpoint| endpoint.task == Task::Models);
        assert_eq!(provider.model_list(None).is_some(), is_listed, "{name}");
    }
}

#[test]
fn what_has_no_body_is_asked_for_and_the_rest_is_posted() {
    for endpoint in of_provider("openai") {
        let expected = if endpoint.task == Task::Models { Method::GET } else { Method::POST };
        assert_eq!(endpoint.method, expected, "{}", endpoint.task);
    }
}
