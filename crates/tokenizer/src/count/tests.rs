//! Payloads of every family, by their counts.

use super::*;
use proptest::prelude::*;
use serde_json::json;

const ENCODING: Encoding = Encoding::O200kBase;

fn input(payload: &Value) -> u64 {
    count_payload(payload, ENCODING).input
}

fn words(text: &str) -> u64 {
    ENCODING.count(text) as u64
}

#[test]
fn a_body_shows_which_api_it_is_written_for() {
    fn check(payload: Value, expected: PayloadKind) {
        assert_eq!(PayloadKind::of(&payload), expected, "{payload}");
    }
    let messages = json!([{"role": "user", "content": "hi"}]);
    check(json!({"model": "gpt-4o", "messages": messages}), PayloadKind::Chat);
    check(json!({"model": "anthropic/claude-sonnet-4", "messages": messages, "max_tokens": 9}), PayloadKind::Chat);
    check(json!({"model": "claude-sonnet-4", "messages": messages, "max_tokens": 9}), PayloadKind::AnthropicMessages);
    check(json!({"messages": messages, "system": "Be brief."}), PayloadKind::AnthropicMessages);
    check(json!({"messages": messages, "tools": [{"name": "f", "input_schema": {}}]}), PayloadKind::AnthropicMessages);
    check(json!({"contents": [{"parts": [{"text": "hi"}]}]}), PayloadKind::Gemini);
    check(json!({"model": "gpt-4o", "input": "hi"}), PayloadKind::Responses);
    check(json!({"model": "gpt-4o", "prompt": {"id": "pmpt_1"}}), PayloadKind::Responses);
    check(json!({"model": "text-embedding-3-small", "input": "hi"}), PayloadKind::Embeddings);
    check(json!({"input": ["hi"], "encoding_format": "float"}), PayloadKind::Embeddings);
    check(json!({"input": [[1, 2], [3]]}), PayloadKind::Embeddings);
    check(json!({"model": "davinci-002", "prompt": "hi"}), PayloadKind::Completions);
    check(json!({"query": "hi", "documents": ["a"]}), PayloadKind::Other);
    check(json!([]), PayloadKind::Other);
}

#[test]
fn chat_messages_cost_their_words_and_their_frame() {
    fn check(payload: Value, expected: u64) {
        assert_eq!(input(&payload), expected, "{payload}");
    }
    check(json!({"model": "gpt-4o", "messages": []}), 3);
    check(json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello world"}]}), 3 + 4 + 2);
    check(json!({"model": "o3", "messages": [{"role": "user", "content": "hello world"}]}), 2 + 4 + 2);
    check(json!({"model": "gpt-4o", "messages": [{"role": "user", "name": "bob", "content": "hello"}]}), 3 + 4 + 2 + 1);
    check(
        json!({"model": "gpt-4o", "messages": [
            {"role": "system", "content": "hello"},
            {"role": "user", "content": [{"type": "text", "text": "hello"}, {"type": "text", "text": " world"}]},
            {"role": "assistant", "content": null},
        ]}),
        3 + 5 + 6 + 4,
    );
    let answered = json!([{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hello"}]);
    check(json!({"model": "gpt-4o", "messages": answered}), 3 + 5 + 5);
    check(json!({"model": "gpt-5", "messages": answered}), 2 + 5 + 5 + 2);
}

#[test]
fn text_that_names_a_control_token_costs_its_characters() {
    let payload = json!({"model": "gpt-4o", "messages": [{"role": "user", "content": "<|endoftext|>"}]});
    assert_eq!(input(&payload), 3 + 4 + words("<|endoftext|>"));
}

#[test]
fn functions_cost_the_same_under_either_name() {
    let function = json!({"name": "now", "description": "The time", "parameters": {"type": "object"}});
    let messages = json!([{"role": "user", "content": "hello"}]);
    let tools = input(&json!({"model": "gpt-4o", "messages": messages,
        "tools": [{"type": "function", "function": function}]}));
    let functions = input(&json!({"model": "gpt-4o", "messages": messages, "functions": [function]}));
    assert_eq!(tools, functions);
    let text = "namespace functions {\n\n// The time\ntype now = () => any;\n\n} // namespace functions";
    assert_eq!(tools, 3 + 5 + 9 + words(text));
}

#[test]
fn models_of_other_makers_are_told_tools_as_json() {
    let function = json!({"name": "now", "description": "The time"});
    let tools = json!([{"type": "function", "function": function}]);
    let with = input(&json!({"model": "mistral-large", "messages": [], "tools": tools}));
    assert_eq!(with, 3 + 100 + words(&function.to_string()));
}

#[test]
fn the_result_of_a_call_costs_the_name_of_its_function() {
    let conversation = |result: Value| {
        input(&json!({"model": "gpt-4o", "messages": [
            {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "now", "arguments": "{ }"}}]},
            result,
        ]}))
    };
    let unnamed = conversation(json!({"role": "tool", "tool_call_id": "a", "content": "noon"}));
    let named = conversation(json!({"role": "tool", "tool_call_id": "a", "name": "now", "content": "noon"}));
    let orphan = conversation(json!({"role": "tool", "tool_call_id": "b", "content": "noon"}));
    assert_eq!(unnamed, named);
    assert_eq!(unnamed, orphan + words("now") + 1);
}

/// A body of a megabyte, which would be counted as one of ten gigabytes if the name were counted for each result.
#[test]
fn any_number_of_results_may_go_by_the_name_of_one_call() {
    const RESULTS: usize = 20_000;
    let name = "get weather ".repeat(40_000);
    let results = |result: Value| vec![result; RESULTS];
    let one = words(&name);
    let chat = |results: &[Value]| {
        let call = json!({"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": name}}]});
        let messages = [&[call], results].concat();
        input(&json!({"model": "gpt-4o", "messages": messages}))
    };
    let called = chat(&results(json!({"role": "tool", "tool_call_id": "a"})));
    let orphans = chat(&results(json!({"role": "tool", "tool_call_id": "b"})));
    assert_eq!(called, orphans + (one + 1) * RESULTS as u64);
    let responses = |results: &[Value]| {
        let call = json!({"type": "function_call", "call_id": "a", "name": name});
        let items = [&[call], results].concat();
        input(&json!({"model": "gpt-4o", "input": items}))
    };
    let called = responses(&results(json!({"type": "function_call_output", "call_id": "a"})));
    let orphans = responses(&results(json!({"type": "function_call_output", "call_id": "b"})));
    assert_eq!(called, orphans + one * RESULTS as u64);
}

