//! Threads that block, the thread that works for them, and who must not block.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use futures::future::BoxFuture;
use transport::{Body, Transport};

use super::{Batch, ChatLimiter};
use crate::{BatchError, Error, Request};

/// Answers everything with this, and tells `seen` of it.
struct Canned {
    status: u16,
    seen: mpsc::Sender<()>,
}

impl Transport for Canned {
    fn send(&self, _: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
        let mut response = http::Response::new(Body::from_bytes("{}"));
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap();
        // Where nobody listens, that is all right.
        let _ = self.seen.send(());
        Box::pin(std::future::ready(Ok(response)))
    }
}

/// Never answers, and tells `seen` that it was asked.
struct Silent {
    seen: mpsc::Sender<()>,
}

impl Transport for Silent {
    fn send(&self, _: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
        self.seen.send(()).unwrap();
        Box::pin(std::future::pending())
    }
}

fn client(transport: impl Transport) -> ChatLimiter {
    let builder = ChatLimiter::builder("openai-compatible").base_url("http://provider.invalid/v1");
    builder.transport(Arc::new(transport)).build().unwrap()
}

fn canned() -> ChatLimiter {
    client(Canned { status: 200, seen: mpsc::channel().0 })
}

/// Something that ends when the runtime of `limiter` drops its tasks.
fn end_of(limiter: &ChatLimiter) -> tokio::sync::oneshot::Receiver<()> {
    let (guard, end) = tokio::sync::oneshot::channel::<()>();
    limiter.runtime().handle().spawn(async move {
        std::future::pending::<()>().await;
        drop(guard);
    });
    end
}

#[test]
fn a_call_returns_the_answer() {
    assert_eq!(canned().request(Request::post("/v1/embeddings", "{}")).unwrap().body, "{}");
}

#[test]
fn the_thread_ends_with_the_last_clone() {
    let limiter = canned();
    let mut end = end_of(&limiter);
    let clone = limiter.clone();
    drop(limiter);
    assert!(clone.request(Request::get("/v1/models")).is_ok());
    assert_eq!(end.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Empty));
    drop(clone);
    assert_eq!(end.try_recv(), Err(tokio::sync::oneshot::error::TryRecvError::Closed));
}

#[tokio::test]
async fn a_client_dropped_inside_a_runtime_ends_its_thread_and_does_not_panic() {
    let limiter = thread::spawn(canned).join().unwrap();
    let end = end_of(&limiter);
    drop(limiter);
    assert!(end.await.is_err());
}

fn says_why(error: &Error) {
    assert!(error.to_string().contains("inside an async runtime"), "{error}");
}

#[tokio::test]
async fn every_call_inside_a_runtime_is_an_error_that_says_why() {
    let limiter = thread::spawn(canned).join().unwrap();
    says_why(&ChatLimiter::builder("openai-compatible").base_url("http://provider.invalid").build().unwrap_err());
    says_why(&limiter.request(Request::get("/v1/models")).unwrap_err());
    says_why(&limiter.chat("m", Vec::new()).unwrap_err());
    says_why(&limiter.chat_with(&crate::ChatRequest::new("m", Vec::new())).unwrap_err());
    let directory = tempfile::tempdir().unwrap();
    let results = directory.path().join("results");
    match Batch::new(limiter.clone(), directory.path().join("requests")).run(&results, &()) {
        Err(BatchError::Input { source, .. }) => assert!(source.to_string().contains("inside an async runtime")),
        other => panic!("{other:?}"),
    }
    assert!(!results.exists());
    says_why(&limiter.stream(Request::get("/v1/models")).unwrap_err());
    says_why(&limiter.acquire("m", crate::Cost::of_request(1, 1)).unwrap_err());
    says_why(&limiter.shutdown().unwrap_err());
    // What does not block is allowed.
    assert!(limiter.try_acquire("m", crate::Cost::of_request(1, 1)).unwrap().is_some());
    assert_eq!(limiter.limits().len(), 1);
    limiter.close();
}

#[test]
fn a_client_that_was_refused_inside_a_runtime_still_works_outside() {
    let limiter = canned();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { says_why(&limiter.request(Request::get("/v1/models")).unwrap_err()) });
    assert!(limiter.request(Request::get("/v1/models")).is_ok());
}

/// Panics when it is asked.
struct Panics;

