//! `--learned`: what one run has learned, for the next one.

use serde_json::Value;

use crate::support::{Directory, chat_limiter, requests};

const RUN: &str = "run requests.jsonl --output results.jsonl --learned learned.json";

#[test]
fn a_run_writes_what_it_has_learned_and_the_next_one_goes_on_from_there() {
    let directory = Directory::with_requests(requests(10));
    let kept = |directory: &Directory| -> u64 {
        let learned: Value = serde_json::from_str(&directory.read("learned.json")).unwrap();
        let groups = learned["groups"].as_object().unwrap();
        groups.values().map(|group| group["prompts"]["ratios"].as_array().unwrap().len() as u64).sum()
    };
    for expected in [10, 20] {
        let outcome = chat_limiter(directory.path()).args(RUN).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(kept(&directory), expected);
    }
}

#[test]
fn a_file_that_cannot_be_used_is_named_and_left_as_it_is_and_the_run_goes_on() {
    let directory = Directory::with_requests(requests(3));
    std::fs::write(directory.file("learned.json"), "Dear diary").unwrap();
    let outcome = chat_limiter(directory.path()).args(&format!("{RUN} --quiet")).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains("learned.json: it is no file of --learned"), "{outcome:?}");
    directory.results().check_all_succeeded(3);
    assert_eq!(directory.read("learned.json"), "Dear diary");
}

#[test]
fn another_file_of_the_run_is_refused() {
    for other in ["requests.jsonl", "results.jsonl", "results.jsonl.old", "summary.json", "-"] {
        let directory = Directory::with_requests(requests(1));
        let arguments = format!("run requests.jsonl --output results.jsonl --summary summary.json --learned {other}");
        let outcome = chat_limiter(directory.path()).args(&arguments).run();
        assert_eq!(outcome.code, Some(2), "{other}: {outcome:?}");
        assert!(!directory.file("results.jsonl").exists(), "{other}");
    }
}
