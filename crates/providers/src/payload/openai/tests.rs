//! Requests in the form of chat completions, in each dialect.

use super::super::fixtures::{self, conversation, hello, parameters, schema};
use super::*;

fn body(request: &ChatRequest) -> Value {
    payload(request, &ChatDialect::OPENAI).unwrap().body
}

#[test]
fn only_what_was_said_is_sent() {
    let messages = json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]);
    let sent = payload(&hello("gpt-4o-mini"), &ChatDialect::OPENAI).unwrap();
    assert_eq!(sent.body, json!({"model": "gpt-4o-mini", "messages": messages}));
    assert_eq!((sent.endpoint.as_ref(), sent.left_out), ("/v1/chat/completions", vec![]));
}

#[test]
fn zero_and_false_are_values() {
    let sent = payload(&fixtures::zeros("llama"), &ChatDialect::COMPATIBLE).unwrap();
    let expected = json!({"model": "llama",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "max_tokens": 0, "temperature": 0.0, "top_p": 0.0, "top_k": 0, "frequency_penalty": 0.0,
        "presence_penalty": 0.0, "seed": 0, "stream": false});
    assert_eq!(sent.body, expected);
}

#[test]
fn the_bound_of_a_reasoning_model_has_its_own_name() {
    let check = |model: &str, name: &str| {
        let request = ChatRequest { max_tokens: Some(9), ..hello(model) };
        assert_eq!(body(&request)[name], 9, "{model}");
    };
    check("gpt-4o", "max_tokens");
    check("gpt-4.1", "max_tokens");
    check("o1", "max_completion_tokens");
    check("o3-mini", "max_completion_tokens");
    check("o4-mini-2025-04-16", "max_completion_tokens");
    check("ft:o4-mini-2025-04-16:org::id", "max_completion_tokens");
    check("gpt-5.1", "max_completion_tokens");
    check("gpt-50", "max_tokens");
}

#[test]
fn a_reasoning_model_is_not_sent_a_temperature_and_the_caller_is_told() {
    let check = |model: &str, reasoning: Option<Effort>, is_sent: bool| {
        let reasoning = reasoning.map(Reasoning::effort);
        let request = ChatRequest { temperature: Some(0.0), reasoning, ..hello(model) };
        let sent = payload(&request, &ChatDialect::OPENAI).unwrap();
        assert_eq!(sent.body.get("temperature").is_some(), is_sent, "{model}");
        assert_eq!(sent.left_out.contains(&"temperature"), !is_sent, "{model}");
    };
    check("gpt-4o", None, true);
    check("o3", None, false);
    check("gpt-5-mini", None, false);
    check("gpt-5-chat-latest", None, true);
    check("gpt-5.2", None, true);
    check("gpt-5.2", Some(Effort::None), true);
    check("gpt-5.2", Some(Effort::Low), false);
    check("gpt-5-mini", Some(Effort::None), false);
    check("gpt-5.5", None, false);
    check("gpt-6-luna", Some(Effort::None), true);
    let own = ChatRequest { temperature: Some(1.0), presence_penalty: Some(0.0), ..hello("o3") };
    assert_eq!((&body(&own)["temperature"], &body(&own)["presence_penalty"]), (&json!(1.0), &json!(0.0)));
}

#[test]
fn a_stream_is_asked_for_its_usage() {
    let request = ChatRequest { stream: Some(true), ..hello("gpt-4o") };
    assert_eq!(body(&request)["stream_options"], json!({"include_usage": true}));
    assert_eq!(payload(&request, &ChatDialect::MISTRAL).unwrap().body.get("stream_options"), None);
    assert_eq!(body(&hello("gpt-4o")).get("stream_options"), None);
}

#[test]
fn tools_their_calls_and_their_results_are_sent() {
    let expected = json!({"model": "gpt-4o", "tool_choice": "auto",
        "tools": [{"type": "function", "function": {"name": "weather", "description": "The weather in a city.",
            "parameters": parameters()}}],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Where is it warm?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Rome\"}"}},
                {"id": "call_2", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "{\"celsius\":21}"},
            {"role": "tool", "tool_call_id": "call_2", "content": "no clock"},
            {"role": "user", "content": "Go on."}]});
    assert_eq!(body(&conversation("gpt-4o")), expected);
}

