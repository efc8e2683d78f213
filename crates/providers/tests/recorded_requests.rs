//! Requests that real programs sent, read, written again and written in every other form.
//!
//! The recordings are no part of the project. The test looks for them beside it, and says so where they are not there.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use providers::payload::{ChatDialect, ChatRequest, Form};
use serde_json::{Map, Value, json};

/// Passes every recorded request on: its path and its body. Says whether there are any.
fn each(mut on_request: impl FnMut(&str, &Value)) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/requests.jsonl.gz");
    if !path.is_file() {
        eprintln!("skipped: there is no {}", path.display());
        return false;
    }
    let Ok(mut unpacking) = Command::new("gzip").arg("-dc").arg(&path).stdout(Stdio::piped()).spawn() else {
        eprintln!("skipped: gzip cannot be run");
        return false;
    };
    for line in BufReader::new(unpacking.stdout.take().unwrap()).lines() {
        let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
        on_request(row["endpoint"].as_str().unwrap_or_default(), &row["request_body"]);
    }
    assert!(unpacking.wait().unwrap().success());
    true
}

/// Numbers as they are, however they were written.
fn numbers(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.as_f64()),
        Value::Array(items) => items.iter_mut().for_each(numbers),
        Value::Object(members) => members.values_mut().for_each(numbers),
        _ => {}
    }
}

fn members(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().unwrap()
}

fn rename(body: &mut Value, from: &str, to: &str) {
    if let Some(value) = members(body).remove(from) {
        members(body).entry(to).or_insert(value);
    }
}

/// What is the same said in another way, said in one way.
fn normal_chat(mut body: Value) -> Value {
    numbers(&mut body);
    members(&mut body).retain(|name, value| {
        let is_empty_list = matches!(name.as_str(), "tools" | "stop") && value.as_array().is_some_and(Vec::is_empty);
        !(value.is_null() || is_empty_list)
    });
    if body.get("tools").is_none() {
        // Without tools they say nothing.
        members(&mut body).remove("parallel_tool_calls");
        members(&mut body).retain(|name, value| !(name == "tool_choice" && (*value == "auto" || *value == "none")));
    }
    rename(&mut body, "max_completion_tokens", "max_tokens");
    rename(&mut body, "random_seed", "seed");
    if let Some(Value::String(stop)) = body.get("stop") {
        body["stop"] = json!([stop]);
    }
    if body.get("tool_choice").is_some_and(|choice| choice == "any") {
        body["tool_choice"] = json!("required");
    }
    if body.get("stream_options").is_none_or(|options| *options == json!({"include_usage": true})) {
        members(&mut body).remove("stream_options");
    }
    let effort = body.get("reasoning").filter(|it| it.as_object().is_some_and(|it| it.len() == 1));
    if let Some(effort) = effort.and_then(|reasoning| reasoning.get("effort")).cloned() {
        body["reasoning_effort"] = effort;
        members(&mut body).remove("reasoning");
    }
    for message in body["messages"].as_array_mut().unwrap() {
        if message["role"] == "developer" {
            message["role"] = json!("system");
        }
        let calls = message.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
        members(message).retain(|name, value| {
            let says_nothing = value.is_null() || (value == "" && (calls || name == "content"));
            !says_nothing && *value != json!([])
        });
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            members(call).retain(|name, _| matches!(name.as_str(), "id" | "type" | "function"));
            call["type"] = json!("function");
            members(&mut call["function"]).retain(|name, _| matches!(name.as_str(), "name" | "arguments"));
            if call["function"]["arguments"] == "" {
                call["function"]["arguments"] = json!("{}");
            }
        }
    }
    for tool in body.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(function) = tool.get_mut("function").and_then(Value::as_object_mut) {
            function.retain(|_, value| !value.is_null());
        }
    }
    body
}

/// Every content as blocks, and neighbours of one side as one turn: so Anthropic reads them itself.
fn normal_messages(mut body: Value) -> Value {
    numbers(&mut body);
    members(&mut body).retain(|name, value| match name.as_str() {
        "tools" => *value != json!([]),
        "system" => *value != "" && *value != json!([]),
        _ => true,
    });
    let mut turns: Vec<Value> = Vec::new();
    for turn in body["messages"].as_array().unwrap() {
        let blocks = match &turn["content"] {
            Value::String(text) => vec![json!({"type": "text", "text": text})],
            blocks => blocks.as_array().unwrap().clone(),
        };
        match turns.last_mut() {
            Some(last) if last["role"] == turn["role"] => last["content"].as_array_mut().unwrap().extend(blocks),
            _ => turns.push(json!({"role": turn["role"], "content": blocks})),
        }
    }
    for block in turns.iter_mut().flat_map(|turn| turn["content"].as_array_mut().unwrap()) {
        members(block).retain(|name, value| !(name == "is_error" && *value == false));
    }
    body["messages"] = Value::Array(turns);
    body
}

