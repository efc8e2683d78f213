//! What providers say about their limits when they are asked.

use crate::support::{Directory, KEY, Reply, Request, Server, chat_limiter};

/// What the command says of the server's interface, asked with [`KEY`].
fn limits(provider: &str, server: &Server, base: &str) -> (Option<i32>, String, String) {
    let arguments = format!("limits --provider {provider} --api-key-env SOME_KEY --base-url {}{base}", server.origin());
    let outcome = chat_limiter(Directory::new().path()).args(&arguments).env("SOME_KEY", KEY).run();
    for text in [&outcome.stdout, &outcome.stderr] {
        assert!(!text.contains(KEY), "the key is in {text}");
    }
    (outcome.code, outcome.stdout, outcome.stderr)
}

fn path(request: &Request) -> &str {
    request.line.split(' ').nth(1).unwrap()
}

fn answer(body: &str) -> Reply {
    Reply::new(200, body)
}

/// A refusal that quotes the key, as OpenAI's does.
fn refusal(status: u16) -> Reply {
    Reply::new(
        status,
        format!(r#"{{"error":{{"message":"Incorrect API key provided: {KEY}.","code":"invalid_api_key"}}}}"#),
    )
}

#[test]
fn openai_tells_the_limits_of_each_project_page_by_page() {
    let server = Server::answering(|request| match path(request) {
        "/v1/organization/projects?limit=100" => {
            answer(r#"{"data":[{"id":"p1"},{"id":"old","status":"archived"}],"has_more":true,"last_id":"old"}"#)
        }
        "/v1/organization/projects?limit=100&after=old" => {
            answer(r#"{"data":[{"id":"p2","status":"active"}],"has_more":false,"last_id":"p2"}"#)
        }
        "/v1/organization/projects/p1/rate_limits?limit=100" => answer(
            r#"{"data":[
            {"id":"rl-1","model":"gpt-4o","max_requests_per_1_minute":500,"max_tokens_per_1_minute":30000,"batch_1_day_max_input_tokens":90000},
            {"id":"rl-2","model":"o1","max_requests_per_1_minute":0}],"has_more":false}"#,
        ),
        "/v1/organization/projects/p2/rate_limits?limit=100" => {
            answer(r#"{"data":[{"model":"gpt-4o","max_requests_per_1_day":10}]}"#)
        }
        _ => Reply::new(404, "{}"),
    });
    let (code, stdout, stderr) = limits("openai", &server, "/v1");
    let expected = "p1\tgpt-4o\t500\trequests per minute\np1\tgpt-4o\t30000\ttokens per minute\n\
                    p1\tgpt-4o\t90000\tbatch_1_day_max_input_tokens\np1\to1\t0\trequests\np2\tgpt-4o\t10\trequests per day\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), expected, ""));
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert!(seen.iter().all(|request| request.headers["authorization"] == format!("Bearer {KEY}")));
}

#[test]
fn keys_are_where_they_are_by_convention() {
    for (provider, variable, header) in [
        ("openai", "OPENAI_ADMIN_KEY", "authorization"),
        ("anthropic", "ANTHROPIC_ADMIN_KEY", "x-api-key"),
        ("openrouter", "OPENROUTER_API_KEY", "authorization"),
    ] {
        let server = Server::answering(|_| answer(r#"{"data":[]}"#));
        let arguments = format!("limits --provider {provider} --base-url {}/v1", server.origin());
        chat_limiter(Directory::new().path()).args(&arguments).env(variable, KEY).run();
        assert!(server.seen()[0].headers[header].ends_with(KEY), "{provider}");
    }
}

#[test]
fn anthropic_tells_the_limits_of_models_that_share_them() {
    let server = Server::answering(|request| match path(request) {
        "/v1/organizations/rate_limits" => answer(
            r#"{"next_page":null,"data":[{"group_type":"model_group","models":["claude-a","claude-b"],
            "limits":[{"type":"requests_per_minute","value":50},{"type":"input_tokens_per_minute","value":30000}]}]}"#,
        ),
        _ => Reply::new(404, "{}"),
    });
    let (code, stdout, stderr) = limits("anthropic", &server, "/v1");
    let expected = "organization\tclaude-a, claude-b\t50\trequests per minute\n\
                    organization\tclaude-a, claude-b\t30000\tinput tokens per minute\n";
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), expected, ""));
    assert_eq!(server.seen()[0].headers["x-api-key"], KEY);
    assert_eq!(server.seen()[0].headers["anthropic-version"], "2023-06-01");
}

const KEY_STATUS: &str = r#"{"data":{"label":"sk-or-v1-aaa...bbb","limit":100,"limit_remaining":74.5,"limit_reset":"monthly","usage":25.5,
    "free_model_daily_requests":{"used":12,"limit":50,"remaining":38}}}"#;