#[test]
fn several_calls_of_one_answer_are_written_as_one_and_cost_more_than_each_alone() {
    let call = json!({"id": "a", "function": {"name": "now", "arguments": "{}"}});
    let calls = |number: usize| {
        input(
            &json!({"model": "gpt-4o", "messages": [{"role": "assistant", "tool_calls": vec![call.clone(); number]}]}),
        )
    };
    let one = calls(1) - calls(0);
    assert_eq!(calls(2) - calls(0), 2 * one + 8 + 2 * 6);
}

#[test]
fn models_that_reason_are_not_told_which_function_they_must_call() {
    let forced = |model: &str, choice: Value| {
        input(&json!({"model": model, "messages": [], "tools": [{"function": {"name": "now"}}], "tool_choice": choice}))
    };
    let choice = json!({"type": "function", "function": {"name": "now"}});
    assert_eq!(forced("gpt-4o", choice.clone()) - forced("gpt-4o", json!("auto")), 6 + words("now"));
    assert_eq!(forced("o3", choice), forced("o3", json!("auto")));
}

#[test]
fn responses_cost_what_the_server_adds_for_items_and_tools_that_are_only_named() {
    let body = |input: Value, tools: Value| json!({"model": "gpt-5.1", "input": input, "tools": tools});
    let none = input(&body(json!([]), json!([])));
    assert_eq!(input(&body(json!([{"type": "item_reference", "id": "x"}]), json!([]))) - none, 16);
    assert_eq!(input(&body(json!([{"role": "assistant", "content": []}]), json!([]))), none);
    assert_eq!(input(&body(json!([]), json!([{"type": "apply_patch"}]))) - none, 614);
}

#[test]
fn a_model_named_apart_from_the_body_is_counted_as_if_it_were_in_it() {
    let named = json!({"model": "gpt-5", "messages": [{"role": "assistant", "content": "hello"}]});
    let mut apart = named.clone();
    apart.as_object_mut().unwrap().remove("model");
    assert_eq!(count_payload_for(&apart, PayloadKind::Chat, "gpt-5", ENCODING).input, input(&named));
    assert_ne!(input(&apart), input(&named));
}

