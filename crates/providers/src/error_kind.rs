//! What a failure means for the request that met it.

/// What kind of failure a response is, in the terms that decide what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Too fast for a limit of seconds, minutes or hours, or a limit whose window was not named: wait, then send again.
    RateLimited,
    /// Too much for a day's limit: wait, possibly for hours.
    DailyLimit,
    /// The request alone is larger than a limit or the model's context: never succeeds unchanged.
    TooLarge,
    /// Credit, budget or quota is used up: waiting does not help, paying does.
    QuotaExhausted,
    /// The provider has no capacity at the moment: wait longer than for a rate limit and come back slowly.
    Overloaded,
    /// Something went wrong that may not go wrong again.
    Transient,
    /// The key is missing, wrong or revoked.
    Authentication,
    /// The key is right but may not do this: a plan, a region, a policy.
    Permission,
    /// The model or the address does not exist.
    NotFound,
    /// The request is malformed.
    Invalid,
    /// Not recognized; treated as final.
    Unknown,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::RateLimited | Self::DailyLimit | Self::Overloaded | Self::Transient)
    }

    /// Whether the request was refused because of a limit that refills.
    #[must_use]
    pub const fn is_limit(self) -> bool {
        matches!(self, Self::RateLimited | Self::DailyLimit)
    }

    /// The name in lower case with underscores: `rate_limited`, `quota_exhausted`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::DailyLimit => "daily_limit",
            Self::TooLarge => "too_large",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Overloaded => "overloaded",
            Self::Transient => "transient",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
