//! Where requests come from and results go.

use std::io::{BufRead, BufReader};

use crate::support::{Directory, Gate, Reply, Results, Server, chat_limiter, completion, requests, wait_until};

#[test]
fn results_go_to_standard_output_unless_a_file_is_named() {
    let directory = Directory::with_requests(requests(4));
    for arguments in
        ["run requests.jsonl", "run requests.jsonl --output -", "run requests.jsonl -o - --provider simulated"]
    {
        let outcome = chat_limiter(directory.path()).args(arguments).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        Results::parse(&outcome.stdout).check_all_succeeded(4);
    }
    assert_eq!(directory.names(), ["requests.jsonl"]);
}

#[test]
fn requests_come_from_standard_input() {
    let directory = Directory::new();
    let run = chat_limiter(directory.path()).args("run - --output results.jsonl").input(requests(4) + "{");
    let outcome = run.run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.stderr.contains("standard input:5: "), "{outcome:?}");
    assert_eq!(directory.results().count(), 5);
}

#[test]
fn results_of_an_earlier_run_are_kept() {
    let directory = Directory::with_requests(requests(2));
    directory.write("results.jsonl", "paid for\n");
    let outcome = chat_limiter(directory.path()).args("run requests.jsonl --output results.jsonl").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("results.jsonl.old"), "{outcome:?}");
    assert_eq!(directory.read("results.jsonl.old"), "paid for\n");
    directory.results().check_all_succeeded(2);
}

#[test]
fn a_device_is_written_to_and_not_moved() {
    let directory = Directory::with_requests(requests(2));
    let outcome =
        chat_limiter(directory.path()).args("run requests.jsonl --output /dev/null --summary /dev/null").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
}

#[test]
fn a_full_disk_ends_the_run_with_the_reason() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let directory = Directory::with_requests(requests(2));
    let outcome =
        chat_limiter(directory.path()).args("run requests.jsonl --output /dev/full --provider simulated").run();
    outcome.check_refused(&["cannot write the results: No space left on device"]);
    assert_eq!(outcome.stderr.matches("No space").count(), 1, "{outcome:?}");
}

#[test]
fn a_reader_that_has_seen_enough_is_a_normal_end() {
    let gate = Gate::default();
    let server = Server::answering({
        let gate = gate.clone();
        move |request| {
            if request.id() != "r-1" {
                gate.pass();
            }
            Reply::new(200, completion())
        }
    });
    let directory = Directory::with_requests(requests(50));
    let mut running = chat_limiter(directory.path())
        .args(&format!("run requests.jsonl {} --concurrency 2", server.arguments()))
        .start();
    let mut reader = BufReader::new(running.take_stdout());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(Results::parse(&line).count(), 1);
    drop(reader);
    wait_until("a request waits for its answer", || server.seen().len() > 1);
    gate.open();
    let outcome = running.end();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!outcome.stderr.to_lowercase().contains("pipe"), "{outcome:?}");
}