#[test]
fn responses_cost_as_the_chat_that_they_are() {
    let text = input(&json!({"model": "gpt-4o", "input": "hello world", "instructions": "Be brief."}));
    let items = input(&json!({"model": "gpt-4o", "input": [
        {"role": "system", "content": "Be brief."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello world"}]},
    ]}));
    assert_eq!(text, 3 + 4 + words("Be brief.") + 4 + 2);
    assert_eq!(text, items);
}

#[test]
fn embeddings_and_completions_cost_their_texts_or_token_numbers() {
    fn check(texts: Value, expected: u64) {
        assert_eq!(input(&json!({"model": "text-embedding-3-small", "input": texts})), expected, "{texts}");
        assert_eq!(input(&json!({"model": "davinci-002", "prompt": texts})), expected, "{texts}");
    }
    check(json!("hello world"), 2);
    check(json!(["hello world", "hello"]), 3);
    check(json!([1, 2, 3]), 3);
    check(json!([[1, 2, 3], [4], []]), 4);
    check(json!([]), 0);
    check(json!([null, true, ["hello", 1]]), 1);
}

#[test]
fn anthropic_messages_cost_system_tools_calls_and_results() {
    let plain = json!({"model": "claude-sonnet-4", "max_tokens": 9,
        "messages": [{"role": "user", "content": "hello world"}]});
    assert_eq!(input(&plain), 7 + 2);
    let mut with_system = plain.clone();
    with_system["system"] = json!([{"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}}]);
    assert_eq!(input(&with_system), 7 + 2 + 1);
    let mut with_tools = plain;
    with_tools["tools"] = json!([{"name": "now", "description": "The time", "input_schema": {"type": "object"}}]);
    let chooses = input(&with_tools);
    assert!(chooses > 311, "{chooses}");
    with_tools["tool_choice"] = json!({"type": "any"});
    assert_eq!(input(&with_tools) - chooses, 322 - 311);
    with_tools["thinking"] = json!({"type": "enabled", "budget_tokens": 2_000});
    assert_eq!(input(&with_tools) - chooses, 322 - 311 + 28 + 148);
}

#[test]
fn gemini_contents_cost_their_parts_and_instructions() {
    let payload = json!({
        "systemInstruction": {"parts": [{"text": "hello"}]},
        "contents": [{"role": "user", "parts": [{"text": "hello world"}]}],
        "generationConfig": {"maxOutputTokens": 50, "responseSchema": {"type": "OBJECT"}},
    });
    let tokens = count_payload(&payload, ENCODING);
    assert_eq!((tokens.input, tokens.images, tokens.max_output), (3, 0, Some(50)));
    let mut older = payload.clone();
    older["model"] = json!("gemini-2.0-flash");
    assert!(input(&older) > tokens.input, "it is told the schema");
    let mut signed = payload;
    signed["model"] = json!("gemini-3-pro");
    signed["contents"][0]["parts"][0]["thoughtSignature"] = json!("A".repeat(1_000));
    let unsigned = input(&signed);
    assert_eq!(unsigned, 3, "the thoughts before an answer are not charged again");
    signed["contents"][0]["parts"][0]["thought"] = json!(true);
    assert_eq!(input(&signed), 1, "and neither is their summary");
    let call = |signature: &str| {
        input(&json!({"model": "gemini-3-pro", "contents": [{"role": "model", "parts": [
            {"functionCall": {"name": "now", "args": {}}, "thoughtSignature": signature}]}]}))
    };
    assert_eq!(call(&"A".repeat(1_000)), call("") + 170);
}

#[test]
fn images_are_counted_and_never_as_text() {
    fn check(model: &str, part: Value, expected: u64) {
        let payload = json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": [part]}]});
        let none = json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": []}]});
        let tokens = count_payload(&payload, ENCODING);
        assert_eq!((tokens.input - input(&none), tokens.images), (expected, 1), "{model} {:.90}", part.to_string());
    }
    let data = format!("data:image/png;base64,{}", "QUJD".repeat(50_000));
    check("gpt-4o", json!({"type": "image_url", "image_url": {"url": data}}), 765);
    check("gpt-4o", json!({"type": "image_url", "image_url": {"url": data, "detail": "low"}}), 85);
    check("gpt-4o", json!({"type": "image_url", "image_url": data}), 765);
    check("gpt-4o-mini", json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}), 25_501);
    check("gpt-4.1-mini", json!({"type": "image_url", "image_url": {"url": data}}), 1_659);
    check("openai/o3", json!({"type": "input_image", "image_url": data, "detail": "auto"}), 675);
    let source = json!({"type": "base64", "media_type": "image/png", "data": "QUJD".repeat(50_000)});
    check("claude-sonnet-4", json!({"type": "image", "source": source}), 1_373);
    check("unknown", json!({"something": {"nested": data}}), 765);
}

#[test]
fn media_inside_results_and_unknown_shapes_are_found() {
    let image = json!({"type": "image", "source": {"type": "base64", "data": "QUJD".repeat(50_000)}});
    let result = json!({"model": "claude-sonnet-4", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": [image]}]},
    ]});
    let part = json!({"inlineData": {"mimeType": "image/png", "data": "QUJD".repeat(50_000)}});
    let gemini = json!({"contents": [{"parts": [part]}]});
    let unknown = json!({"anything": [{"image": {"format": "png", "source": {"bytes": "QUJD".repeat(50_000)}}}]});
    for payload in [result, gemini, unknown] {
        let tokens = count_payload(&payload, ENCODING);
        assert_eq!(tokens.images, 1);
        assert!(tokens.input < 2_000, "{}", tokens.input);
    }
}

#[test]
fn sound_and_documents_are_no_images_and_no_text() {
    for part in [
        json!({"type": "input_audio", "input_audio": {"format": "wav", "data": "QUJD".repeat(50_000)}}),
        json!({"type": "file", "file": {"file_data": "QUJD".repeat(50_000)}}),
        json!({"type": "document", "source": {"type": "base64", "data": "QUJD".repeat(50_000)}}),
    ] {
        let payload = json!({"messages": [{"role": "user", "content": [part]}]});
        let tokens = count_payload(&payload, ENCODING);
        assert_eq!(tokens.images, 0);
        assert!(tokens.input < 10_000, "{}", tokens.input);
    }
}

#[test]
fn a_document_of_text_is_text() {
    let source = json!({"type": "text", "media_type": "text/plain", "data": "hello world"});
    let payload = json!({"model": "claude-sonnet-4", "max_tokens": 9, "messages": [
        {"role": "user", "content": [{"type": "document", "source": source}]},
    ]});
    assert_eq!(input(&payload), 7 + 2);
}

#[test]
fn an_unknown_shape_costs_its_strings() {
    assert_eq!(input(&json!({"query": "hello world", "documents": ["hello", {"text": "hello"}], "top_n": 3})), 4);
    assert_eq!(input(&json!("hello world")), 2);
    assert_eq!(input(&json!(null)), 0);
}

/// Counts on a stack that holds no more than a bounded descent.
fn input_on_a_small_stack(payload: &Value) -> u64 {
    ENCODING.load();
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(512 * 1024);
        thread.spawn_scoped(scope, || input(payload)).unwrap().join().unwrap()
    })
}

