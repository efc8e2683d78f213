//! What every rate limiter of an endpoint can do.

use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use limiter_core::{Dimension, NeverFits};
use serde_json::Value;
use tokenizer::RequestKind;

use super::RateLimitError;
use crate::error::Kind;
use crate::exchange::Trace;
use crate::{Answer, ChatLimiter, Error, Request};

/// A limiter of requests and tokens in intervals: [`SimpleRateLimiter`](super::SimpleRateLimiter), or one of your own.
#[doc(alias = "BaseRateLimiter")]
pub trait RateLimiter: Send + Sync + fmt::Debug {
    /// The span after which capacity comes back.
    fn interval(&self) -> Duration;

    /// The most requests in an interval; `None` where they are not limited.
    fn max_requests(&self) -> Option<u64>;

    /// The most tokens in an interval; `None` where they are not limited.
    fn max_tokens(&self) -> Option<u64>;

    /// Requests left in this interval; `None` where they are not limited.
    fn available_request_capacity(&self) -> Option<u64>;

    /// Tokens left in this interval; `None` where they are not limited.
    fn available_token_capacity(&self) -> Option<u64>;

    /// Lets capacity come back from now on.
    fn start_replenishing(&self);

    /// Lets no capacity come back until it is started again.
    fn stop_replenishing(&self);

    /// Takes one request and `required_tokens` if both are there and nobody waits for them: both or neither. Never waits.
    ///
    /// # Errors
    ///
    /// [`RateLimitError`] where so many tokens are never there, so that asking again is in vain.
    fn request_permission(&self, required_tokens: u64) -> Result<bool, RateLimitError>;

    /// Whether a request with so many tokens of prompt and answer would be let through now. Takes nothing.
    fn check_availability(&self, request_token_len: u64, estimated_output_len: u64) -> bool {
        let tokens = request_token_len.saturating_add(estimated_output_len);
        self.available_request_capacity().is_none_or(|left| left > 0)
            && self.available_token_capacity().is_none_or(|left| left >= tokens)
    }

    /// Sends `request` with `limiter` as soon as both let it through.
    ///
    /// Unless it is overridden, permission is asked for each second, so a large request may wait behind small ones.
    /// [`SimpleRateLimiter`](super::SimpleRateLimiter) has a queue instead.
    ///
    /// # Errors
    ///
    /// As [`ChatLimiter::request`], and [`Error::is_too_large`] where no permission is ever given.
    #[doc(alias = "_call_api")]
    fn call_api<'a>(&'a self, limiter: &'a ChatLimiter, request: Request) -> BoxFuture<'a, Result<Answer, Error>> {
        Box::pin(async move {
            let required = required_tokens(limiter, &request).await?;
            loop {
                match self.request_permission(required) {
                    Ok(true) => return limiter.request(request).await,
                    Ok(false) => tokio::time::sleep(Duration::from_secs(1)).await,
                    Err(_) => {
                        let capacity = self.max_tokens().unwrap_or(u64::MAX);
                        return Err(too_large(NeverFits { dimension: Dimension::Tokens, needed: required, capacity }));
                    }
                }
            }
        })
    }
}

pub(super) fn too_large(never: NeverFits) -> Error {
    Error::new(Kind::NeverFits(never), Trace::default())
}

/// The tokens of a request's prompt, and those that its answer may have or, without a bound, is expected to have.
pub(super) async fn required_tokens(limiter: &ChatLimiter, request: &Request) -> Result<u64, Error> {
    if request.body.is_empty() {
        return Ok(0);
    }
    let (limiter, path, body) = (limiter.clone(), request.path.clone(), request.body.clone());
    // A long prompt takes milliseconds to count, and the first one loads the encoding.
    let counted = tokio::task::spawn_blocking(move || {
        let Ok(body) = serde_json::from_slice::<Value>(&body) else { return 0 };
        let size = limiter.provider().cost(&path, &body);
        let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
        let kind = RequestKind::of(&body, size.shape.calls > 0);
        let (_, output) = limiter.shared.learning.expected(&limiter.model_group(model), &size, kind);
        size.input_tokens.saturating_add(output)
    });
    counted.await.map_err(|error| Error::request(format!("its tokens could not be counted: {error}")))
}
