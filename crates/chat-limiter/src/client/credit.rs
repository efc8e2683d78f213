//! Whether there is credit, as far as the provider was asked.

use std::sync::Arc;

use super::Shared;
use crate::error::{Error, Kind};
use crate::exchange::Trace;

impl Shared {
    /// Fails while the provider's last word is that all credit is spent.
    pub(super) fn check_credit(&self) -> Result<(), Error> {
        let exhausted = self.credit.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        exhausted.map_or(Ok(()), |why| Err(Error::new(Kind::Exhausted(why), Trace::default())))
    }

    /// Takes in whether credit is spent, and `why` requests fail then.
    pub(super) fn set_credit(&self, exhausted: Option<Arc<str>>) {
        *self.credit.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = exhausted;
    }
}