#[test]
fn which_tools_to_call_is_said_where_there_are_any() {
    let said = |tools: Vec<Tool>, choice| {
        let parallel_tool_calls = Some(false);
        let request = ChatRequest { tools, tool_choice: Some(choice), parallel_tool_calls, ..hello("gpt-4o") };
        payload(&request, &ChatDialect::OPENAI).map(|sent| sent.body).map_err(|error| error.to_string())
    };
    let none = said(vec![], ToolChoice::None).unwrap();
    assert_eq!((none.get("tool_choice"), none.get("parallel_tool_calls")), (None, None));
    let tool = Tool::new("f", "", json!({}));
    let some = said(vec![tool], ToolChoice::Named("f".to_owned())).unwrap();
    assert_eq!(some["tool_choice"], json!({"type": "function", "function": {"name": "f"}}));
    assert_eq!(some["parallel_tool_calls"], json!(false));
    let expected = "`tool_choice` cannot be used: there are no tools to call";
    assert_eq!(said(vec![], ToolChoice::Required), Err(expected.to_owned()));
}

#[test]
fn images_are_sent_by_their_address_with_their_detail() {
    let image = super::super::Image::from_url("https://h/a.png").with_detail("low");
    let request = ChatRequest::new("gpt-4o", vec![Message::user(vec![Part::Image(image)])]);
    let expected = json!([{"type": "image_url", "image_url": {"url": "https://h/a.png", "detail": "low"}}]);
    assert_eq!(body(&request)["messages"][0]["content"], expected);
}

#[test]
fn the_shape_of_the_answer_is_a_named_schema() {
    let expected = json!({"type": "json_schema", "json_schema": {"name": "reply", "schema": schema(), "strict": true}});
    assert_eq!(body(&fixtures::with_schema("gpt-4o"))["response_format"], expected);
    let error = payload(&fixtures::with_schema("deepseek-chat"), &ChatDialect::DEEPSEEK).unwrap_err();
    assert_eq!(error.to_string(), "`response_format` cannot be used: this provider takes no JSON schema");
}

#[test]
fn thinking_is_asked_for_as_each_server_wants_it() {
    let check = |dialect: &ChatDialect, reasoning: Reasoning, expected: Value| {
        let sent = payload(&fixtures::thinking("m", reasoning, Some(10_000)), dialect).unwrap().body;
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&sent[name], value, "{name}");
        }
        let said = ["reasoning_effort", "reasoning", "thinking"].iter().filter(|name| sent.get(**name).is_some());
        assert_eq!(said.count(), expected.as_object().unwrap().len());
    };
    check(&ChatDialect::OPENAI, Reasoning::effort(Effort::High), json!({"reasoning_effort": "high"}));
    check(&ChatDialect::OPENAI, Reasoning::budget(5_000), json!({"reasoning_effort": "medium"}));
    check(&ChatDialect::OPENROUTER, Reasoning::effort(Effort::Low), json!({"reasoning": {"effort": "low"}}));
    check(&ChatDialect::OPENROUTER, Reasoning::budget(77), json!({"reasoning": {"max_tokens": 77}}));
    check(&ChatDialect::OPENROUTER, Reasoning::budget(0), json!({"reasoning": {"enabled": false}}));
    check(&ChatDialect::DEEPSEEK, Reasoning::effort(Effort::None), json!({"thinking": {"type": "disabled"}}));
    let on = json!({"thinking": {"type": "enabled"}, "reasoning_effort": "high"});
    check(&ChatDialect::DEEPSEEK, Reasoning::effort(Effort::High), on);
    check(&ChatDialect::OPENAI, Reasoning::default(), json!({}));
}

#[test]
fn openrouter_is_asked_for_the_cost_and_keeps_the_name_of_the_bound() {
    let mut request = ChatRequest { max_tokens: Some(8), ..hello("openai/o3") };
    let sent = payload(&request, &ChatDialect::OPENROUTER).unwrap().body;
    assert_eq!((&sent["max_tokens"], &sent["usage"]), (&json!(8), &json!({"include": true})));
    request.extra.insert("usage".to_owned(), json!({"include": false}));
    assert_eq!(payload(&request, &ChatDialect::OPENROUTER).unwrap().body["usage"], json!({"include": false}));
}

