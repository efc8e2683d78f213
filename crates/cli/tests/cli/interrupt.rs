//! Being asked to stop in the middle.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Directory, Gate, Reply, Running, Server, chat_limiter, completion, requests, wait_until};

/// A run of 500 requests of which five are answered, up to three are in flight, and the rest is to come.
fn running(directory: &Directory, gate: &Gate, more: &str) -> (Server, Running) {
    let (gate, answered) = (gate.clone(), AtomicUsize::new(0));
    let server = Server::answering(move |_| {
        if answered.fetch_add(1, Ordering::Relaxed) >= 5 {
            gate.pass();
        }
        Reply::new(200, completion())
    });
    directory.write("requests.jsonl", requests(500));
    let arguments = format!("run requests.jsonl --output results.jsonl --concurrency 3 {more} {}", server.arguments());
    let running = chat_limiter(directory.path()).args(&arguments).start();
    wait_until("requests are in flight", || server.seen().len() > 5 && directory_lines(directory) == 5);
    (server, running)
}

fn directory_lines(directory: &Directory) -> usize {
    std::fs::read_to_string(directory.file("results.jsonl")).unwrap_or_default().lines().count()
}

#[test]
fn requests_in_flight_are_written_and_the_run_says_how_to_go_on() {
    for signal in ["INT", "TERM"] {
        let (directory, gate) = (Directory::new(), Gate::default());
        let (server, running) = running(&directory, &gate, "--summary s.json");
        running.signal(signal);
        wait_until("it says that it stops", || running.stderr().contains("stopping"));
        gate.open();
        let outcome = running.end();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(
            outcome.stderr.contains("stopped before the end") && outcome.stderr.contains("--resume"),
            "{outcome:?}"
        );
        let written = directory.results().by_id().len();
        assert_eq!(written, server.seen().len());
        assert!(written < 500);
        assert!(directory.read("s.json").contains("\"stopped\": true"));

        let again = format!("run requests.jsonl --output results.jsonl --resume {}", server.arguments());
        assert_eq!(chat_limiter(directory.path()).args(&again).run().code, Some(0));
        directory.results().check_all_succeeded(500);
        assert_eq!(server.seen().len(), 500);
    }
}

#[test]
fn a_second_signal_leaves_what_is_in_flight() {
    let (directory, gate) = (Directory::new(), Gate::default());
    let (_server, running) = running(&directory, &gate, "");
    running.signal("INT");
    wait_until("it says that it stops", || running.stderr().contains("stopping"));
    running.signal("INT");
    let outcome = running.end();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(directory.results().count(), 5);
}
