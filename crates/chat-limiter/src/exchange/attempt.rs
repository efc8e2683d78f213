//! One attempt, up to the head of a success.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use limiter_core::Observation;
use transport::{Body, Timeouts};

use super::{Prepared, Trace, settle};
use crate::client::Shared;
use crate::error::{Kind, Response};
use crate::scope::Permit;

/// A provider that produces fewer tokens a second than this is not waited for. A guess on the patient side, for
/// models whose speed is not known; `Builder::timeouts` replaces it.
const SLOWEST_TOKENS_PER_SECOND: u64 = 20;
/// A response held back until it is whole takes this long at most, as the official clients have it (600 s).
const LONGEST_FIRST_BYTE: Duration = Duration::from_secs(600);
/// A body that has begun is whole within this time, or never.
const LONGEST_ANSWER: Duration = Duration::from_secs(600);
/// The body of an error is read up to here.
const LONGEST_ERROR: usize = 1 << 20;

/// A success whose body is still to be read.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) permit: Permit,
    pub(crate) head: http::response::Parts,
    pub(crate) body: Body,
}

impl Shared {
    /// Sends a request that has its permit, and reads the head of the response. Anything but a success is read to its end.
    pub(crate) async fn begin(
        &self,
        prepared: &Prepared,
        mut permit: Permit,
        timeouts: Timeouts,
        trace: &mut Trace,
    ) -> Result<Begun, Kind> {
        if trace.attempts == 0 {
            self.budget().first_try();
        }
        trace.sent(self.clock.now());
        let request = match self.outgoing(prepared, timeouts) {
            Ok(request) => request,
            Err(error) => {
                permit.release();
                return Err(Kind::Request(error.to_string()));
            }
        };
        let response = match self.transport.send(request).await {
            Ok(response) => response,
            Err(error) => return Err(settle::failed(permit, error, trace)),
        };
        let (mut head, body) = response.into_parts();
        prepared.mask.headers(&mut head.headers);
        let observation = self.provider.observe(head.status, &head.headers, self.clock.wall());
        self.observe(prepared, &mut permit, observation, head.status);
        if head.status.is_success() {
            return Ok(Begun { permit, head, body });
        }
        let body = match self.collect(prepared, body, LONGEST_ERROR).await {
            Ok(body) => body,
            Err(error) => return Err(settle::failed(permit, error, trace)),
        };
        let failure = self.provider.classify(head.status, &head.headers, &body, self.clock.wall());
        let response = Response { status: head.status, headers: head.headers, body };
        Err(self.refused(prepared, permit, Box::new(failure), response, trace))
    }

    /// Takes in what an answer says about limits.
    pub(super) fn observe(
        &self,
        prepared: &Prepared,
        permit: &mut Permit,
        mut observation: Observation,
        status: StatusCode,
    ) {
        observation.refused = status == StatusCode::TOO_MANY_REQUESTS;
        self.scopes.observe(permit, &prepared.group, &observation);
    }

    /// All of a body, where it is small enough and comes in time.
    pub(crate) async fn collect(
        &self,
        prepared: &Prepared,
        body: Body,
        limit: usize,
    ) -> Result<Bytes, transport::Error> {
        // A server that sends a byte now and then is never idle.
        let longest = self.longest_answer();
        match tokio::time::timeout(longest, body.collect_bounded(limit)).await {
            Ok(body) => Ok(prepared.mask.body(body?)),
            Err(_) => Err(transport::Error::timed_out(transport::Stage::Body, &prepared.uri, longest)),
        }
    }

    /// How long the rest of an answer may take that has begun.
    pub(crate) fn longest_answer(&self) -> Duration {
        LONGEST_ANSWER.max(self.timeouts.first_byte)
    }

    /// The request as it goes over the wire.
    fn outgoing(&self, prepared: &Prepared, timeouts: Timeouts) -> Result<http::Request<Body>, http::Error> {
        let mut request = http::Request::builder()
            .method(prepared.request.method.clone())
            .uri(prepared.uri.clone())
            .body(Body::from_bytes(prepared.request.body.clone()))?;
        *request.headers_mut() = self.headers.clone();
        let headers = request.headers_mut();
        // In place of the client's own of the same names.
        for name in prepared.request.headers.keys() {
            headers.remove(name);
        }
        for (name, value) in &prepared.request.headers {
            headers.append(name.clone(), value.clone());
        }
        request.extensions_mut().insert(timeouts);
        Ok(request)
    }

    /// The timeouts of a request whose answer comes whole. One that is written in full before its head is sent needs time
    /// for every token of it.
    pub(super) fn timeouts_of_whole(&self, prepared: &Prepared) -> Timeouts {
        if !self.scale_first_byte {
            return self.timeouts;
        }
        let tokens = prepared.size.max_output_tokens.unwrap_or(tokenizer::OutputEstimate::PRIOR);
        let writing = Duration::from_secs(tokens / SLOWEST_TOKENS_PER_SECOND);
        let mut timeouts = self.timeouts;
        let longest = LONGEST_FIRST_BYTE.max(timeouts.first_byte);
        timeouts.first_byte = timeouts.first_byte.saturating_add(writing).min(longest);
        timeouts
    }

    /// The timeouts of a request whose answer is a stream. Its head may come at once, and its first event when the model has
    /// thought for as long as it may before the head of a whole answer.
    pub(crate) fn timeouts_of_stream(&self, prepared: &Prepared) -> Timeouts {
        let mut timeouts = self.timeouts_of_whole(prepared);
        if self.scale_first_byte {
            timeouts.idle = timeouts.idle.max(timeouts.first_byte);
        }
        timeouts
    }
}
