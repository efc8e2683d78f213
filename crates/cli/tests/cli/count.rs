//! Counting tokens.

use crate::support::{Directory, chat_limiter, requests};

#[track_caller]
fn check(arguments: &str, input: &str, expected: &str) {
    let directory = Directory::new();
    directory.write("text.txt", "hello world");
    let outcome = chat_limiter(directory.path()).args(arguments).input(input).run();
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(0), expected, ""));
}

#[test]
fn a_text_is_counted_whole() {
    check("count text.txt", "", "2\n");
    check("count", "hello world", "2\n");
    check("count -", "", "0\n");
    check("count --model cl100k_base", "hello world", "2\n");
    check("count", "{\n  \"an object\": \"and no request\"\n}", "12\n");
}

#[test]
fn a_model_that_is_not_known_is_counted_as_well_as_can_be() {
    let directory = Directory::new();
    let outcome = chat_limiter(directory.path()).args("count --model mystery-9").input("hello world").run();
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "2\n"));
    assert!(outcome.stderr.contains("mystery-9") && outcome.stderr.contains("o200k_base"), "{outcome:?}");
}

#[test]
fn the_requests_of_a_batch_file_are_counted_one_by_one() {
    let directory = Directory::with_requests(requests(2) + "{\"custom_id\":\"bad\"\n" + &requests(1));
    for arguments in ["count requests.jsonl", "count -"] {
        let input = directory.read("requests.jsonl");
        let outcome = chat_limiter(directory.path()).args(arguments).input(input).run();
        assert_eq!(outcome.code, Some(1), "{outcome:?}");
        assert!(outcome.stderr.contains(":3: invalid JSON"), "{outcome:?}");
        let lines: Vec<Vec<&str>> = outcome.stdout.lines().map(|line| line.split('\t').collect()).collect();
        assert_eq!(lines.len(), 4, "{outcome:?}");
        assert_eq!(lines[0][1..], ["20", "gpt-4o-mini", "r-1"]);
        let tokens = |line: &Vec<&str>| line[0].parse::<u64>().unwrap();
        assert_eq!(tokens(&lines[3]), lines[..3].iter().map(tokens).sum::<u64>());
        assert_eq!(lines[3][1], "total of 3 requests");
        assert_eq!(lines.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 4, 5]);
    }
}

#[test]
fn requests_to_several_models_are_added_up_for_each_model() {
    let line = |id: &str, model: &str, most: u64| {
        let body = format!("{{\"model\":\"{model}\",\"max_tokens\":{most},\"messages\":[]}}");
        format!("{{\"custom_id\":\"{id}\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{body}}}\n")
    };
    let file = line("a", "gpt-4o", 5) + &line("b", "gpt-4", 7) + &line("c", "gpt-4o", 6);
    let outcome = chat_limiter(Directory::with_requests(file).path()).args("count requests.jsonl").run();
    let totals: Vec<String> = outcome.stdout.lines().skip(3).map(without_cost).collect();
    assert_eq!(
        totals,
        ["3\t7\tgpt-4\ttotal of 1 requests", "6\t11\tgpt-4o\ttotal of 2 requests", "9\ttotal of 3 requests"],
        "{outcome:?}"
    );
}

/// A total without its last three columns.
fn without_cost(line: &str) -> String {
    let columns: Vec<&str> = line.split('\t').collect();
    columns[..columns.len() - 3].join("\t")
}

#[test]
fn a_file_called_jsonl_is_one_of_requests_whatever_it_holds() {
    let directory = Directory::with_requests("nonsense\n");
    let outcome = chat_limiter(directory.path()).args("count requests.jsonl").run();
    assert_eq!((outcome.code, outcome.stdout.starts_with("0\ttotal of 0 requests\t")), (Some(1), true), "{outcome:?}");
    assert!(outcome.stderr.contains("requests.jsonl:1: expected a JSON object"), "{outcome:?}");
}

#[test]
fn what_is_no_text_is_refused() {
    let directory = Directory::new();
    directory.write("binary", b"abc\xff\x00");
    chat_limiter(directory.path()).args("count binary").run().check_refused(&["binary", "UTF-8"]);
}