impl Transport for Panics {
    fn send(&self, _: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
        panic!("the transport panics on the thread of its caller")
    }
}

#[test]
fn a_caller_that_panics_leaks_nothing() {
    let builder = ChatLimiter::builder("openai-compatible").base_url("http://provider.invalid/v1").concurrency(1);
    let limiter = builder.transport(Arc::new(Panics)).build().unwrap();
    for _ in 0..3 {
        // The second one would wait for ever for the one slot if the first had kept it.
        let clone = limiter.clone();
        assert!(thread::spawn(move || clone.request(Request::get("/v1/models"))).join().is_err());
        let state = &limiter.limits()[0].state;
        assert_eq!((state.in_flight, state.waiting), (0, 0));
    }
}

#[test]
fn closing_on_one_thread_ends_the_calls_that_wait_on_others() {
    let (seen, was_seen) = mpsc::channel();
    let builder = ChatLimiter::builder("openai-compatible").base_url("http://provider.invalid/v1").concurrency(1);
    let limiter = builder.transport(Arc::new(Silent { seen })).build().unwrap();
    let waiting = |limiter: &ChatLimiter| limiter.limits()[0].state.waiting;
    // It is never answered; its thread ends with the program.
    let first = limiter.clone();
    thread::spawn(move || first.request(Request::get("/v1/models")));
    was_seen.recv().unwrap();
    thread::scope(|threads| {
        let others: Vec<_> =
            (0..4).map(|_| threads.spawn(|| limiter.request(Request::get("/v1/models")).unwrap_err())).collect();
        while waiting(&limiter) < 4 {
            thread::yield_now();
        }
        limiter.close();
        assert!(others.into_iter().all(|other| other.join().unwrap().is_closed()));
    });
}

/// Answers with a stream of two events.
struct Streaming;

impl Transport for Streaming {
    fn send(&self, _: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
        let text =
            "data: {\"a\":1}\n\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n";
        let response = http::Response::builder().header("content-type", "text/event-stream");
        Box::pin(std::future::ready(Ok(response.body(Body::from_bytes(text)).unwrap())))
    }
}

#[test]
fn a_stream_is_an_iterator_that_settles_at_its_end_or_when_it_is_dropped() {
    let limiter = client(Streaming);
    let mut stream = limiter.stream(Request::post("/v1/chat/completions", "{}")).unwrap();
    let events: Vec<_> = stream.by_ref().map(|event| event.unwrap().data).collect();
    assert_eq!((events.len(), events[0].as_ref()), (2, b"{\"a\":1}".as_slice()));
    assert_eq!(stream.usage().map(|usage| (usage.input, usage.output)), Some((3, 4)));
    assert_eq!(limiter.limits()[0].state.in_flight, 0);
    let mut stream = limiter.stream(Request::post("/v1/chat/completions", "{}")).unwrap();
    assert!(stream.next().is_some());
    assert_eq!(limiter.limits()[0].state.in_flight, 1);
    drop(stream);
    assert_eq!(limiter.limits()[0].state.in_flight, 0);
}

#[test]
fn a_stream_outlives_the_clone_that_made_it() {
    let mut stream = client(Streaming).stream(Request::post("/v1/chat/completions", "{}")).unwrap();
    assert_eq!(stream.by_ref().filter(|event| event.is_ok()).count(), 2);
}

#[test]
fn a_permit_is_waited_for_and_settled_without_async_code() {
    let builder = ChatLimiter::builder("openai-compatible").base_url("http://provider.invalid/v1").concurrency(1);
    let limiter = builder.build().unwrap();
    let first = limiter.acquire("m", crate::Cost::of_request(10, 10)).unwrap();
    thread::scope(|threads| {
        let second = threads.spawn(|| limiter.acquire("m", crate::Cost::of_request(10, 10)).unwrap().release());
        while limiter.limits()[0].state.waiting < 1 {
            thread::yield_now();
        }
        first.settle_as_reserved();
        second.join().unwrap();
    });
    assert_eq!((limiter.usage().requests, limiter.usage().tokens), (1, 20));
    limiter.shutdown().unwrap();
    assert!(limiter.acquire("m", crate::Cost::of_request(1, 1)).unwrap_err().is_closed());
}

