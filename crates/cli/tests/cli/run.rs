//! The main job.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::support::Reply;
use crate::support::{Directory, Results, Server, chat_limiter, completion, requests};

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn the_example_runs_on_the_embedded_provider() {
    let directory = Directory::new();
    let (results, summary) = (directory.file("results.jsonl"), directory.file("summary.json"));
    let arguments = format!(
        "run examples/requests.jsonl --provider simulated --output {} --summary {}",
        results.display(),
        summary.display()
    );
    let outcome = chat_limiter(root()).args(&arguments).run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{outcome:?}");
    assert!(outcome.stderr.contains("120 succeeded, 0 failed"), "{outcome:?}");

    let asked: Vec<Value> = std::fs::read_to_string(root().join("examples/requests.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let asked: BTreeSet<&str> = asked.iter().map(|line| line["custom_id"].as_str().unwrap()).collect();
    let results = directory.results();
    let answered = results.by_id();
    assert_eq!(answered.len(), 120);
    assert!(answered.keys().map(String::as_str).eq(asked), "{:?}", answered.keys());
    for line in answered.values() {
        assert!(line["id"].is_string() && line["error"].is_null(), "{line}");
        assert_eq!(line["response"]["status_code"], 200, "{line}");
        assert!(line["response"]["request_id"].is_string() && line["response"]["body"].is_object(), "{line}");
    }
    check_summary(&serde_json::from_str(&directory.read("summary.json")).unwrap());
}

fn check_summary(summary: &Value) {
    for (name, expected) in
        [("requests", 120), ("succeeded", 120), ("failed", 0), ("attempts", 120), ("rate_limited", 0)]
    {
        assert_eq!(summary[name], expected, "{name} of {summary}");
    }
    for name in ["input_tokens", "output_tokens", "elapsed_seconds", "requests_per_second", "tokens_per_second"] {
        assert!(summary[name].as_f64().unwrap() > 0.0, "{name} of {summary}");
    }
    let used = summary["quota_utilization"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&used), "{summary}");
    let per_model = summary["per_model"].as_object().unwrap();
    let of_models: u64 = per_model.values().map(|model| model["requests"].as_u64().unwrap()).sum();
    assert_eq!(of_models, 120, "{summary}");
    let limits = summary["limits"].as_object().unwrap().values().next().unwrap().as_array().unwrap();
    let found: BTreeSet<_> =
        limits.iter().map(|limit| (limit["dimension"].as_str(), limit["amount"].as_u64())).collect();
    assert_eq!(found, [(Some("requests"), Some(3_000)), (Some("tokens"), Some(1_000_000))].into());
}

#[test]
fn the_embedded_provider_is_the_default_and_says_so() {
    let directory = Directory::with_requests(requests(3));
    let outcome = chat_limiter(directory.path()).args("run requests.jsonl").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("makes the answers up"), "{outcome:?}");
    Results::parse(&outcome.stdout).check_all_succeeded(3);
}

#[test]
fn the_embedded_provider_answers_every_form_of_file() {
    for (line, field) in [
        (
            r#"{"custom_id":"r-1","params":{"model":"claude-haiku-4-5","max_tokens":9,"messages":[{"role":"user","content":"a"}]}}"#,
            "content",
        ),
        (r#"{"model":"claude-haiku-4-5","max_tokens":9,"messages":[{"role":"user","content":"a"}]}"#, "content"),
        (r#"{"model":"gpt-4o","messages":[{"role":"user","content":"a"}]}"#, "choices"),
        (
            r#"{"custom_id":"r-1","method":"POST","url":"/v1/embeddings","body":{"model":"text-embedding-3-small","input":"a"}}"#,
            "data",
        ),
        (
            r#"{"custom_id":"r-1","method":"POST","url":"/v1/responses","body":{"model":"gpt-4o","input":"a","tools":[{"params":1}]}}"#,
            "output",
        ),
    ] {
        let directory = Directory::with_requests(line);
        let outcome = chat_limiter(directory.path()).args("run requests.jsonl --provider Simulated").run();
        assert_eq!(outcome.code, Some(0), "{line}: {outcome:?}");
        let results = Results::parse(&outcome.stdout);
        assert!(results.0[0]["response"]["body"][field].is_array(), "{line}: {}", outcome.stdout);
    }
}

#[test]
fn an_empty_file_is_a_short_run() {
    for content in ["", "\n\n"] {
        let directory = Directory::with_requests(content);
        let outcome = chat_limiter(directory.path()).args("run requests.jsonl --summary summary.json").run();
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{outcome:?}");
        assert!(directory.read("summary.json").contains("\"requests\": 0"));
    }
}

#[test]
fn ceilings_of_the_users_own_are_kept_and_told() {
    let server = Server::answering(|_| Reply::new(200, completion()));
    let directory = Directory::with_requests(requests(5));
    let ceilings = "--requests-per-minute 6000 --tokens-per-minute 900000 --concurrency 2 --timeout 9";
    let arguments = format!("run requests.jsonl -o results.jsonl {} {ceilings} --summary s.json", server.arguments());
    let outcome = chat_limiter(directory.path()).args(&arguments).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    directory.results().check_all_succeeded(5);
    let summary = directory.read("s.json");
    assert!(summary.contains("\"told\"") && summary.contains("900000"), "{summary}");
}

#[test]
fn quiet_says_nothing_where_nothing_goes_wrong() {
    let directory = Directory::with_requests(requests(3));
    directory.write("results.jsonl", "{\"id\":\"other\"}\n");
    for more in ["", " --resume"] {
        let arguments = format!("run requests.jsonl --output results.jsonl --quiet{more}");
        let outcome = chat_limiter(directory.path()).args(&arguments).run();
        assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), "", ""));
    }
    directory.results().check_all_succeeded(3);
}
