//! The path of one request: cost, scope, permit, transport, observation, body, usage, settlement; and again.
//!
//! ```text
//!            +------------------------- later, at the front -------------------------+
//!            v                                                                       |
//! cost -> permit (reserve) -> send -> head: observe -> body: usage -> settle      retry?
//!                               |          |              |                          ^
//!                               +-- fail --+--- refuse ---+-- a broken answer -------+
//! ```

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode, Uri};
use limiter_core::{Amounts, Cost, Dimension};
use providers::{ErrorKind, Failure, RequestSize, StreamUsage, Usage};
use serde::de::IgnoredAny;
use tokenizer::RequestKind;
use transport::{Body, Timeouts};

use crate::client::Shared;
use crate::error::{Error, Kind};
use crate::request::{Answer, Request, request_id};
use crate::scope::{Denied, Permit};

/// What happened to one request so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) attempts: u32,
    pub(crate) rate_limited: u32,
    /// Attempts that were refused because of a limit that refills, whatever the status.
    pub(crate) limited: u32,
    /// Attempts that failed in an outage, which is not the request's fault.
    pub(crate) excused: u32,
    /// Whether the last attempt was one of these.
    pub(crate) is_excused: bool,
    /// Attempts that took too long or came back as something else than an answer.
    pub(crate) unanswered: u32,
}

impl Trace {
    /// An attempt failed, and is `excused` by an outage or not.
    fn failed(&mut self, excused: bool) {
        self.excused += u32::from(excused);
        self.is_excused = excused;
    }
}

/// A request ready to go, as often as it takes.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) uri: Uri,
    pub(crate) group: Arc<str>,
    pub(crate) size: RequestSize,
    pub(crate) kind: RequestKind,
}

/// A provider that produces fewer tokens a second than this is not waited for. A guess on the patient side, for
/// models whose speed is not known; `Builder::timeouts` replaces it.
const SLOWEST_TOKENS_PER_SECOND: u64 = 20;
/// A response held back until it is whole takes this long at most, as the official clients have it (600 s).
const LONGEST_FIRST_BYTE: Duration = Duration::from_secs(600);
/// A body that has begun is whole within this time, or never.
const LONGEST_ANSWER: Duration = Duration::from_secs(600);
/// The body of an error is read up to here.
const LONGEST_ERROR: usize = 1 << 20;

impl Shared {
    /// Sends a request until it is answered or nothing more is worth trying.
    pub(crate) async fn exchange(&self, prepared: &Prepared) -> Result<Answer, Error> {
        let mut trace = Trace::default();
        loop {
            let permit = match self.permit(prepared, trace.attempts > 0).await {
                Ok(permit) => permit,
                Err(Denied::Moved) => continue,
                Err(Denied::NeverFits(never)) => return Err(Error::new(Kind::NeverFits(never), trace)),
                Err(Denied::TooLong { wait }) => return Err(Error::new(Kind::TooLong(wait), trace)),
                Err(Denied::Closed) => return Err(Error::new(Kind::Closed, trace)),
                Err(Denied::Down(why)) => return Err(Error::new(Kind::Down(why), trace)),
            };
            let Ok(slot) = self.slots.acquire().await else {
                permit.release();
                return Err(Error::new(Kind::Closed, trace));
            };
            if trace.attempts == 0 {
                self.budget().first_try();
            }
            trace.attempts += 1;
            trace.is_excused = false;
            let outcome = self.attempt(prepared, permit, &mut trace).await;
            drop(slot);
            let kind = match outcome {
                Ok(answer) => return Ok(answer),
                Err(kind) => kind,
            };
            // Bound to a name so that the lock is gone before the wait.
            let delay = self.retry.delay(&kind, &trace, &mut self.budget(), fastrand::u64(..));
            match delay {
                None => return Err(Error::new(kind, trace)),
                Some(delay) => {
                    tracing::debug!(?kind, ?delay, attempt = trace.attempts, "trying again");
                    let closed = async { self.closed.subscribe().wait_for(|closed| *closed).await.is_ok() };
                    tokio::select! {
                        () = tokio::time::sleep(delay), if delay > Duration::ZERO => {}
                        _ = closed, if delay > Duration::ZERO => return Err(Error::new(kind, trace)),
                        else => {}
                    }
                }
            }
        }
    }