/// A file with these requests, and where its results go.
fn files(directory: &Path, requests: &[&str]) -> (std::path::PathBuf, std::path::PathBuf) {
    let (input, output) = (directory.join("requests.jsonl"), directory.join("results.jsonl"));
    let line = |id: &&str| {
        format!(r#"{{"custom_id":"{id}","method":"POST","url":"/v1/embeddings","body":{{"model":"m","input":"a"}}}}"#)
    };
    std::fs::write(&input, requests.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
    (input, output)
}

#[test]
fn a_batch_is_run_and_resumed_without_async_code() {
    let directory = tempfile::tempdir().unwrap();
    let (requests, results) = files(directory.path(), &["a", "b", "c"]);
    let (seen, was_seen) = mpsc::channel();
    let limiter = client(Canned { status: 200, seen });
    let summary = Batch::new(limiter.clone(), &requests).run(&results, &()).unwrap();
    assert_eq!((summary.requests, summary.succeeded, was_seen.try_iter().count()), (3, 3, 3));
    files(directory.path(), &["a", "b", "c", "d"]);
    let mut batch = Batch::new(limiter, &requests);
    assert_eq!(batch.resume_from(&results).unwrap(), 3);
    let summary = batch.run(&results, &()).unwrap();
    assert_eq!((summary.skipped, summary.succeeded, was_seen.try_iter().count()), (3, 1, 1));
    assert_eq!(std::fs::read_to_string(&results).unwrap().lines().count(), 4);
}

#[test]
fn a_batch_that_is_stopped_before_it_runs_sends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (requests, results) = files(directory.path(), &["a", "b"]);
    let (seen, was_seen) = mpsc::channel();
    let batch = Batch::new(client(Canned { status: 200, seen }), &requests);
    batch.stopper().stop();
    let summary = batch.run(&results, &()).unwrap();
    assert!(summary.stopped);
    assert_eq!(was_seen.try_iter().count(), 0);
}

#[test]
fn results_do_not_replace_the_requests() {
    let directory = tempfile::tempdir().unwrap();
    let (requests, _) = files(directory.path(), &["a"]);
    let before = std::fs::read(&requests).unwrap();
    assert!(matches!(Batch::new(canned(), &requests).run(&requests, &()), Err(BatchError::Output(_))));
    assert_eq!(std::fs::read(&requests).unwrap(), before);
}

#[test]
fn the_debug_output_shows_no_key() {
    const KEY: &str = "sk-a-key-that-nobody-may-see";
    let builder = ChatLimiter::builder("openai").base_url("http://provider.invalid/v1").api_key(KEY);
    let shown = format!("{builder:?}");
    let limiter = builder.build().unwrap();
    assert!(!format!("{shown} {limiter:?}").contains(KEY));
}

/// Lists one model.
struct Lists(&'static str);

impl Transport for Lists {
    fn send(&self, _: http::Request<Body>) -> BoxFuture<'static, Result<http::Response<Body>, transport::Error>> {
        let body = serde_json::json!({"object": "list", "data": [{"id": self.0, "object": "model"}]}).to_string();
        Box::pin(std::future::ready(Ok(http::Response::new(Body::from_bytes(body)))))
    }
}

#[test]
fn a_client_is_found_by_its_address_and_its_models() {
    assert_eq!(
        ChatLimiter::from_url("https://openrouter.ai/api/v1").api_key("k").build().unwrap().provider().name(),
        "openrouter"
    );
    let named = ChatLimiter::for_model("claude-sonnet-4-5").unwrap().api_key("k").build().unwrap();
    assert_eq!(named.provider().name(), "anthropic");
    assert!(ChatLimiter::for_model("nobody-knows-it").unwrap_err().is_configuration());
    let clients = ["first", "second"].map(|model| client(Lists(model)));
    assert!(clients[0].has_model("first").unwrap() && !clients[0].has_model("second").unwrap());
    assert_eq!(clients[1].models().unwrap()[0].name, "second");
    clients[1].clear_model_cache();
    let found = ChatLimiter::find_model("second", &clients).unwrap();
    assert!(std::ptr::eq(found, &clients[1]));
    let error = ChatLimiter::find_model("third", &clients).unwrap_err();
    assert!(error.is_configuration() && error.to_string().contains("third"), "{error}");
    assert!(clients[0].discover_limits().is_err());
    assert_eq!(clients[0].subscribe().borrow().len(), clients[0].current_limits().len());
    assert_eq!(format!("{:?}", clients[0].learned()), format!("{:?}", clients[0].as_async().learned()));
}
