//! Properties of payloads: nothing makes them panic, and what must be kept is kept.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use proptest::prelude::*;
use providers::Registry;
use providers::payload::{
    Attachment, ChatDialect, ChatRequest, Content, Effort, Form, Image, JsonSchema, Message, Part, Reasoning,
    ResponseFormat, Role, Thought, Tool, ToolCall, ToolChoice,
};
use serde_json::{Map, Value, json};

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        "text|image_url|tool_use|tool_result|thinking|function|user|assistant|system|tool|auto|any"
            .prop_map(Value::from),
    ];
    let name = "model|messages|role|content|type|text|tools|tool_calls|function|name|arguments|input|system|id|thinking|\
        source|image_url|url|tool_choice|response_format|json_schema|reasoning|stop|stream|[a-z]{0,3}";
    leaf.prop_recursive(5, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..6).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,8}", ".{0,8}", Just(String::new())]
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        text().prop_map(Part::Text),
        "https://h/[a-z]{1,4}(\\.png|\\.jpg)?".prop_map(Part::image_url),
        Just(Part::Image(Image::from_base64("image/png", "AAAA"))),
        "application/pdf|audio/wav|text/csv|x".prop_map(|kind| Part::File(Attachment::from_base64(kind, "AAAA"))),
    ]
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![text().prop_map(Content::Text), prop::collection::vec(part(), 0..3).prop_map(Content::Parts)]
}

/// A conversation in which every call is answered.
fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let plain =
        (prop_oneof![Just(Role::System), Just(Role::Developer), Just(Role::User), Just(Role::Assistant)], content())
            .prop_map(|(role, content)| vec![Message::new(role, content)]);
    let called = (content(), prop::collection::vec(("[a-z]{1,6}", json_object()), 1..3), any::<bool>(), text(), text())
        .prop_map(|(content, calls, is_error, result, thought)| {
            let calls: Vec<ToolCall> = calls
                .iter()
                .enumerate()
                .map(|(number, (name, arguments))| ToolCall::new(format!("call_{name}_{number}"), name, arguments))
                .collect();
            let results = calls.iter().map(|call| {
                let mut message = Message::tool(&call.id, result.as_str());
                message.is_error = is_error;
                message
            });
            let results: Vec<Message> = results.collect();
            let mut asked = Message::assistant(content).with_tool_calls(calls);
            asked.thoughts = vec![Thought::signed(thought, "signature")];
            [vec![asked], results].concat()
        });
    prop::collection::vec(prop_oneof![plain, called], 0..6).prop_map(|turns| turns.concat())
}

fn json_object() -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-z]{1,3}", any::<i32>(), 0..3).prop_map(|members| json!(members))
}

prop_compose! {
    fn numbers()(
        max_tokens in prop::option::of(prop_oneof![Just(0), 1_u64..100_000, any::<u64>()]),
        temperature in prop::option::of(prop_oneof![Just(0.0), Just(1.0), 0.0..2.0, any::<f64>()]),
        top_k in prop::option::of(any::<u64>()),
        seed in prop::option::of(any::<i64>()),
        n in prop::option::of(0_u64..3),
        budget in prop::option::of(prop_oneof![Just(0), any::<u64>()]),
        effort in prop::option::of(prop_oneof![Just(Effort::None), Just(Effort::Low), Just(Effort::Max)]),
    ) -> ChatRequest {
        let mut request = ChatRequest::default();
        (request.max_tokens, request.temperature, request.top_k) = (max_tokens, temperature, top_k);
        (request.seed, request.n) = (seed, n);
        request.reasoning = Some(Reasoning { effort, budget_tokens: budget }).filter(|_| budget.is_some() || effort.is_some());
        request
    }
}

prop_compose! {
    fn request()(
        model in prop_oneof!["gpt-4o|o3|gpt-5.1|claude-haiku-4-5|claude-opus-5|gemini-3-pro|amazon.nova|qwen", ".{0,8}"],
        messages in conversation(),
        numbers in numbers(),
        stop in prop::collection::vec("[a-z]{1,4}", 0..3),
        tool in prop::option::of("[a-z]{0,6}"),
        choice in prop::option::of(prop_oneof![Just(ToolChoice::Auto), Just(ToolChoice::None), Just(ToolChoice::Required),
            "[a-z]{0,6}".prop_map(ToolChoice::Named)]),
        format in prop::option::of(prop_oneof![Just(ResponseFormat::Text), Just(ResponseFormat::JsonObject),
            json_value().prop_map(|schema| ResponseFormat::JsonSchema(JsonSchema::new("r", schema)))]),
        stream in prop::option::of(any::<bool>()),
        parallel in prop::option::of(any::<bool>()),
        extra in prop::option::of("[a-z_]{1,12}"),
    ) -> ChatRequest {
        let mut request = numbers;
        (request.model, request.messages, request.stop) = (model, messages, stop);
        request.tools = tool.map(|name| Tool::new(name, "", json!({"type": "object"}))).into_iter().collect();
        (request.tool_choice, request.response_format) = (choice, format);
        (request.stream, request.parallel_tool_calls) = (stream, parallel);
        request.extra = extra.map(|name| (name, json!(1))).into_iter().collect();
        request
    }
}

