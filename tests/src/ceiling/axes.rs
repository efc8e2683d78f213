//! The axes of the matrix. The first value of each is that of the base cell.

/// An axis: an enumeration whose values have names.
macro_rules! axis {
    ($(#[$about:meta])* $axis:ident { $($(#[$value_about:meta])* $value:ident => $name:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $axis {
            $($(#[$value_about])* $value,)+
        }

        impl $axis {
            /// All values, the base cell's first.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// The value's name in that of a cell.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $name,)+
                }
            }
        }
    };
}

axis! {
    /// How spent quota comes back.
    Metering {
        /// Continuously, into a bucket.
        TokenBucket => "token-bucket",
        /// All at once, when the calendar turns.
        FixedWindow => "fixed-window",
        /// Each amount one window after it was taken.
        SlidingWindow => "sliding-window",
        /// Continuously, and at most one second's worth of it in each second.
        Slices => "slices",
    }
}

axis! {
    /// What a request costs.
    Charge {
        /// The prompt and everything that may be produced.
        PromptPlusMaxTokens => "prompt+max",
        /// The larger one of the two.
        MaxOfBoth => "max-of-both",
        /// The prompt.
        PromptOnly => "prompt-only",
        /// The prompt and what was produced, corrected when the answer ends.
        Produced => "produced",
        /// The prompt without its cached half.
        CachedInputFree => "cached-free",
    }
}

axis! {
    /// When and how limits are told.
    Headers {
        /// On every answer, in OpenAI's form.
        OpenAi => "openai",
        /// On every answer, in Anthropic's form: input and output apart, in thousands.
        Anthropic => "anthropic",
        /// On refusals only.
        OnRefusal => "on-refusal",
        /// Never: a refusal says nothing but that it is one.
        Never => "never",
    }
}

axis! {
    /// How much of the quota is there at the start.
    Fill {
        /// All of it.
        Full => "full",
        /// Half of it.
        Half => "half-full",
        /// Nothing.
        Empty => "empty",
    }
}

axis! {
    /// How much quota can be saved up, and how long a window is.
    Depth {
        /// A minute's worth.
        Minute => "60-s-deep",
        /// Six seconds' worth.
        SixSeconds => "6-s-deep",
    }
}

axis! {
    /// How long an answer takes.
    Latency {
        /// 50 ms.
        Short => "50-ms",
        /// 2 s, and 20 ms for each token produced.
        Long => "2-s-and-tokens",
        /// 500 ms for most, many times as long for some.
        Tail => "latency-tail",
    }
}

axis! {
    /// What is asked for.
    Workload {
        /// Sizes of which most are small and a few large.
        HeavyTailed => "heavy-tailed",
        /// One size.
        Equal => "equal",
        /// Small ones first, large ones afterwards; each kind alone exhausts one limit only.
        Phased => "small-then-large",
        /// One in twenty takes eight seconds of the tokens.
        VeryLarge => "very-large",
        /// The limit on requests binds.
        RequestBound => "request-bound",
        /// The limit on tokens binds, by far.
        TokenBound => "token-bound",
        /// Most of the cost is what may be produced.
        OutputBound => "output-bound",
    }
}

axis! {
    /// What goes wrong.
    Disturbance {
        /// Nothing.
        None => "undisturbed",
        /// Another client takes half of every limit from the second minute on.
        OtherClient => "other-client",
        /// The limits double after a minute and a half.
        Doubles => "doubles",
        /// The limits halve after a minute and a half.
        Halves => "halves",
        /// Every request is answered with a 5xx for ten seconds.
        Failing => "5xx-burst",
        /// One connection in ten is dropped.
        Resets => "resets",
        /// The provider is away for a minute.
        Stopped => "stopped",
        /// The provider's clock is 90 seconds slow.
        ClockSlow => "clock-90-s-slow",
        /// The provider's clock is an hour fast.
        ClockFast => "clock-1-h-fast",
        /// The provider counts 1.3 times the tokens in a prompt.
        CountsMore => "counts-30%-more",
        /// The provider counts 0.7 times the tokens in a prompt.
        CountsLess => "counts-30%-less",
        /// The client was told half of the limits.
        TypedHalf => "typed-half",
        /// The client was told twice the limits.
        TypedDouble => "typed-double",
    }
}

axis! {
    /// A server whose arithmetic is none of the other axes' alone. They stand in `foreign.rs`.
    Server {
        /// One that the other axes describe.
        Usual => "usual",
        /// Five requests in flight at most, which nobody is told.
        FiveInFlight => "five-in-flight",
        /// Every second's worth is enforced, and the minute's told.
        HiddenSeconds => "hidden-seconds",
        /// Limit and what remains are told, and no reset.
        NoReset => "no-reset",
        /// What remains is read when the answer is written.
        LateReadings => "late-readings",
        /// A request each second and none saved up; nothing is told.
        OneEachSecond => "one-each-second",
        /// Ten requests each second and none saved up; nothing is told.
        TenEachSecond => "ten-each-second",
        /// Three requests a minute; refusals say when to come again.
        ThreeEachMinute => "three-each-minute",
        /// Requests do not say how much they may produce, and more than any is charged for it.
        Unbounded => "no-max-tokens",
        /// What may be produced is charged, then is not, and then is again.
        ChargeChanges => "charge-changes",
        /// The limits become ten times what they were.
        TenTimes => "ten-times",
        /// The limits become a tenth of what they were.
        Tenth => "a-tenth",
        /// A request each second and none saved up, told as sixty a minute.
        NoneSavedUp => "none-saved-up",
        /// Resets are moments, in seconds since the Unix epoch.
        EpochResets => "epoch-resets",
        /// A limit for the day is told besides, and never binds.
        DailyToo => "daily-too",
        /// Half of the requests that are told are let in, which only refusals show.
        HiddenRequests => "hidden-requests",
        /// Remaining tokens are told in thousands.
        Thousands => "thousands",
        /// Three requests and 10,000 tokens a minute.
        Small => "small",
        /// What is in flight is not counted yet.
        CountedLate => "counted-late",
        /// A sliding window that is approximated by two counters.
        Counters => "two-counters",
        /// A refused request costs a request, too.
        RefusalsCost => "refusals-cost",
        /// Every refusal says to come again in a second, whatever the truth.
        SaysASecond => "says-a-second",
        /// Every refusal says to come again in a minute, whatever the truth.
        SaysAMinute => "says-a-minute",
        /// A sliding window whose resets say when its oldest part comes back.
        OldestResets => "oldest-resets",
        /// Every reset is a minute, whatever is left.
        MinuteResets => "minute-resets",
        /// One request in 32 is refused, whatever is left.
        AtRandom => "at-random",
        /// Ten times the usual limits: the first seconds of a client that knows nothing are far below them.
        Large => "large",
    }
}
