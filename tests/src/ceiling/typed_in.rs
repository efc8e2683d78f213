//! Limits that a client was told by somebody who was wrong.
//!
//! They are a guess to begin with, which the provider's own word replaces; a ceiling (`Builder::limit`) would stay. The
//! client has no such setting yet, so [`is_possible`] leaves these cells out. Where it has one, this file changes alone.

use chat_limiter::Builder;

use super::axes::Disturbance;
use super::cell::Cell;

/// Whether the client can be told what `cell` wants it to be told.
pub(super) const fn is_possible(cell: &Cell) -> bool {
    !matches!(cell.disturbance, Disturbance::TypedHalf | Disturbance::TypedDouble)
}

/// Tells the client what `cell` wants it to be told.
pub(super) fn tell(builder: Builder, _cell: &Cell) -> Builder {
    builder
}
