//! Servers that do their job in their own way.

use std::io::{BufReader, Write};
use std::net::TcpStream;

use crate::support::{Directory, Reply, Request, Server, chat_limiter, completion, requests};

#[track_caller]
fn check(server: &Server) {
    let directory = Directory::with_requests(requests(12));
    let arguments = format!("run requests.jsonl -o results.jsonl --summary s.json {}", server.arguments());
    let outcome = chat_limiter(directory.path()).args(&arguments).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let results = directory.results();
    results.check_all_succeeded(12);
    for line in &results.0 {
        let expected: serde_json::Value = serde_json::from_str(&completion()).unwrap();
        assert_eq!(line["response"]["body"], expected, "{line}");
    }
    let summary: serde_json::Value = serde_json::from_str(&directory.read("s.json")).unwrap();
    assert_eq!((&summary["input_tokens"], &summary["output_tokens"]), (&(12 * 9).into(), &(12 * 3).into()));
    assert!(summary["quota_utilization"].is_null(), "{summary}");
}

/// Answers one request a connection with what `write` writes.
fn one_a_connection(write: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> Server {
    Server::speaking(move |mut stream, note| {
        if let Some(request) = Request::read(&mut BufReader::new(&stream)) {
            note(&request);
            write(&mut stream).unwrap();
        }
    })
}

#[test]
fn one_that_says_nothing_about_limits() {
    check(&Server::answering(|_| Reply::new(200, completion())));
}

#[test]
fn one_that_writes_json_over_many_lines() {
    let value: serde_json::Value = serde_json::from_str(&completion()).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap().replace('\n', "\r\n");
    check(&Server::answering(move |_| Reply::new(200, format!("\n{pretty}\n"))));
}

#[test]
fn one_that_closes_the_connection_after_each_answer() {
    check(&one_a_connection(|stream| {
        write!(stream, "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}", completion())
    }));
    check(&one_a_connection(|stream| {
        let body = completion();
        write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }));
}

#[test]
fn one_that_sends_its_answers_in_chunks() {
    check(&one_a_connection(|stream| {
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")?;
        for part in completion().as_bytes().chunks(50) {
            write!(stream, "{:x}\r\n", part.len())?;
            stream.write_all(part)?;
            write!(stream, "\r\n")?;
        }
        write!(stream, "0\r\n\r\n")
    }));
}

#[test]
fn one_that_sends_its_answers_a_byte_at_a_time() {
    check(&one_a_connection(|stream| {
        stream.set_nodelay(true)?;
        let body = completion();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        for byte in answer.as_bytes() {
            stream.write_all(&[*byte])?;
            std::thread::park_timeout(std::time::Duration::from_micros(100));
        }
        Ok(())
    }));
}

#[test]
fn one_that_fails_now_and_then() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    check(&Server::answering(move |_| match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 4 {
        2 => Reply::new(503, "try again").header("retry-after", "0"),
        _ => Reply::new(200, completion()),
    }));
}
