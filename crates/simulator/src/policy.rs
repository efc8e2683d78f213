//! How the provider meters, charges, shares and tells: the choices of a [`Config`](crate::Config).

/// How spent quota comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metering {
    /// Continuously, into a bucket as deep as the configured depth.
    #[default]
    TokenBucket,
    /// All at once, at the turn of a window as long as the configured depth, aligned to the Unix epoch: with the
    /// default depth at every full minute, with a depth of one second in one-second slices.
    FixedWindow,
    /// Each amount exactly one window after it was taken, a window being as long as the configured depth. What is
    /// missing at the start comes back evenly over the first window.
    SlidingWindow,
    /// As [`Metering::SlidingWindow`], approximated as gateways do it: what was taken in the window before, aligned to the
    /// Unix epoch, counts by the share of it that a window ending now would still cover. What is missing at the start was
    /// taken in the window before.
    SlidingCounter,
    /// Continuously as with [`Metering::TokenBucket`], and of that at most one second's worth in each second of the
    /// calendar. A request that is larger is let in at the beginning of a second that owes nothing, and the seconds
    /// after it pay for it.
    Slices,
}

/// What a request costs in tokens.
///
/// Where input and output are metered apart (Anthropic), the input limit is charged with the prompt under every rule but
/// [`Charge::CachedInputFree`], and the rule decides what the output limit is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charge {
    /// As each provider documents it. OpenAI, and OpenRouter for the provider behind it: [`Charge::MaxOfBoth`].
    /// Anthropic: output counts when it has been produced, `max_tokens` plays no part
    /// (<https://platform.claude.com/docs/en/api/rate-limits>).
    #[default]
    Documented,
    /// The prompt and everything that may be produced. Output: `max_tokens`.
    PromptPlusMaxTokens,
    /// The larger one of the prompt and what may be produced
    /// (<https://developers.openai.com/api/docs/guides/rate-limits>). Output: `max_tokens`.
    MaxOfBoth,
    /// The prompt alone. Output: nothing.
    PromptOnly,
    /// As [`Charge::PromptPlusMaxTokens`] at the start; corrected to the prompt and what was really produced when the
    /// answer ends. Output: `max_tokens`, corrected likewise.
    Produced,
    /// The prompt without the part that is read from a cache ([`Config::with_cached_share`](crate::Config::with_cached_share)), in the
    /// input limit too, and no output. Output where it is metered apart: as in [`Charge::Documented`].
    CachedInputFree,
}

/// Who shares one set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sharing {
    /// All models of one face.
    #[default]
    Account,
    /// Every model has limits of its own.
    PerModel,
}

/// When the provider tells its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderPolicy {
    /// As the real face does: OpenAI and Anthropic on every answer, OpenRouter on its own 429s.
    #[default]
    Always,
    /// On 429s only.
    OnRefusal,
    /// Never: a 429 without limit headers, `retry-after`, numbers or hints. What can never fit is still told so.
    Never,
    /// On every answer but 429s, which are as those of [`HeaderPolicy::Never`]: somebody else than who counts refuses.
    OnSuccess,
    /// Never, but a 429 has a `retry-after` in whole seconds, rounded up.
    RetryAfter,
}

/// What a refused request costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalCost {
    /// Nothing.
    #[default]
    Nothing,
    /// A request, whether it is there or not: as OpenAI warns
    /// ("unsuccessful requests contribute to your per-minute limit"), and as logs do that are written before they are read.
    Request,
}

/// When the limits lose what a request is charged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Counting {
    /// When it is let in.
    #[default]
    AtAdmission,
    /// When its answer ends, whether it is there by then or not: what is in flight is not counted, so more can be let in
    /// than there is, and a debt be left.
    AtEnd,
}
