//! The services of the lionagi documents, as thin layers over the one limiter.
//!
//! * [`StatusTracker`]: what became of tasks, in seven counters.
//! * [`RateLimiter`], [`SimpleRateLimiter`]: permission in intervals, for programs that ask before they send.
//! * [`Endpoint`], [`BaseService`]: the endpoints of one provider, each with limits of its own.
//! * [`IModel`], [`Service`], [`register_service`]: a model by the names of its provider and task, and services of your
//!   own.
//! * [`RateLimitError`], [`ImageTokenCalculator`], [`TiktokenCalculator`], [`PayloadPackage`].
//!
//! `docs/PARITY.md` says for every name of those documents where it is here.

mod base_service;
mod endpoint;
mod imodel;
mod provided;
mod rate_limiter;
mod registry;
mod simple_rate_limiter;
mod status_tracker;

pub use crate::RateLimitError;
pub use base_service::{BaseService, EndpointSelection};
pub use endpoint::{Endpoint, RateLimiterClass};
pub use imodel::{IModel, IModelBuilder, ServiceRef};
pub use provided::Service;
pub use providers::payload::{PayloadPackage, Schema};
pub use rate_limiter::RateLimiter;
pub use registry::{InvalidServiceName, find_service, register_service};
pub use simple_rate_limiter::SimpleRateLimiter;
pub use status_tracker::{FailureKind, StatusSnapshot, StatusTracker, TaskStatus};
pub use tokenizer::{ImageTokenCalculator, TiktokenCalculator};
