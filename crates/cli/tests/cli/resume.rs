//! Going on with what an earlier run has left.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Directory, Gate, Reply, Server, chat_limiter, completion, requests, wait_until};

const COUNT: usize = 60;
const IN_FLIGHT: usize = 4;

#[test]
fn a_killed_run_is_finished_and_nothing_is_answered_twice() {
    let (gate, answered) = (Gate::default(), AtomicUsize::new(0));
    let server = Server::answering({
        let gate = gate.clone();
        move |_| {
            if answered.fetch_add(1, Ordering::Relaxed) >= 20 {
                gate.pass();
            }
            Reply::new(200, completion())
        }
    });
    let directory = Directory::with_requests(requests(COUNT));
    let arguments = format!(
        "run requests.jsonl --output results.jsonl --concurrency {IN_FLIGHT} {} --summary s.json",
        server.arguments()
    );
    let running = chat_limiter(directory.path()).args(&arguments).start();
    let lines = || directory_lines(&directory);
    wait_until("20 results are written", || lines() >= 20);
    running.signal("KILL");
    assert_eq!(running.end().code, None);

    let before: BTreeSet<String> = directory.results().by_id().into_keys().collect();
    let mut file = std::fs::OpenOptions::new().append(true).open(directory.file("results.jsonl")).unwrap();
    file.write_all(br#"{"id":"batch_req_60","custom_id":"r-60","resp"#).unwrap();
    gate.open();
    let outcome = chat_limiter(directory.path()).args(&arguments).args("--resume").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(&format!("{} requests were answered before", before.len())), "{outcome:?}");
    directory.results().check_all_succeeded(COUNT);

    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for request in server.seen() {
        *times.entry(request.id()).or_default() += 1;
    }
    assert!(before.iter().all(|id| times[id] == 1), "{times:?}");
    assert!(server.seen().len() <= COUNT + IN_FLIGHT, "{times:?}");
    let summary: serde_json::Value = serde_json::from_str(&directory.read("s.json")).unwrap();
    assert_eq!((&summary["skipped"], &summary["requests"]), (&before.len().into(), &(COUNT - before.len()).into()));
}

fn directory_lines(directory: &Directory) -> usize {
    std::fs::read_to_string(directory.file("results.jsonl")).unwrap_or_default().lines().count()
}

#[test]
fn what_failed_is_tried_again() {
    let failing = Server::answering(|request| match request.id().as_str() {
        "r-2" | "r-4" => Reply::new(400, r#"{"error":{"message":"not today","type":"invalid_request_error"}}"#),
        _ => Reply::new(200, completion()),
    });
    let healthy = Server::answering(|_| Reply::new(200, completion()));
    let directory = Directory::with_requests(requests(5));
    let arguments = "run requests.jsonl --output results.jsonl";
    let outcome = chat_limiter(directory.path()).args(arguments).args(&failing.arguments()).run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("requests.jsonl:2: ") && outcome.stderr.contains("not today"), "{outcome:?}");
    assert!(outcome.stderr.contains("--resume"), "{outcome:?}");
    assert_eq!(directory.results().count(), 5);

    let outcome = chat_limiter(directory.path()).args(arguments).args(&healthy.arguments()).args("--resume").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    directory.results().check_all_succeeded(5);
    let asked: BTreeSet<String> = healthy.seen().iter().map(crate::support::Request::id).collect();
    assert_eq!(asked, ["r-2".to_owned(), "r-4".to_owned()].into());
}

#[test]
fn resuming_a_finished_run_or_none_at_all_does_what_is_left() {
    let directory = Directory::with_requests(requests(3));
    for sent in [3, 0] {
        let outcome =
            chat_limiter(directory.path()).args("run requests.jsonl -o results.jsonl --resume --summary s.json").run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        directory.results().check_all_succeeded(3);
        assert!(directory.read("s.json").contains(&format!("\"attempts\": {sent},")));
    }
    assert_eq!(directory.names(), ["requests.jsonl", "results.jsonl", "s.json"]);
}

#[test]
fn results_of_another_input_are_refused() {
    let server = Server::answering(|_| Reply::new(200, completion()));
    let directory = Directory::with_requests(requests(3));
    let result = r#"{"id":"batch_req_1","custom_id":"other","response":{"status_code":200,"body":{}},"error":null}"#;
    directory.write("results.jsonl", format!("{result}\n"));
    let arguments = format!("run requests.jsonl -o results.jsonl --resume --quiet {}", server.arguments());
    let outcome = chat_limiter(directory.path()).args(&arguments).run();
    outcome.check_refused(&["requests.jsonl:1", "another request", "r-1"]);
    assert_eq!(directory.read("results.jsonl"), format!("{result}\n"));
    assert!(server.seen().is_empty());
}

#[test]
fn a_file_that_holds_no_results_is_left_alone() {
    let directory = Directory::with_requests(requests(3));
    for content in ["Dear diary,\n", "{\"custom_id\":\"r-1\"}\n", "\n\n"] {
        directory.write("results.jsonl", content);
        let outcome = chat_limiter(directory.path()).args("run requests.jsonl -o results.jsonl --resume").run();
        outcome.check_refused(&["results.jsonl", "first line"]);
        assert_eq!(directory.read("results.jsonl"), content);
    }
}
