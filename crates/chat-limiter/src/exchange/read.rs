//! What a success says, once it is read whole.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use providers::{Failure, StreamUsage, Usage};
use serde::de::IgnoredAny;

use super::asked::{generates, has_to_be_json};
use super::{Begun, Prepared, Trace, settle};
use crate::client::Shared;
use crate::error::{Kind, Response};
use crate::request::Request;
use crate::scope::Permit;

/// What a body that came with a success is.
enum Read {
    Answer(Option<Usage>),
    Failure(Box<Failure>),
    Broken(String),
}

impl Shared {
    /// Reads a success to its end and settles what it took.
    pub(crate) async fn finish(
        &self,
        prepared: &Prepared,
        begun: Begun,
        trace: &mut Trace,
    ) -> Result<(Response, Option<Usage>), Kind> {
        let Begun { permit, head, body } = begun;
        let body = match self.collect(prepared, body, self.answer_limit).await {
            Ok(body) => body,
            Err(error) => return Err(settle::broke_off(permit, error, trace)),
        };
        self.judge(prepared, permit, Response { status: head.status, headers: head.headers, body }, trace)
    }

    /// Settles what a success took that was read to its end, if it is one.
    pub(crate) fn judge(
        &self,
        prepared: &Prepared,
        permit: Permit,
        response: Response,
        trace: &mut Trace,
    ) -> Result<(Response, Option<Usage>), Kind> {
        match self.read(&prepared.request, &response.headers, &response.body) {
            Read::Answer(usage) => {
                permit.settle(usage.map(|usage| self.taken(prepared, &usage)).as_ref());
                Ok((response, usage))
            }
            Read::Failure(failure) => Err(self.refused(prepared, permit, failure, response, trace)),
            Read::Broken(why) => Err(settle::broken(permit, why, response, trace)),
        }
    }

    /// What the success of `request` says.
    fn read(&self, request: &Request, headers: &HeaderMap, body: &[u8]) -> Read {
        let generates = generates(request);
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if content_type.starts_with("text/event-stream") {
            let mut stream = StreamUsage::new();
            return match stream.push(body).and_then(|()| stream.finish()) {
                Err(error) => Read::Broken(error.to_string()),
                Ok(()) => match stream.failure().filter(|_| generates) {
                    Some(failure) => Read::Failure(Box::new(failure.clone())),
                    None => Read::Answer(stream.usage()),
                },
            };
        }
        let usage = self.provider.usage(body);
        if !generates {
            return Read::Answer(usage);
        }
        // Where its usage was found, all of it was read.
        if usage.is_none()
            && !body.trim_ascii().is_empty()
            && has_to_be_json(request, content_type)
            && let Err(error) = serde_json::from_slice::<IgnoredAny>(body)
        {
            return Read::Broken(format!("the answer is not JSON ({error})"));
        }
        match self.provider.failure_in_success(body) {
            Some(failure) => Read::Failure(Box::new(failure)),
            None => Read::Answer(usage),
        }
    }
}
