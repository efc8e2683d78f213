//! Bodies of requests: whole, streaming, and broken.

use futures::StreamExt;
use futures::channel::mpsc;
use http_body_util::{BodyExt, StreamBody};

use super::*;

type Frames = Response<StreamBody<futures::stream::BoxStream<'static, Result<http_body::Frame<Bytes>, io::Error>>>>;

/// Answers with what the request announced of its body, then sends every chunk back as it comes.
async fn echo(request: Request<Incoming>) -> Frames {
    let announced = |name| {
        let value = request.headers().get(name).map_or("none", |value| value.to_str().unwrap());
        http::HeaderValue::try_from(value).unwrap()
    };
    let (length, coding) = (announced("content-length"), announced("transfer-encoding"));
    let chunks = request.into_body().into_data_stream();
    let frames = chunks.map(|chunk| chunk.map(http_body::Frame::data).map_err(io::Error::other));
    let mut response = Response::new(StreamBody::new(frames.boxed()));
    response.headers_mut().insert("x-length", length);
    response.headers_mut().insert("x-coding", coding);
    response
}

fn echoing(http2: bool) -> Piped {
    piped_as(http2, move |pipe| async move {
        if http2 { serve_http2(pipe, echo).await } else { serve_http1(pipe, echo).await }
    })
}

#[tokio::test(start_paused = true)]
async fn a_body_of_known_length_is_announced_with_it_and_another_one_is_not() {
    async fn check(http2: bool, body: Body, length: &str, coding: &str) {
        let response = echoing(http2).send(question().map(|_| body)).await.unwrap();
        assert_eq!(
            (&response.headers()["x-length"], &response.headers()["x-coding"]),
            (&http::HeaderValue::try_from(length).unwrap(), &http::HeaderValue::try_from(coding).unwrap())
        );
        assert_eq!(response.into_body().collect_bounded(100).await.unwrap(), "0123456789");
    }
    fn stream() -> Body {
        let chunks = ["0123", "", "456789"].map(|chunk| Ok::<_, io::Error>(Bytes::from(chunk)));
        Body::from_stream(futures::stream::iter(chunks))
    }
    check(false, Body::from("0123456789"), "10", "none").await;
    check(true, Body::from("0123456789"), "10", "none").await;
    check(false, Body::new(http_body_util::Full::from("0123456789")), "10", "none").await;
    check(false, stream(), "none", "chunked").await;
    check(true, stream(), "none", "none").await;
}

#[tokio::test(start_paused = true)]
async fn the_answer_is_read_while_the_request_is_still_being_sent() {
    for http2 in [false, true] {
        let (mut write, written) = mpsc::channel::<Result<Bytes, io::Error>>(1);
        let piped = echoing(http2);
        let mut body = piped.send(question().map(|_| Body::from_stream(written))).await.unwrap().into_body();
        for chunk in ["one", "two", "three"] {
            write.try_send(Ok(Bytes::from(chunk))).unwrap();
            assert_eq!(body.chunk().await.unwrap().unwrap(), chunk);
        }
        drop(write);
        assert!(body.chunk().await.unwrap().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_own_body_breaks_off_says_so_and_may_have_been_sent_in_part() {
    for http2 in [false, true] {
        let piped = piped_as(http2, move |pipe| async move {
            // Never answers before it has the whole body.
            let whole = |request: Request<Incoming>| async move {
                match request.into_body().collect().await {
                    Ok(_) => Response::new(http_body_util::Empty::<Bytes>::new().map_err(io::Error::other)),
                    Err(_) => std::future::pending().await,
                }
            };
            if http2 { serve_http2(pipe, whole).await } else { serve_http1(pipe, whole).await }
        });
        let chunks = futures::stream::iter([Ok(Bytes::from("half")), Err(io::Error::other("the file was cut"))]);
        let error = piped.send(question().map(|_| Body::from_stream(chunks))).await.unwrap_err();
        assert_eq!(text(&error), "request to api.example.com:80: the file was cut", "{http2}");
        assert!(error.is_request() && error.was_sent() && !error.is_connect() && !error.is_timeout());
    }
}
