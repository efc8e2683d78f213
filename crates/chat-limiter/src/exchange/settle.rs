//! How a permit ends.

use http::StatusCode;
use limiter_core::{Amounts, Cost, Dimension};
use providers::{Failure, Usage};

use super::{Prepared, Trace};
use crate::client::Shared;
use crate::error::{Kind, Response};
use crate::scope::Permit;
use crate::usage::believed;

impl Shared {
    /// Ends the permit of a request that was answered with a failure.
    pub(crate) fn refused(
        &self,
        prepared: &Prepared,
        mut permit: Permit,
        mut failure: Box<Failure>,
        response: Response,
        trace: &mut Trace,
    ) -> Kind {
        prepared.mask.failure(&mut failure);
        let status = response.status;
        if status == StatusCode::TOO_MANY_REQUESTS {
            trace.rate_limited += 1;
        }
        trace.limited += u32::from(failure.kind.is_limit());
        if !failure.observation.is_empty() {
            self.observe(prepared, &mut permit, std::mem::take(&mut failure.observation), status);
        }
        if let Some(excused) = permit.answered_with(&failure, status) {
            trace.failed(excused);
        }
        Kind::Refused { failure, response: Box::new(response) }
    }

    /// What an answered request took, as far as it says; the rest as was counted before sending.
    pub(crate) fn taken(&self, prepared: &Prepared, usage: &Usage) -> Amounts {
        let size = &prepared.size;
        let output = size.max_output_tokens.unwrap_or(tokenizer::OutputEstimate::PRIOR);
        let usage = believed(usage, size.metered_input_tokens.saturating_add(output));
        self.learning.observe(&prepared.group, size, prepared.kind, &usage);
        let images = Amounts::ZERO.with(Dimension::Images, size.images);
        *Cost::of_request(usage.input, usage.produced()).with_certain(&images).expected()
    }
}

/// Ends the permit of a request whose answer, `response`, is none.
pub(crate) fn broken(permit: Permit, why: String, response: Response, trace: &mut Trace) -> Kind {
    trace.unanswered += 1;
    trace.failed(permit.fail(true, false, &why));
    Kind::Answer { why, response: Box::new(response) }
}

/// Ends the permit of a request whose answer broke off after the head of a success: the provider may have done the work.
pub(crate) fn broke_off(permit: Permit, error: transport::Error, trace: &mut Trace) -> Kind {
    if !is_unanswered(&error) {
        trace.unanswered += 1;
    }
    failed(permit, error, trace)
}

/// Whether nobody knows what came of the request, however far it got.
fn is_unanswered(error: &transport::Error) -> bool {
    error.is_timeout() || error.is_protocol()
}

/// Ends the permit of a request that the transport could not carry.
pub(crate) fn failed(permit: Permit, error: transport::Error, trace: &mut Trace) -> Kind {
    if error.is_request() {
        permit.release();
    } else if error.is_body_too_large() {
        permit.settle(None);
    } else {
        if is_unanswered(&error) {
            trace.unanswered += 1;
        }
        trace.failed(permit.fail(error.was_sent(), false, &error.to_string()));
    }
    Kind::Transport(error)
}
