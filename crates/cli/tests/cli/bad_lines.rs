//! Lines that are no requests: told with their place, written as errors, and the others go on.

use crate::support::{Directory, Results, chat_limiter};

/// A good request called `id`.
fn good(id: &str) -> Vec<u8> {
    format!(r#"{{"custom_id":"{id}","method":"POST","url":"/v1/chat/completions","body":{{"model":"gpt-4o","max_tokens":9,"messages":[{{"role":"user","content":"Hi"}}]}}}}"#)
        .into_bytes()
}

/// Runs a good line, then `line`, then another good one, and checks what becomes of the one in the middle.
#[track_caller]
fn check(line: impl AsRef<[u8]>, custom_id: Option<&str>, why: &str) {
    let content = [&good("first"), line.as_ref(), &good("last")].join(&b'\n');
    let directory = Directory::with_requests(content);
    let outcome = chat_limiter(directory.path()).args("run requests.jsonl --output results.jsonl").run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let told = outcome.stderr.lines().find(|line| line.starts_with("requests.jsonl:2: "));
    assert!(told.is_some_and(|told| told.contains(why)), "{why:?} is not in {}", outcome.stderr);
    assert!(outcome.stderr.contains("2 succeeded, 1 failed"), "{outcome:?}");

    let results = directory.results();
    assert_eq!(results.count(), 3);
    let (errors, successes): (Vec<_>, Vec<_>) = results.0.iter().partition(|line| line["error"].is_object());
    assert_eq!(successes.len(), 2);
    assert_eq!(errors[0]["custom_id"].as_str(), custom_id);
    assert!(errors[0]["error"]["message"].as_str().is_some_and(|message| message.contains(why)), "{}", errors[0]);
}

#[test]
fn a_malformed_line_is_an_error_in_its_place() {
    check("{", None, "invalid JSON");
    check("nonsense", None, "expected a JSON object");
    check("[1,2]", None, "expected a JSON object");
    check("null", None, "expected a JSON object");
    check(r#"{"custom_id":"bad","body":{"model":"gpt-4o""#, Some("bad"), "invalid JSON");
    check(r#"{"custom_id":"bad","body":{}} trailing"#, Some("bad"), "invalid JSON");
    check(r#"{"custom_id":"bad","body":"text"}"#, Some("bad"), "not an object");
    check(r#"{"custom_id":"bad","body":null}"#, Some("bad"), "`body`");
    check(r#"{"custom_id":["bad"],"body":{"model":"gpt-4o"}}"#, None, "`custom_id` is not a string");
    check(r#"{"custom_id":"bad","method":"GET","body":{"model":"gpt-4o"}}"#, Some("bad"), "POST");
    check(r#"{"custom_id":"bad","url":7,"body":{"model":"gpt-4o"}}"#, Some("bad"), "`url` is not a string");
    check(r#"{"custom_id":"bad","body":{"messages":[]}}"#, Some("bad"), "no `model`");
    check(r#"{"custom_id":"bad","body":{"model":5}}"#, Some("bad"), "no `model`");
    check(b"{\"custom_id\":\"bad\",\"body\":\"\xff\"}", Some("bad"), "invalid UTF-8");
    check(b"\x00\x01\x02", None, "expected a JSON object");
}

#[test]
fn hostile_depth_and_length_are_errors_like_any_other() {
    let deep = "[".repeat(200_000);
    check(format!(r#"{{"custom_id":"bad","body":{{"model":"m","x":{deep}"#), Some("bad"), "invalid JSON");
    let closed = format!("{deep}{}", "]".repeat(200_000));
    check(format!(r#"{{"custom_id":"bad","body":{{"model":"m","x":{closed}}}}}"#), Some("bad"), "recursion limit");
    let long = "a".repeat((64 << 20) + 1);
    check(format!(r#"{{"custom_id":"bad","body":{{"model":"m","x":"{long}"}}}}"#), Some("bad"), "longer than");
}

#[test]
fn an_unknown_path_and_another_host_are_refused() {
    check(r#"{"custom_id":"bad","url":"/v1/nonsense","body":{"model":"gpt-4o"}}"#, Some("bad"), "404");
    check(
        r#"{"custom_id":"bad","url":"https://elsewhere.example/v1/x","body":{"model":"gpt-4o"}}"#,
        Some("bad"),
        "credentials are only sent",
    );
}

#[test]
fn blank_lines_line_ends_and_a_byte_order_mark_mean_nothing() {
    let mut content = b"\xef\xbb\xbf".to_vec();
    for part in [good("a"), b"\r\n\r\n  \t\r\n\n".to_vec(), good("b"), b"\r\n".to_vec(), b"   ".to_vec(), good("c")] {
        content.extend(part);
    }
    let directory = Directory::with_requests(content);
    let outcome = chat_limiter(directory.path()).args("run requests.jsonl").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let results = Results::parse(&outcome.stdout);
    assert!(results.by_id().keys().eq(["a", "b", "c"]));
}

#[test]
fn many_failures_are_not_all_told_but_all_written_even_quietly() {
    for more in ["", " --quiet"] {
        let directory = Directory::with_requests("{\n".repeat(500));
        let outcome = chat_limiter(directory.path()).args("run requests.jsonl --output results.jsonl").args(more).run();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!((20..40).contains(&outcome.stderr.lines().count()), "{outcome:?}");
        assert!(outcome.stderr.contains("more failures are not shown"), "{outcome:?}");
        assert_eq!(directory.results().count(), 500);
    }
}