type Called = (String, String, Value);
type Answered = (String, String);

/// Calls and results as `(call, name, arguments)` and `(call, result)`, in order, wherever a form has them.
fn calls(request: &ChatRequest) -> (Vec<Called>, Vec<Answered>) {
    let called = request.messages.iter().flat_map(|message| &message.tool_calls);
    let called =
        called.map(|call| (call.id.clone(), call.name.clone(), serde_json::from_str(&call.arguments).unwrap()));
    let answered = request.messages.iter().filter(|message| message.role == Role::Tool);
    let answered = answered.map(|message| (message.tool_call_id.clone().unwrap(), message.content.text()));
    (called.collect(), answered.collect())
}

/// What is said, however it is divided into messages and parts.
fn texts(request: &ChatRequest, is_meant: impl Fn(Role) -> bool) -> String {
    let meant = request.messages.iter().filter(|message| is_meant(message.role));
    meant.map(|message| message.content.text()).collect::<String>().replace('\n', "")
}

#[test]
fn the_size_of_a_request_is_read_in_every_form() {
    let mut request = ChatRequest::new("claude-haiku-4-5", vec![Message::user("How warm is it today?")]);
    request.max_tokens = Some(123);
    let provider = Registry::standard().by_name("openai").unwrap();
    for form in Form::ALL {
        let payload = form.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
        let size = provider.cost(&payload.endpoint, &payload.body);
        assert_eq!(size.max_output_tokens, Some(123), "{form:?}");
        assert!(size.input_tokens >= 6, "{form:?}");
    }
}

proptest! {
    #[test]
    fn every_request_takes_every_form_or_is_refused(request in request()) {
        for form in Form::ALL {
            for dialect in ["", "openai", "openrouter", "mistral", "deepseek"] {
                let Ok(payload) = form.payload(&request, ChatDialect::of(dialect)) else { continue };
                prop_assert!(payload.body.is_object());
                for name in payload.left_out {
                    prop_assert!(payload.body.get(name).is_none(), "{name} is left out and sent");
                }
                for (name, value) in &request.extra {
                    prop_assert_eq!(&payload.body[name], value);
                }
                prop_assert!(serde_json::from_str::<Value>(&payload.body.to_string()).is_ok());
            }
        }
        let registry = Registry::standard();
        for name in registry.names() {
            let _ = registry.by_name(name).unwrap().chat_payload(&request);
        }
    }

    #[test]
    fn what_is_said_and_called_comes_back_from_both_forms(request in request()) {
        type Read = fn(&Value) -> Result<ChatRequest, providers::payload::PayloadError>;
        let forms: [(Form, Read); 2] = [(Form::OpenAiChat, ChatRequest::from_openai), (Form::Anthropic, ChatRequest::from_anthropic)];
        for (form, read) in forms {
            let mut plain = request.clone();
            plain.extra.clear();
            let Ok(payload) = form.payload(&plain, &ChatDialect::COMPATIBLE) else { continue };
            let back = read(&payload.body).unwrap();
            prop_assert_eq!(calls(&back), calls(&plain));
            prop_assert_eq!(texts(&back, Role::is_system), texts(&plain, Role::is_system));
            for role in [Role::User, Role::Assistant] {
                prop_assert_eq!(texts(&back, |other| other == role), texts(&plain, |other| other == role));
            }
            // Written once more it is the same body.
            let again = form.payload(&back, &ChatDialect::COMPATIBLE).unwrap();
            prop_assert_eq!(again.body, payload.body);
        }
    }

    #[test]
    fn no_body_makes_a_reader_panic(body in json_value()) {
        for request in [ChatRequest::from_openai(&body), ChatRequest::from_anthropic(&body)].into_iter().flatten() {
            let Ok((request, _)) = request.for_another_provider() else { continue };
            for form in Form::ALL {
                let _ = form.payload(&request, &ChatDialect::COMPATIBLE);
            }
        }
    }

    #[test]
    fn no_message_makes_a_reader_panic(messages in prop::collection::vec(json_value(), 0..4), role in "user|assistant|tool|system") {
        let turns: Vec<Value> = messages.into_iter().map(|content| json!({"role": role, "content": content})).collect();
        let body = json!({"model": "m", "max_tokens": 1, "messages": turns});
        for request in [ChatRequest::from_openai(&body), ChatRequest::from_anthropic(&body)].into_iter().flatten() {
            let _ = Form::Anthropic.payload(&request, &ChatDialect::COMPATIBLE);
            let _ = request.for_another_provider();
        }
    }
}
