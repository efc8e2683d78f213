//! What makes a run impossible: one line, exit 2, nothing sent, and every file as it was.

use crate::support::{Directory, KEY, Reply, Server, chat_limiter, completion, requests};

/// Runs `arguments` in a directory with requests and earlier results, and checks that nothing but one line comes of it.
#[track_caller]
fn check(arguments: &str, words: &[&str]) {
    let directory = Directory::with_requests(requests(2));
    directory.write("earlier.jsonl", "{\"id\":\"batch_req_9\"}\n");
    std::fs::create_dir(directory.file("directory")).unwrap();
    let outcome = chat_limiter(directory.path()).args(arguments).env("EMPTY", " ").run();
    outcome.check_refused(words);
    assert_eq!(directory.names(), ["directory", "earlier.jsonl", "requests.jsonl"], "{arguments}");
    assert_eq!(directory.read("requests.jsonl"), requests(2), "{arguments}");
    assert_eq!(directory.read("earlier.jsonl"), "{\"id\":\"batch_req_9\"}\n", "{arguments}");
}

#[test]
fn an_input_that_cannot_be_read() {
    check("run nowhere.jsonl -o new.jsonl", &["cannot read nowhere.jsonl", "No such file"]);
    check("run directory -o new.jsonl", &["cannot read directory", "is a directory"]);
    check("run requests.jsonl/x -o new.jsonl", &["cannot read requests.jsonl/x"]);
    check("count nowhere.txt", &["cannot read nowhere.txt"]);
    check("count directory", &["cannot read directory"]);
}

#[test]
fn an_input_that_is_no_text() {
    for (content, word) in [(&b"\x1f\x8b\x08\x00"[..], "gzip"), (b"\xff\xfe{\x00", "UTF-16")] {
        let directory = Directory::with_requests(content);
        let outcome = chat_limiter(directory.path()).args("run requests.jsonl -o new.jsonl").run();
        outcome.check_refused(&["cannot read requests.jsonl", word]);
        assert_eq!(directory.names(), ["requests.jsonl"]);
    }
}

#[test]
fn an_output_that_cannot_be_written() {
    check("run requests.jsonl -o missing/new.jsonl", &["cannot write missing/new.jsonl", "No such file"]);
    check("run requests.jsonl -o directory", &["cannot write directory", "directory"]);
    check("run requests.jsonl -o earlier.jsonl --summary missing/s.json", &["cannot write missing/s.json"]);
    check("run requests.jsonl -o new.jsonl --summary directory", &["cannot write directory"]);
    check("run requests.jsonl -o new.jsonl --summary -", &["--summary"]);
}

#[test]
fn an_output_that_is_needed_for_something_else() {
    for more in ["", " --resume"] {
        check(&format!("run requests.jsonl -o requests.jsonl{more}"), &["overwrite the requests"]);
        check(&format!("run requests.jsonl -o ./directory/../requests.jsonl{more}"), &["overwrite the requests"]);
    }
    check("run requests.jsonl -o new.jsonl --summary requests.jsonl", &["summary would overwrite the requests"]);
    check("run requests.jsonl -o new.jsonl --summary new.jsonl", &["summary would overwrite the results"]);
    check("run requests.jsonl -o earlier.jsonl --summary ./earlier.jsonl", &["summary would overwrite the results"]);
}

#[test]
fn links_to_the_input_are_seen_through() {
    let directory = Directory::with_requests(requests(2));
    std::os::unix::fs::symlink("requests.jsonl", directory.file("symbolic")).unwrap();
    std::fs::hard_link(directory.file("requests.jsonl"), directory.file("hard")).unwrap();
    std::fs::hard_link(directory.file("requests.jsonl"), directory.file("x.old")).unwrap();
    for output in ["symbolic", "hard", "x"] {
        let outcome = chat_limiter(directory.path()).args("run requests.jsonl --output").args(output).run();
        outcome.check_refused(&["the requests"]);
        assert_eq!(directory.read("requests.jsonl"), requests(2));
    }
}

#[test]
fn a_provider_or_a_key_that_is_not_there() {
    let known = ["openai", "anthropic", "openrouter", "openai-compatible", "simulated"];
    check("run requests.jsonl -o new.jsonl --provider nobody", &[&["`nobody`"][..], &known].concat());
    for (provider, variable) in
        [("openai", "OPENAI_API_KEY"), ("anthropic", "ANTHROPIC_API_KEY"), ("openrouter", "OPENROUTER_API_KEY")]
    {
        check(&format!("run requests.jsonl -o new.jsonl --provider {provider}"), &[variable]);
    }
    check("run requests.jsonl -o new.jsonl --provider openai --api-key-env MINE", &["MINE"]);
    check("run requests.jsonl -o new.jsonl --provider openai --api-key-env EMPTY", &["EMPTY", "empty"]);
    check("run requests.jsonl -o new.jsonl --base-url https://api.openai.com/v1", &["OPENAI_API_KEY"]);
}

