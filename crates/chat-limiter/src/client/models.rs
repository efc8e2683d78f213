//! The models that a provider lists.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use limiter_core::Nanos;
use providers::ModelFacts;
use providers::discovery::parse_model_list;

use super::ChatLimiter;
use crate::Error;

/// So long a list is taken for the present one.
const FRESH: Nanos = Nanos::HOUR;

/// The latest list of models.
#[derive(Debug, Default)]
pub(crate) struct ModelCache(Mutex<Listed>);

#[derive(Debug, Default)]
struct Listed {
    /// How often it was cleared: what was asked for before is not kept after.
    cleared: u64,
    list: Option<(Nanos, Arc<[ModelFacts]>)>,
}

impl ModelCache {
    fn lock(&self) -> MutexGuard<'_, Listed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChatLimiter {
    /// The models that the provider lists for this key, with what it tells of them: windows, prices. It is asked once an
    /// hour at most, outside of all limits.
    ///
    /// # Errors
    ///
    /// [`Error`] where the provider has no list, does not answer, or refuses the key.
    pub async fn models(&self) -> Result<Arc<[ModelFacts]>, Error> {
        let (cache, provider) = (&self.shared.models, &self.shared.provider);
        let cleared = {
            let listed = cache.lock();
            if let Some((at, list)) = &listed.list
                && self.now().saturating_sub(*at) < FRESH
            {
                return Ok(Arc::clone(list));
            }
            listed.cleared
        };
        if provider.model_list(None).is_none() {
            return Err(Error::request(format!("{} has no list of models", provider.name())));
        }
        let read = |body: &[u8]| parse_model_list(provider.name(), body);
        let list: Arc<[ModelFacts]> = self.shared.ask_all(|page| provider.model_list(page), read).await?.into();
        let mut listed = cache.lock();
        if listed.cleared == cleared {
            listed.list = Some((self.now(), Arc::clone(&list)));
        }
        Ok(list)
    }

    /// Forgets the list of models: [`models`](Self::models) asks again.
    pub fn clear_model_cache(&self) {
        let mut listed = self.shared.models.lock();
        listed.cleared += 1;
        listed.list = None;
    }

    /// Whether the provider lists this model, under this name or the one without the provider's own in front.
    ///
    /// # Errors
    ///
    /// As [`models`](Self::models).
    pub async fn has_model(&self, model: &str) -> Result<bool, Error> {
        let bare = self.shared.provider.bare_model(model);
        Ok(self.models().await?.iter().any(|facts| facts.name == model || facts.name == bare))
    }
}
