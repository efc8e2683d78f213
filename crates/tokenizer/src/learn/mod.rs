//! What cannot be known before and is learned from answers: how far a count is from what is charged, and how much is
//! produced.
//!
//! Both are values without a clock or I/O, of bounded size, which can be written down and read again (`serde`), so that
//! a later run starts warm.

mod correction;
mod filter;
mod kind;
mod kinds;
mod output;
mod outputs;
mod recent;

pub use correction::InputCorrection;
pub use kind::RequestKind;
pub use output::OutputEstimate;
pub use outputs::OutputEstimates;