#[test]
fn a_key_that_cannot_be_sent_is_not_repeated() {
    let directory = Directory::with_requests(requests(2));
    let key = format!("{KEY}\nx-injected: yes");
    let run = chat_limiter(directory.path()).args("run requests.jsonl -o new.jsonl --provider openai");
    let outcome = run.env("OPENAI_API_KEY", &key).run();
    outcome.check_refused(&["key"]);
    assert!(!outcome.stderr.contains(KEY), "{outcome:?}");
    assert_eq!(directory.names(), ["requests.jsonl"]);
}

#[test]
fn an_address_that_is_none() {
    for url in ["nonsense", "ftp://h/v1", "http://", "http://h:port/v1", "file:///etc/passwd"] {
        check(&format!("run requests.jsonl -o new.jsonl --base-url {url}"), &[url]);
    }
    // What stands behind the question mark may be a key.
    let queried = chat_limiter(Directory::with_requests(requests(2)).path())
        .args("run requests.jsonl -o new.jsonl --base-url https://h/v1?key=hunter2")
        .run();
    queried.check_refused(&["https://h/v1", "query"]);
    assert!(!queried.stderr.contains("hunter2"), "{queried:?}");
    let directory = Directory::with_requests(requests(2));
    let arguments = "run requests.jsonl -o new.jsonl --base-url https://me:hunter2@h/v1";
    let outcome = chat_limiter(directory.path()).args(arguments).run();
    outcome.check_refused(&["user name or password"]);
    assert!(!outcome.stderr.contains("hunter2"), "{outcome:?}");
    assert_eq!(directory.names(), ["requests.jsonl"]);
}

#[test]
fn arguments_that_make_no_sense() {
    for flag in ["requests-per-minute", "tokens-per-minute", "concurrency", "max-attempts", "timeout"] {
        for value in ["0", "-1", "1.5", "many", "99999999999999999999999"] {
            check(&format!("run requests.jsonl -o new.jsonl --{flag}={value}"), &[&format!("--{flag}"), value]);
        }
    }
    check("run -o new.jsonl", &["required", "REQUESTS.jsonl"]);
    check("run requests.jsonl --outptu new.jsonl", &["--outptu", "--output"]);
    check("run requests.jsonl second.jsonl", &["second.jsonl"]);
    check("fly", &["fly"]);
}

#[test]
fn arguments_that_contradict_each_other() {
    check("run requests.jsonl --resume", &["--resume", "--output"]);
    check("run requests.jsonl -o - --resume", &["--resume", "--output"]);
    check("run requests.jsonl --provider simulated --base-url http://127.0.0.1:1/v1", &["--base-url", "embedded"]);
    check("run requests.jsonl --provider simulated --api-key-env HOME", &["--api-key-env", "embedded"]);
    check("run requests.jsonl --api-key-env HOME", &["--api-key-env", "embedded"]);
}

#[test]
fn nothing_is_sent_before_everything_is_in_order() {
    let server = Server::answering(|_| Reply::new(200, completion()));
    for wrong in ["-o missing/new.jsonl", "-o new.jsonl --summary missing/s.json", "-o requests.jsonl", "--resume"] {
        check(&format!("run requests.jsonl {} {wrong}", server.arguments()), &[]);
    }
    assert!(server.seen().is_empty());
}

#[test]
fn help_and_version_are_no_errors() {
    let directory = Directory::new();
    for (arguments, words) in [
        ("--help", &["run", "simulate", "count", "Exit codes"][..]),
        ("run --help", &["--provider", "--base-url", "--resume", "--summary", "FILE.old", "simulated"]),
        ("simulate -h", &["--port", "--requests-per-minute"]),
        ("count -h", &["--model"]),
        ("--version", &["chat-limiter 0."]),
    ] {
        let outcome = chat_limiter(directory.path()).args(arguments).run();
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{arguments}");
        for word in words {
            assert!(outcome.stdout.contains(word), "{word:?} is not in {}", outcome.stdout);
        }
    }
    let outcome = chat_limiter(directory.path()).run();
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.stderr.contains("Usage:"), "{outcome:?}");
}
