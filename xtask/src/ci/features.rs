//! The feature sets that are checked, in one place.

/// The packages and features of one build.
pub(super) struct FeatureSet {
    /// Cargo's arguments that select it.
    pub(super) arguments: &'static str,
    /// Whether it has tests that the whole workspace, as it comes, does not run.
    pub(super) has_tests: bool,
}

/// Everything as it comes, and each package in the forms that leave code out.
///
/// `aws-lc-rs` is in none: it compiles C for longer than all the rest takes. `cargo test -p transport --features aws-lc-rs`
/// runs its test.
pub(super) const FEATURE_SETS: &[FeatureSet] = &[
    FeatureSet { arguments: "--workspace", has_tests: false },
    FeatureSet { arguments: "--package limiter-core --no-default-features", has_tests: false },
    FeatureSet { arguments: "--package transport --no-default-features", has_tests: false },
    // The workspace has `metrics` and `tower` on, because its tests want them.
    FeatureSet { arguments: "--package chat-limiter --no-default-features", has_tests: false },
    FeatureSet { arguments: "--package transport --features reqwest,webpki-roots", has_tests: true },
];
