//! Tokens of texts and of whole requests, without I/O.
//!
//! * [`Encoding`]: tiktoken's encodings by name and by model; count, encode, decode.
//! * [`TiktokenCalculator`]: the same behind an encoding or model name that need not be known.
//! * [`count_payload`]: what a request body will be charged for: its prompt, its images and the most it can produce.
//! * [`InputCorrection`] and [`OutputEstimates`]: what requests of one kind are really charged and produce, learned from
//!   their answers.
//!
//! Everything here is arithmetic on values passed in: nothing is read, sent or timed. What counts tokens is part of the
//! program and made ready once, when it is first used: about 30 milliseconds and 10 MB for [`Encoding::O200kBase`]. An
//! async program that cannot spare the pause calls [`Encoding::load`] on a blocking thread first. Encoding and decoding
//! unpack tiktoken-rs's own tables when first used: about a tenth of a second and 50 MB.

mod calculator;
mod count;
mod counting;
mod encoding;
mod learn;
mod model;

pub use calculator::TiktokenCalculator;
pub use count::{
    ImageTokenCalculator, PayloadKind, PayloadTokens, Shape, count_payload, count_payload_as, count_payload_for,
};
pub use encoding::{DecodeError, Encoding, UnknownEncoding};
pub use learn::{InputCorrection, OutputEstimate, OutputEstimates, RequestKind};
