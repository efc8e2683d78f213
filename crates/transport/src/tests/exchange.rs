//! Requests that go well: reuse of connections, versions, what is sent, what dropping does.

use std::convert::Infallible;

use futures::future::join_all;
use http::{Method, Uri};
use http_body_util::{BodyExt, Full};
use tokio::sync::mpsc;

use super::*;

type Answer = Response<http_body_util::combinators::MapErr<Full<Bytes>, fn(Infallible) -> io::Error>>;

fn answer(text: impl Into<Bytes>) -> Answer {
    Response::new(Full::new(text.into()).map_err(|never| match never {}))
}

/// Answers with the request's body.
async fn echo(request: Request<Incoming>) -> Answer {
    answer(request.into_body().collect().await.unwrap().to_bytes())
}

async fn ask(piped: &Piped, body: &str) -> String {
    let response = piped.send(question().map(|_| Body::from(body.to_owned()))).await.unwrap();
    assert_eq!(response.status(), 200);
    String::from_utf8(response.into_body().collect_bounded(1024).await.unwrap().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn requests_one_after_the_other_share_a_connection() {
    let piped = piped(|pipe| serve_http1(pipe, echo));
    for number in 0..20 {
        assert_eq!(ask(&piped, &format!("question {number}")).await, format!("question {number}"));
    }
    assert_eq!(piped.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_idle_for_long_is_not_used_again() {
    let piped = piped(|pipe| serve_http1(pipe, echo));
    for (pause, opened) in [(0, 1), (59, 1), (61, 2)] {
        tokio::time::advance(Duration::from_secs(pause)).await;
        ask(&piped, "question").await;
        assert_eq!(piped.opened(), opened, "after {pause} s");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_at_the_same_time_share_one_http2_connection() {
    let piped = piped_as(true, |pipe| serve_http2(pipe, echo));
    assert_eq!(ask(&piped, "first").await, "first");
    let answers = join_all((0..20).map(|_| ask(&piped, "question"))).await;
    assert!(answers.iter().all(|answer| answer == "question"));
    assert_eq!(piped.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_an_answer_like_any_other() {
    let piped = piped(|pipe| {
        serve_http1(pipe, async |_| {
            let mut redirect = answer("");
            *redirect.status_mut() = http::StatusCode::TEMPORARY_REDIRECT;
            redirect.headers_mut().insert("location", "http://elsewhere.example.com/".parse().unwrap());
            redirect
        })
    });
    let response = piped.send(question()).await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(piped.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn method_path_query_headers_and_body_arrive_as_given() {
    let piped = piped(|pipe| {
        serve_http1(pipe, async |request| {
            assert_eq!(request.method(), Method::POST);
            assert_eq!(request.uri(), &Uri::from_static("/v1/chat?key=sk-secret"));
            assert_eq!(request.headers()["authorization"], "Bearer sk-secret");
            assert_eq!(request.headers()["host"], "api.example.com");
            echo(request).await
        })
    });
    assert_eq!(ask(&piped, "{\"messages\":[]}").await, "{\"messages\":[]}");
}

#[tokio::test(start_paused = true)]
async fn the_length_is_that_of_the_body_whatever_the_caller_wrote() {
    let piped = piped(|pipe| serve_http1(pipe, echo));
    for (name, value) in [("content-length", "3"), ("content-length", "4000"), ("transfer-encoding", "chunked")] {
        let mut request = question();
        request.headers_mut().insert(name, value.parse().unwrap());
        *request.version_mut() = http::Version::HTTP_2;
        let body = piped.send(request).await.unwrap().into_body().collect_bounded(1024).await.unwrap();
        assert_eq!(body, "{\"messages\":[]}", "{name}: {value}");
    }
    assert_eq!(piped.opened(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_dropped_at_any_moment_leaves_the_transport_usable() {
    for http2 in [false, true] {
        let (arrived, mut arrivals) = mpsc::unbounded_channel();
        let slow = move |request: Request<Incoming>| {
            let arrived = arrived.clone();
            async move {
                let _ = arrived.send(());
                tokio::time::sleep(Duration::from_secs(1)).await;
                echo(request).await
            }
        };
        let piped = piped_as(http2, move |pipe| {
            let slow = slow.clone();
            async move { if http2 { serve_http2(pipe, slow).await } else { serve_http1(pipe, slow).await } }
        });
        drop(piped.send(question()));
        for millis in [0, 1, 500, 999] {
            let sending = piped.send(question());
            assert!(tokio::time::timeout(Duration::from_millis(millis), sending).await.is_err());
        }
        assert_eq!(ask(&piped, "afterwards").await, "afterwards");
        assert!(arrivals.recv().await.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_dropped_half_read_leaves_the_transport_usable() {
    let piped = piped(|pipe| serve_http1(pipe, async |_| answer(vec![b'x'; 1 << 20])));
    for _ in 0..3 {
        let mut body = piped.send(question()).await.unwrap().into_body();
        assert!(body.chunk().await.unwrap().is_some());
    }
    let body = piped.send(question()).await.unwrap().into_body();
    assert_eq!(body.collect_bounded(1 << 20).await.unwrap().len(), 1 << 20);
}