#[test]
fn openrouter_tells_what_is_left_of_a_key_and_of_an_account() {
    for may_see_credits in [true, false] {
        let server = Server::answering(move |request| match path(request) {
            "/api/v1/key" => answer(KEY_STATUS),
            "/api/v1/credits" if may_see_credits => answer(r#"{"data":{"total_credits":10.5,"total_usage":4}}"#),
            "/api/v1/credits" => refusal(403),
            _ => Reply::new(404, "{}"),
        });
        let (code, stdout, stderr) = limits("openrouter", &server, "/api/v1");
        let key = "key\tcredit\t100.000000\tUS dollars at most, monthly\nkey\tcredit\t74.500000\tUS dollars left\n\
                   key\tcredit\t25.500000\tUS dollars spent\nkey\t:free\t20\trequests per minute\n\
                   key\t:free\t50\trequests per day\nkey\t:free\t38\trequests left today\n";
        let account = "account\tcredit\t10.500000\tUS dollars bought\naccount\tcredit\t4.000000\tUS dollars spent\n\
                       account\tcredit\t6.500000\tUS dollars left\n";
        let expected = if may_see_credits { format!("{key}{account}") } else { key.to_owned() };
        assert_eq!((code, stdout), (Some(0), expected), "{stderr}");
        assert_eq!(stderr.contains("management key"), !may_see_credits, "{stderr}");
    }
}

#[test]
fn a_provider_that_tells_nothing_is_an_error_and_is_not_asked() {
    for (provider, words) in [
        ("mistral", &["mistral cannot be asked", "openai, anthropic and openrouter"][..]),
        ("openai-compatible", &["openai-compatible cannot be asked"]),
        ("nobody", &["unknown provider `nobody`"]),
    ] {
        let server = Server::answering(|_| answer("{}"));
        let arguments = format!("limits --provider {provider} --base-url {}", server.origin());
        chat_limiter(Directory::new().path()).args(&arguments).run().check_refused(words);
        assert_eq!(server.seen().len(), 0);
    }
    let missing = "limits --provider openai --api-key-env NO_SUCH_KEY";
    chat_limiter(Directory::new().path()).args(missing).run().check_refused(&["NO_SUCH_KEY"]);
    // A key where its variable's name belongs.
    let key = "sk-proj-0123456789abcdef";
    let swapped = format!("limits --provider openai --api-key-env {key}");
    let swapped = chat_limiter(Directory::new().path()).args(&swapped).run();
    swapped.check_refused(&["environment variable"]);
    assert!(!swapped.stderr.contains(key), "{}", swapped.stderr);
    chat_limiter(Directory::new().path()).args("limits").run().check_refused(&["--provider"]);
}

#[test]
fn a_key_that_is_refused_is_not_shown_and_the_right_kind_is_named() {
    for status in [401, 403] {
        let server = Server::answering(move |_| refusal(status));
        for (provider, words) in
            [("openai", "admin keys only"), ("anthropic", "admin keys only"), ("openrouter", "/v1/key")]
        {
            let (code, stdout, stderr) = limits(provider, &server, "/v1");
            assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(2), "", 1), "{stderr}");
            assert!(stderr.contains(words) && stderr.contains(&status.to_string()), "{stderr}");
        }
    }
}

#[test]
fn answers_that_make_no_sense_come_to_an_end_and_to_one_line() {
    let endless = "x".repeat(5 << 20);
    for (body, words) in [("{}", "no `data`"), ("<html>", "JSON"), ("[]", "no `data`"), (endless.as_str(), "4194304")] {
        let body = body.to_owned();
        let server = Server::answering(move |_| answer(&body));
        let (code, stdout, stderr) = limits("openai", &server, "/v1");
        assert_eq!((code, stdout.as_str(), stderr.lines().count()), (Some(2), "", 1), "{stderr}");
        assert!(
            stderr.contains("/v1/organization/projects") && stderr.contains(words) && stderr.len() < 1_000,
            "{stderr}"
        );
    }
}

#[test]
fn a_list_without_an_end_is_left() {
    let server = Server::answering(|request| {
        let page = path(request).rsplit_once("page=").map_or(0, |(_, page)| page.parse::<u32>().unwrap());
        answer(&format!(
            r#"{{"data":[{{"group_type":"g{page}","limits":[{{"type":"requests_per_minute","value":1}}]}}],"next_page":"{}"}}"#,
            page + 1
        ))
    });
    let (code, stdout, stderr) = limits("anthropic", &server, "/v1");
    assert_eq!((code, stdout.lines().count(), server.seen().len()), (Some(0), 100, 100), "{stderr}");
    assert!(stderr.contains("more than 100 pages"), "{stderr}");
    let circle = Server::answering(|_| answer(r#"{"data":[],"next_page":"same"}"#));
    let (code, stdout, stderr) = limits("anthropic", &circle, "/v1");
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", "the answer tells no limits\n"));
    assert_eq!(circle.seen().len(), 2);
}

#[test]
fn a_key_in_an_answer_is_not_shown() {
    let server = Server::answering(|_| {
        answer(&format!(
            r#"{{"data":[{{"models":["{KEY}"],"group_type":"g","limits":[{{"type":"requests_per_minute","value":1}}]}}]}}"#
        ))
    });
    let (code, stdout, stderr) = limits("anthropic", &server, "/v1");
    assert_eq!((code, stdout.lines().count()), (Some(0), 1), "{stderr}");
}

#[test]
fn models_are_listed_with_what_is_told_of_them() {
    let server = Server::answering(|request| match path(request) {
        "/v1/models" => answer(
            r#"{"data":[{"id":"a\tb","context_length":8192,"top_provider":{"max_completion_tokens":4096},
                "pricing":{"prompt":"0.0000025","completion":"0.00001"}},{"id":"c"}]}"#,
        ),
        _ => Reply::new(404, "{}"),
    });
    let directory = Directory::new();
    let run = |provider: &str| {
        let arguments = format!("limits --models --provider {provider} --base-url {}/v1", server.origin());
        chat_limiter(directory.path()).args(&arguments).env("MISTRAL_API_KEY", KEY).run()
    };
    for (provider, header) in [("mistral", Some(format!("Bearer {KEY}"))), ("openrouter", None)] {
        let outcome = run(provider);
        assert_eq!(outcome.stdout, "a b\t8192\t4096\t2.500000\t10.000000\nc\t-\t-\t-\t-\n", "{outcome:?}");
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert_eq!(server.seen().last().unwrap().headers.get("authorization"), header.as_ref());
    }
    run("perplexity").check_refused(&["perplexity has no list of models"]);
    run("openai").check_refused(&["OPENAI_API_KEY"]);
    assert_eq!(server.seen().len(), 2);
}