    pub(crate) async fn permit(&self, prepared: &Prepared, at_front: bool) -> Result<Permit, Denied> {
        let RequestSize { input_tokens, metered_input_tokens, max_output_tokens, images } = prepared.size;
        let output = max_output_tokens.unwrap_or_else(|| self.expected_output(&prepared.group, prepared.kind));
        let images = Amounts::ZERO.with(Dimension::Images, images);
        // What is billed is certain; what the limit counts may be more until the request is through.
        let expected = *Cost::of_request(metered_input_tokens, output).expected();
        let cost = Cost::estimate(*Cost::of_request(input_tokens, 0).expected(), expected).with_certain(&images);
        self.scopes.of(&prepared.group).acquire(&prepared.group, cost, prepared.request.priority, at_front).await
    }

    async fn attempt(&self, prepared: &Prepared, mut permit: Permit, trace: &mut Trace) -> Result<Answer, Kind> {
        let request = match self.outgoing(prepared) {
            Ok(request) => request,
            Err(error) => {
                permit.release();
                return Err(Kind::Request(error.to_string()));
            }
        };
        let response = match self.transport.send(request).await {
            Ok(response) => response,
            Err(error) => return Err(failed(permit, error, trace)),
        };
        let (mut head, body) = response.into_parts();
        self.mask.headers(&mut head.headers);
        let mut observation = self.provider.observe(head.status, &head.headers, self.clock.wall());
        observation.refused = head.status == StatusCode::TOO_MANY_REQUESTS;
        self.scopes.observe(&mut permit, &prepared.group, &observation);

        let limit = if head.status.is_success() { self.answer_limit } else { LONGEST_ERROR };
        // A server that sends a byte now and then is never idle.
        let longest = LONGEST_ANSWER.max(self.timeouts.first_byte);
        let body = match tokio::time::timeout(longest, body.collect_bounded(limit)).await {
            Ok(Ok(body)) => self.mask.body(body),
            Ok(Err(error)) => return Err(failed(permit, error, trace)),
            Err(_) => {
                let error = transport::Error::timed_out(transport::Stage::Body, &prepared.uri, longest);
                return Err(failed(permit, error, trace));
            }
        };
        if !head.status.is_success() {
            let failure = self.provider.classify(head.status, &head.headers, &body, self.clock.wall());
            return Err(self.refused(prepared, permit, Box::new(failure), Ended { head, body }, trace));
        }
        match self.read(&head.headers, &body) {
            Read::Answer(usage) => {
                permit.settle(usage.map(|usage| self.taken(prepared, &usage)).as_ref());
                Ok(Answer {
                    status: head.status,
                    headers: head.headers,
                    body,
                    usage,
                    attempts: trace.attempts,
                    rate_limited_attempts: trace.rate_limited,
                })
            }
            Read::Failure(failure) => Err(self.refused(prepared, permit, failure, Ended { head, body }, trace)),
            Read::Broken(why) => {
                trace.unanswered += 1;
                trace.failed(permit.fail(true, false, &why));
                Err(Kind::Answer { why, status: head.status, body })
            }
        }
    }

    /// The request as it goes over the wire.
    fn outgoing(&self, prepared: &Prepared) -> Result<http::Request<Body>, http::Error> {
        let mut request = http::Request::builder()
            .method(prepared.request.method.clone())
            .uri(prepared.uri.clone())
            .body(Body::from_bytes(prepared.request.body.clone()))?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().extend(prepared.request.headers.clone());
        let timeouts = if self.scale_first_byte { self.patient(&prepared.size) } else { self.timeouts };
        request.extensions_mut().insert(timeouts);
        Ok(request)
    }

