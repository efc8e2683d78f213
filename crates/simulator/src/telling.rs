//! How limits are told: what an answer says of them, in which form, and when it was read.

use std::num::NonZeroU64;

use crate::HeaderPolicy;

/// How the OpenAI face tells when a limit is full again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resets {
    /// As a span, such as `6m0s`.
    #[default]
    Span,
    /// As a moment: whole seconds since the Unix epoch by the provider's calendar, rounded up.
    EpochSeconds,
    /// As a span, and not until the limit is full but until something comes back: of a sliding window the oldest part.
    Oldest,
    /// As a span that is always a minute, whatever is left.
    Minute,
    /// Not at all: limit and what remains have to do.
    Never,
}

/// When the levels are read that an answer tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadAt {
    /// When its request is let in, as a gateway does that decides and forgets.
    #[default]
    Admission,
    /// When the answer is written: with all that was let in and came back meanwhile, and after its own settlement. Of a
    /// stream, when it begins.
    Answer,
}

/// How a provider tells its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Telling {
    pub(crate) resets: Resets,
    pub(crate) read_at: ReadAt,
    /// What remaining tokens are rounded to, where they are.
    pub(crate) grain: Option<NonZeroU64>,
}

impl Telling {
    /// What is told of `remaining` tokens of `limit`: the nearest multiple of the grain, and never more than the limit.
    pub(crate) fn rounded(self, remaining: u64, limit: u64) -> u64 {
        let Some(grain) = self.grain.map(NonZeroU64::get) else { return remaining };
        (remaining.saturating_add(grain / 2) / grain).saturating_mul(grain).min(limit)
    }
}

/// How much a refusal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Limits, and when to come again.
    All,
    /// When to come again, in whole seconds.
    RetryAfter,
    /// That it is one.
    Nothing,
}

impl HeaderPolicy {
    /// Whether an answer that is no refusal tells the limits.
    pub(crate) const fn tells_on_success(self) -> bool {
        matches!(self, Self::Always | Self::OnSuccess)
    }

    /// What a refusal says.
    pub(crate) const fn of_refusal(self) -> Said {
        match self {
            Self::Always | Self::OnRefusal => Said::All,
            Self::RetryAfter => Said::RetryAfter,
            Self::Never | Self::OnSuccess => Said::Nothing,
        }
    }
}