#[test]
fn mistral_gets_its_own_words_and_ids_of_nine_letters_that_still_agree() {
    let mut request = conversation("mistral-small-latest");
    request.seed = Some(7);
    request.top_k = Some(1);
    request.tool_choice = Some(ToolChoice::Required);
    let sent = payload(&request, &ChatDialect::MISTRAL).unwrap();
    assert_eq!((&sent.body["random_seed"], &sent.body["tool_choice"]), (&json!(7), &json!("any")));
    assert_eq!(sent.left_out, ["top_k"]);
    let id = |pointer: &str| sent.body.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let (first, second) = (id("/messages/2/tool_calls/0/id"), id("/messages/2/tool_calls/1/id"));
    assert_eq!((id("/messages/3/tool_call_id"), id("/messages/4/tool_call_id")), (first.clone(), second.clone()));
    assert_ne!(first, second);
    assert!(first.len() == 9 && first.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{first}");
    assert_eq!(tool_id("Caf7Pyrd8", &ChatDialect::MISTRAL), "Caf7Pyrd8");
}

#[test]
fn what_a_server_refuses_is_not_sent_and_the_caller_is_told() {
    let mut request = ChatRequest { user: Some("u".to_owned()), ..hello("m") };
    request.messages[1].name = Some("Ann".to_owned());
    request.frequency_penalty = Some(0.5);
    let left_out = |dialect: &ChatDialect| payload(&request, dialect).unwrap().left_out;
    assert_eq!(left_out(&ChatDialect::COMPATIBLE), Vec::<&str>::new());
    assert_eq!(left_out(&ChatDialect::GROQ), ["messages.name"]);
    assert_eq!(left_out(&ChatDialect::CEREBRAS), ["frequency_penalty"]);
    assert_eq!(left_out(&ChatDialect::MISTRAL), ["user"]);
    let image = Message::tool("1", vec![Part::image_url("https://h/a.png")]);
    let shown = ChatRequest::new("m", vec![Message::user("Hi"), image]);
    assert!(payload(&shown, &ChatDialect::COMPATIBLE).is_ok());
    let error = payload(&shown, &ChatDialect::OPENAI).unwrap_err();
    assert_eq!(error.to_string(), "`messages` cannot be used: this provider takes only texts as results of tools");
    let twice = ChatRequest { n: Some(2), ..hello("m") };
    let error = payload(&twice, &ChatDialect::GROQ).unwrap_err();
    assert_eq!(error.to_string(), "`n` cannot be used: this provider gives one answer at a time");
}

#[test]
fn thoughts_go_back_where_they_are_wanted() {
    let member = |dialect: &ChatDialect, name: &str| {
        payload(&conversation("m"), dialect).unwrap().body["messages"][2].get(name).cloned()
    };
    assert_eq!(member(&ChatDialect::DEEPSEEK, "reasoning_content"), Some(json!("Ask both.")));
    assert_eq!(member(&ChatDialect::OPENROUTER, "reasoning"), Some(json!("Ask both.")));
    assert_eq!(member(&ChatDialect::OPENAI, "reasoning"), None);
}

#[test]
fn developers_are_known_to_openai_alone() {
    let request = ChatRequest::new("m", vec![Message::new(Role::Developer, "Be brief.")]);
    assert_eq!(body(&request)["messages"][0]["role"], "developer");
    assert_eq!(payload(&request, &ChatDialect::GROQ).unwrap().body["messages"][0]["role"], "system");
}

#[test]
fn further_fields_win() {
    let mut request = ChatRequest { temperature: Some(1.0), ..hello("gpt-4o") };
    request.extra.insert("temperature".to_owned(), json!(0.5));
    request.extra.insert("logprobs".to_owned(), json!(true));
    let sent = body(&request);
    assert_eq!((&sent["temperature"], &sent["logprobs"]), (&json!(0.5), &json!(true)));
}

#[test]
fn what_is_missing_is_named() {
    let check = |request: ChatRequest, expected: &str| {
        assert_eq!(payload(&request, &ChatDialect::OPENAI).unwrap_err().to_string(), expected);
    };
    check(ChatRequest::new(" ", vec![Message::user("Hi")]), "`model` is required");
    check(ChatRequest::new("gpt-4o", vec![]), "`messages` is required");
    check(ChatRequest::new("gpt-4o", vec![Message::new(Role::Tool, "42")]), "`tool_call_id` is required");
    let nameless = ChatRequest { tools: vec![Tool::new("", "", json!({}))], ..hello("m") };
    check(nameless, "`tools.name` is required");
    let endless = ChatRequest { temperature: Some(f64::NAN), ..hello("m") };
    check(endless, "`temperature` cannot be used: not a finite number");
}
