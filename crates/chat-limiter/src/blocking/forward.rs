//! What the blocking client does as the async one.

use std::sync::Arc;
use std::time::Duration;

use limiter_core::{Dimension, Limit};
use providers::discovery::Account;
use providers::payload::{ChatRequest, Message};
use providers::{ModelFacts, Provider};
use serde_json::Value;

use super::ChatLimiter;
use crate::{
    Answer, ChatCompletionResponse, Cost, CurrentLimits, Error, Learned, Permit, Priority, Request, ScopeState,
    Subscription, UsageTotals,
};

/// Methods that block, and methods that do not have to.
macro_rules! forward {
    (
        block { $($name:ident($($argument:ident: $kind:ty),*) -> Result<$output:ty, Error>;)* }
        pass { $($passed:ident($($passed_argument:ident: $passed_kind:ty),*) -> $passed_output:ty;)* }
    ) => {
        impl ChatLimiter {
            $(
                #[doc = concat!("As [`", stringify!($name), "`](crate::ChatLimiter::", stringify!($name), "): ")]
                /// blocks until it is done.
                ///
                /// # Errors
                ///
                /// As there; also inside an async runtime.
                pub fn $name(&self, $($argument: $kind),*) -> Result<$output, Error> {
                    self.block_on(self.as_async().$name($($argument),*))?
                }
            )*
            $(
                #[doc = concat!("As [`", stringify!($passed), "`](crate::ChatLimiter::", stringify!($passed), "). ")]
                /// It does not block, and may be called anywhere.
                pub fn $passed(&self, $($passed_argument: $passed_kind),*) -> $passed_output {
                    self.as_async().$passed($($passed_argument),*)
                }
            )*
        }
    };
}

forward! {
    block {
        request(request: Request) -> Result<Answer, Error>;
        chat(model: impl Into<String>, messages: Vec<Message>) -> Result<Answer, Error>;
        chat_with(request: &ChatRequest) -> Result<Answer, Error>;
        chat_completion(request: &ChatRequest) -> Result<ChatCompletionResponse, Error>;
        simple_chat(model: impl Into<String>, prompt: impl Into<String>) -> Result<String, Error>;
        acquire(model: &str, cost: Cost) -> Result<Permit, Error>;
        acquire_with_priority(model: &str, cost: Cost, priority: Priority) -> Result<Permit, Error>;
        models() -> Result<Arc<[ModelFacts]>, Error>;
        has_model(model: &str) -> Result<bool, Error>;
        discover_limits() -> Result<Account, Error>;
        discover_limits_with_key(key: &str) -> Result<Account, Error>;
        acquire_again(model: &str, cost: Cost) -> Result<Permit, Error>;
    }
    pass {
        try_acquire(model: &str, cost: Cost) -> Result<Option<Permit>, Error>;
        cost(endpoint: &str, body: &Value) -> Cost;
        limits() -> Vec<ScopeState>;
        current_limits() -> Vec<CurrentLimits>;
        usage() -> UsageTotals;
        usage_by_model() -> Vec<(Arc<str>, UsageTotals)>;
        reset_usage_tracking() -> ();
        model_group(model: &str) -> Arc<str>;
        provider() -> &Arc<dyn Provider>;
        set_limit(limit: Limit) -> ();
        set_limit_for(model: &str, limit: Limit) -> ();
        remove_limit(dimension: Dimension, window: Duration) -> bool;
        remove_limit_for(model: &str, dimension: Dimension, window: Duration) -> bool;
        set_concurrency(requests: usize) -> ();
        concurrency() -> usize;
        set_buffer_ratio(ratio: f64) -> Result<(), Error>;
        set_request_buffer_ratio(ratio: f64) -> Result<(), Error>;
        set_token_buffer_ratio(ratio: f64) -> Result<(), Error>;
        clear_model_cache() -> ();
        learned() -> Learned;
        subscribe() -> Subscription;
        close() -> ();
    }
}

impl ChatLimiter {
    /// As [`shutdown`](crate::ChatLimiter::shutdown): takes nothing new, and returns when all that has begun, on whichever
    /// thread, has ended.
    ///
    /// # Errors
    ///
    /// Inside an async runtime; then nothing is shut down.
    pub fn shutdown(&self) -> Result<(), Error> {
        self.block_on(self.as_async().shutdown())
    }

    /// As [`shutdown_within`](crate::ChatLimiter::shutdown_within). Whether all had come to its end.
    ///
    /// # Errors
    ///
    /// Inside an async runtime; then nothing is shut down.
    pub fn shutdown_within(&self, patience: Duration) -> Result<bool, Error> {
        self.block_on(self.as_async().shutdown_within(patience))
    }
}