#[test]
fn nesting_without_an_end_is_counted_on_a_small_stack() {
    let deep = |key: &str| {
        (0..2_000).fold(Value::from("hello"), |inner, _| {
            Value::Array(vec![Value::Object([(key.to_owned(), inner)].into_iter().collect())])
        })
    };
    fn check(mut payload: Value, place: &str, deep: Value) {
        *payload.pointer_mut(place).unwrap() = deep;
        assert!(input_on_a_small_stack(&payload) < 100_000, "{place}");
    }
    check(json!(null), "", deep("content"));
    check(json!({"messages": null}), "/messages", deep("content"));
    check(json!({"messages": [{"role": "user", "content": null}]}), "/messages/0/content", deep("text"));
    let function = json!({"name": "f", "parameters": {"properties": {"a": {"items": null}}}});
    check(
        json!({"messages": [], "tools": [{"function": function}]}),
        "/tools/0/function/parameters/properties/a/items",
        deep("anyOf"),
    );
    check(json!({"messages": [], "tools": [null]}), "/tools/0", deep("any"));
    check(
        json!({"messages": [], "response_format": {"json_schema": {"schema": null}}}),
        "/response_format/json_schema/schema",
        deep("properties"),
    );
    check(json!({"messages": [], "system": null}), "/system", deep("text"));
    check(json!({"messages": [], "tools": [{"input_schema": null}]}), "/tools/0/input_schema", deep("items"));
    check(json!({"input": null}), "/input", deep("content"));
    check(json!({"prompt": null}), "/prompt", deep("text"));
    check(json!({"contents": null}), "/contents", deep("parts"));
    check(
        json!({"contents": [], "tools": [{"functionDeclarations": [null]}]}),
        "/tools/0/functionDeclarations/0",
        deep("items"),
    );
}

/// Any JSON, with the names that payloads use among its keys and strings.
fn any_json() -> impl Strategy<Value = Value> {
    let known = prop::sample::select(vec![
        "messages",
        "role",
        "assistant",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "tools",
        "parameters",
        "properties",
        "enum",
        "items",
        "input",
        "prompt",
        "contents",
        "parts",
        "system",
        "image_url",
        "image",
        "source",
        "data",
        "tool_result",
        "tool_use",
        "document",
        "input_schema",
        "tool_choice",
        "response_format",
        "json_schema",
        "schema",
        "max_tokens",
        "n",
        "model",
        "claude-3",
        "instructions",
        "{}",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        known.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((known.clone().prop_map(String::from), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn anything_is_counted(payload in any_json()) {
        for kind in [
            PayloadKind::Chat,
            PayloadKind::Responses,
            PayloadKind::Embeddings,
            PayloadKind::Completions,
            PayloadKind::AnthropicMessages,
            PayloadKind::Gemini,
            PayloadKind::Other,
            PayloadKind::of(&payload),
        ] {
            prop_assert!(count_payload_as(&payload, kind, Encoding::R50kBase).input < 1_000_000);
        }
    }
}
