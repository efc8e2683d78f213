//! Why a request cannot be put into a provider's form.

use std::borrow::Cow;

use thiserror::Error;

/// Why a request cannot be put into a provider's form. Its text names the field as the caller wrote it, and never shows
/// what the field holds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// A required field is missing, null or empty.
    #[error("`{field}` is required")]
    Missing {
        /// The field.
        field: Cow<'static, str>,
    },
    /// A field's value cannot be sent to this provider.
    #[error("`{field}` cannot be used: {reason}")]
    Unusable {
        /// The field.
        field: Cow<'static, str>,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
}

impl PayloadError {
    /// The field that is at fault.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Missing { field } | Self::Unusable { field, .. } => field,
        }
    }

    #[cold]
    pub(crate) fn missing(field: impl Into<Cow<'static, str>>) -> Self {
        Self::Missing { field: field.into() }
    }

    #[cold]
    pub(crate) fn unusable(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unusable { field: field.into(), reason: reason.into() }
    }
}
