//! A provider on this machine.

use std::io::{BufRead, BufReader, Read};

use crate::support::{Directory, Running, chat_limiter, requests, wait_until};

/// Starts one on a free port; returns its address too.
fn start(directory: &Directory, arguments: &str) -> (Running, String) {
    let mut running = chat_limiter(directory.path()).args("simulate --port 0").args(arguments).start();
    let mut stdout = BufReader::new(running.take_stdout());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    // The pipe stays open until it ends.
    std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
    (running, line.trim_end().to_owned())
}

#[test]
fn it_says_its_address_and_ends_when_asked_to() {
    for signal in ["TERM", "INT"] {
        let directory = Directory::new();
        let (running, address) = start(&directory, "");
        assert!(address.starts_with("http://127.0.0.1:") && address.ends_with("/v1"), "{address}");
        running.signal(signal);
        let outcome = running.end();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert!(outcome.stderr.contains("0 requests"), "{outcome:?}");
    }
}

#[test]
fn a_run_against_it_succeeds_in_spite_of_faults_and_tells_what_it_saw() {
    let directory = Directory::with_requests(requests(100));
    let (simulator, address) = start(&directory, "--latency-ms 1 --server-errors 0.05 --resets 0.05 --api-key a-key");
    let arguments =
        format!("run requests.jsonl -o results.jsonl --provider openai --api-key-env MINE --base-url {address}");
    let outcome = chat_limiter(directory.path()).args(&arguments).env("MINE", "a-key").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    directory.results().check_all_succeeded(100);
    simulator.signal("TERM");
    let outcome = simulator.end();
    assert!(outcome.stderr.contains("100 answered"), "{outcome:?}");
}

#[test]
fn a_run_that_is_killed_and_resumed_against_it_answers_everything() {
    let directory = Directory::with_requests(requests(200));
    let (simulator, address) = start(&directory, "--latency-ms 20");
    let arguments = format!(
        "run requests.jsonl -o results.jsonl --provider openai --api-key-env MINE --concurrency 4 --base-url {address}"
    );
    let run = chat_limiter(directory.path()).args(&arguments).env("MINE", "x").start();
    let lines = || std::fs::read_to_string(directory.file("results.jsonl")).unwrap_or_default().lines().count();
    wait_until("some results are written", || lines() >= 20);
    run.signal("KILL");
    run.end();
    let before = lines();
    let outcome = chat_limiter(directory.path()).args(&arguments).args("--resume").env("MINE", "x").run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(before < 200, "it was killed in the middle");
    directory.results().check_all_succeeded(200);
    simulator.signal("INT");
    assert_eq!(simulator.end().code, Some(0));
}

#[test]
fn a_port_in_use_is_one_line() {
    let directory = Directory::new();
    let (first, address) = start(&directory, "");
    let port = address.trim_end_matches("/v1").rsplit(':').next().unwrap();
    let outcome = chat_limiter(directory.path()).args("simulate --port").args(port).run();
    outcome.check_refused(&["cannot listen", port, "in use"]);
    first.signal("INT");
    assert_eq!(first.end().code, Some(0));
}

#[test]
fn numbers_that_describe_no_provider_are_refused() {
    for (arguments, words) in [
        ("--server-errors 2", &["--server-errors", "0 to 1"][..]),
        ("--resets=-0.5", &["--resets", "0 to 1"]),
        ("--garbage NaN", &["--garbage", "0 to 1"]),
        ("--server-errors 0.6 --hangs 0.6", &["add up", "1.2"]),
        ("--start-fill 7", &["--start-fill", "0 to 1"]),
        ("--requests-per-minute 0", &["--requests-per-minute", "at least 1"]),
        ("--tokens-per-minute 0", &["--tokens-per-minute", "at least 1"]),
        ("--bucket-seconds 0", &["--bucket-seconds"]),
        ("--bucket-seconds 1e300", &["--bucket-seconds"]),
        ("--bucket-seconds 1e9", &["bucket depth"]),
        ("--metering fair", &["--metering", "token-bucket", "fixed-window"]),
        ("--port 70000", &["--port", "70000"]),
    ] {
        let directory = Directory::new();
        chat_limiter(directory.path()).args("simulate").args(arguments).run().check_refused(words);
    }
}
