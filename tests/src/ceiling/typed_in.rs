//! Limits that a client was told by somebody who was wrong.
//!
//! They are a guess to begin with, which the provider's own word replaces.

use chat_limiter::Builder;
use chat_limiter::limiter_core::{Dimension as Limited, Limit};

use super::axes::Disturbance;
use super::cell::Cell;
use super::cost::Dimension;

/// Tells the client what `cell` wants it to be told.
pub(super) fn tell(builder: Builder, cell: &Cell) -> Builder {
    let (times, part) = match cell.disturbance {
        Disturbance::TypedHalf => (1, 2),
        Disturbance::TypedDouble => (2, 1),
        _ => return builder,
    };
    cell.dimensions().iter().fold(builder, |builder, dimension| {
        let limited = match dimension {
            Dimension::Requests => Limited::Requests,
            Dimension::Tokens => Limited::Tokens,
            Dimension::Input => Limited::InputTokens,
            Dimension::Output => Limited::OutputTokens,
        };
        builder.expected_limit(Limit::per_minute(limited, cell.per_minute(*dimension) * times / part))
    })
}