    /// An answer that is written in full before its head is sent needs time for every token of it.
    fn patient(&self, size: &RequestSize) -> Timeouts {
        let tokens = size.max_output_tokens.unwrap_or(tokenizer::OutputEstimate::PRIOR);
        let writing = Duration::from_secs(tokens / SLOWEST_TOKENS_PER_SECOND);
        let mut timeouts = self.timeouts;
        let longest = LONGEST_FIRST_BYTE.max(timeouts.first_byte);
        timeouts.first_byte = timeouts.first_byte.saturating_add(writing).min(longest);
        timeouts
    }

    /// Ends the permit of a request that was answered with a failure.
    fn refused(
        &self,
        prepared: &Prepared,
        mut permit: Permit,
        failure: Box<Failure>,
        ended: Ended,
        trace: &mut Trace,
    ) -> Kind {
        let Ended { head, body } = ended;
        let status = head.status;
        if status == StatusCode::TOO_MANY_REQUESTS {
            trace.rate_limited += 1;
        }
        trace.limited += u32::from(failure.kind.is_limit());
        if !failure.observation.is_empty() {
            let mut observation = failure.observation;
            observation.refused = status == StatusCode::TOO_MANY_REQUESTS;
            self.scopes.observe(&mut permit, &prepared.group, &observation);
        }
        match failure.kind {
            kind if kind.is_limit() => permit.refuse(failure.retry_after, &format!("{status}: {}", failure.message)),
            ErrorKind::Authentication => trace.failed(permit.fail(true, true, &failure.message)),
            // Without figures there is no credit for anything, with figures only for something smaller.
            ErrorKind::QuotaExhausted => {
                trace.failed(permit.fail(true, failure.requested.is_none(), &failure.message));
            }
            kind if kind.is_retryable() => {
                trace.failed(permit.fail(true, false, &format!("{status}: {}", failure.message)));
            }
            _ => permit.settle(Some(&Amounts::ZERO.with(Dimension::Requests, 1))),
        }
        let request_id = request_id(&head.headers).map(str::to_owned);
        Kind::Refused { failure, status, body, request_id }
    }

    /// What a success says.
    fn read(&self, headers: &HeaderMap, body: &[u8]) -> Read {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if content_type.starts_with("text/event-stream") {
            let mut stream = StreamUsage::new();
            return match stream.push(body).and_then(|()| stream.finish()) {
                Err(error) => Read::Broken(error.to_string()),
                Ok(()) => match stream.failure() {
                    Some(failure) => Read::Failure(Box::new(failure.clone())),
                    None => Read::Answer(stream.usage()),
                },
            };
        }
        let usage = self.provider.usage(body);
        let is_text = content_type.is_empty() || content_type.contains("json") || content_type.starts_with("text/");
        // Where its usage was found, all of it was read.
        if usage.is_none()
            && is_text
            && let Err(error) = serde_json::from_slice::<IgnoredAny>(body)
        {
            return Read::Broken(format!("the answer is not JSON ({error})"));
        }
        match self.provider.failure_in_success(body) {
            Some(failure) => Read::Failure(Box::new(failure)),
            None => Read::Answer(usage),
        }
    }

    /// What an answered request took, as far as it says; the rest as was counted before sending.
    pub(crate) fn taken(&self, prepared: &Prepared, usage: &Usage) -> Amounts {
        self.learn_output(&prepared.group, prepared.kind, usage.output);
        let images = Amounts::ZERO.with(Dimension::Images, prepared.size.images);
        *Cost::of_request(usage.input, usage.total.saturating_sub(usage.input)).with_certain(&images).expected()
    }
}

/// A response that was read to its end.
struct Ended {
    head: http::response::Parts,
    body: Bytes,
}

enum Read {
    Answer(Option<Usage>),
    Failure(Box<Failure>),
    Broken(String),
}

/// Ends the permit of a request that the transport could not carry.
fn failed(permit: Permit, error: transport::Error, trace: &mut Trace) -> Kind {
    if error.is_request() {
        permit.release();
    } else if error.is_body_too_large() {
        permit.settle(None);
    } else {
        if error.is_timeout() || error.is_protocol() {
            trace.unanswered += 1;
        }
        trace.failed(permit.fail(error.was_sent(), false, &error.to_string()));
    }
    Kind::Transport(error)
}
