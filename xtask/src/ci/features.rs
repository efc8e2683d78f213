//! The feature sets that are checked, in one place.

/// The packages and features of one build.
pub(super) struct FeatureSet {
    /// Cargo's arguments that select it.
    pub(super) arguments: &'static str,
}

/// Everything as it comes, and each package in the forms that leave code out.
///
/// All features at once are the first row as long as no feature is off by default.
pub(super) const FEATURE_SETS: &[FeatureSet] = &[
    FeatureSet { arguments: "--workspace" },
    FeatureSet { arguments: "--package limiter-core --no-default-features" },
];