fn is_chat(path: &str, body: &Value) -> bool {
    path.ends_with("chat/completions") && body.get("messages").is_some_and(Value::is_array) && body["model"].is_string()
}

fn is_messages(path: &str, body: &Value) -> bool {
    path.ends_with("/v1/messages") && body.get("messages").is_some_and(Value::is_array)
}

#[test]
fn a_request_that_is_read_and_written_again_is_the_same_request() {
    let (mut chats, mut messages) = (0, 0);
    let mut different: Vec<String> = Vec::new();
    let mut compare = |left: Value, right: Value| {
        if left != right && different.len() < 5 {
            let names = left.as_object().unwrap().keys().filter(|name| left.get(name) != right.get(name));
            let pairs = names.map(|name| format!("{name}: {} | {}", left[name], right[name]));
            different.push(pairs.collect::<Vec<_>>().join("\n"));
        }
    };
    let is_there = each(|path, body| {
        if is_chat(path, body) {
            let Ok(request) = ChatRequest::from_openai(body) else {
                // OpenAI's former role for results of functions.
                assert!(body.to_string().contains(r#""role":"function""#), "{body}");
                return;
            };
            chats += 1;
            // Only OpenRouter has the object.
            let with_object = ChatDialect { asks_cost: false, thoughts: None, ..ChatDialect::OPENROUTER };
            let dialect = if body.get("reasoning").is_some() { &with_object } else { &ChatDialect::COMPATIBLE };
            let written = Form::OpenAiChat.payload(&request, dialect).unwrap();
            assert!(written.left_out.is_empty(), "{:?}", written.left_out);
            let mut written = written.body;
            for (message, original) in
                written["messages"].as_array_mut().unwrap().iter_mut().zip(body["messages"].as_array().unwrap())
            {
                if original.get("tool_call_id").is_none() {
                    // It was found in the call that the message answers.
                    members(message).remove("tool_call_id");
                }
            }
            compare(normal_chat(body.clone()), normal_chat(written));
        } else if is_messages(path, body) {
            messages += 1;
            let request = ChatRequest::from_anthropic(body).unwrap();
            let written = Form::Anthropic.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
            compare(normal_messages(body.clone()), normal_messages(written.body));
        }
    });
    println!("{chats} chat completions and {messages} messages were read and written again");
    assert!(different.is_empty(), "{} or more are different:\n{}", different.len(), different.join("\n\n"));
    assert!(!is_there || (chats > 3_000 && messages > 700));
}

#[test]
fn nearly_every_request_takes_every_form_and_an_error_names_what_cannot() {
    let mut taken: BTreeMap<String, u64> = BTreeMap::new();
    let mut refused: BTreeMap<String, u64> = BTreeMap::new();
    let mut all = 0;
    let is_there = each(|path, body| {
        let read = if is_chat(path, body) {
            ChatRequest::from_openai(body)
        } else if is_messages(path, body) {
            ChatRequest::from_anthropic(body)
        } else {
            return;
        };
        let Ok(request) = read else { return };
        all += 1;
        let said: Vec<String> = request.messages.iter().map(|message| message.content.text()).collect();
        let request = match request.for_another_provider() {
            Ok((request, _)) => {
                let kept: Vec<String> = request.messages.iter().map(|message| message.content.text()).collect();
                assert!(said.iter().all(|text| text.is_empty() || kept.contains(text)), "{said:?}\n{kept:?}");
                request
            }
            Err(error) => {
                *refused.entry(format!("any form: {error}")).or_default() += 1;
                return;
            }
        };
        for form in Form::ALL {
            match form.payload(&request, &ChatDialect::COMPATIBLE) {
                Ok(_) => *taken.entry(format!("{form:?}")).or_default() += 1,
                Err(error) => *refused.entry(format!("{form:?}: {error}")).or_default() += 1,
            }
        }
    });
    println!("of {all}: {taken:#?}\n{refused:#?}");
    if is_there {
        for form in Form::ALL {
            // Ollama cannot be told to call a tool, which one in eight asks for.
            let goal = if form == Form::Ollama { 80 } else { 95 };
            assert!(taken[&format!("{form:?}")] * 100 >= all * goal, "{form:?}");
        }
    }
    assert!(refused.keys().all(|reason| reason.contains(": `")), "{refused:#?}");
}
