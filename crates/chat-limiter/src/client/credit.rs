//! Limits and credit, as the provider tells them when it is asked.

use std::sync::{Arc, PoisonError};

use http::{HeaderMap, StatusCode};
use limiter_core::{Observation, Reading};
use providers::discovery::{Account, ScopeLimits};

use super::ask::unreadable;
use super::{ChatLimiter, Shared};
use crate::error::{Error, Kind};
use crate::exchange::Trace;

impl ChatLimiter {
    /// Asks the provider for the limits and the credit of the account, and keeps to what it says: limits are known before
    /// the first answer, and while all credit is spent requests fail at once ([`Error::is_quota_exhausted`]), until this is
    /// asked again and there is some. Models that cost nothing are let through.
    ///
    /// OpenRouter tells it to every key. OpenAI and Anthropic tell limits to admin keys only, which do not send requests:
    /// see [`discover_limits_with_key`](Self::discover_limits_with_key).
    ///
    /// # Errors
    ///
    /// [`Error`] where the provider tells nothing when it is asked, refuses the key, or does not answer. What was known
    /// stays.
    pub async fn discover_limits(&self) -> Result<Account, Error> {
        self.discover(None).await
    }

    /// As [`discover_limits`](Self::discover_limits), with another key than requests are sent with. It is used for this and
    /// not kept.
    ///
    /// Of OpenAI the limits of one project are taken: [`Builder::project`](crate::Builder::project), or the only one there
    /// is. Where there are several, and none is named, they are returned and not kept to: nobody knows which one the key of
    /// the requests belongs to.
    ///
    /// # Errors
    ///
    /// As [`discover_limits`](Self::discover_limits); also where the key cannot be sent.
    pub async fn discover_limits_with_key(&self, key: &str) -> Result<Account, Error> {
        let mut headers = HeaderMap::new();
        self.shared.provider.authenticate(key, &mut headers).map_err(Error::configuration)?;
        self.discover(Some(&headers)).await
    }

    async fn discover(&self, key: Option<&HeaderMap>) -> Result<Account, Error> {
        let (shared, provider) = (&self.shared, &self.shared.provider);
        let mut inquiry = provider.account_inquiry(shared.project.as_deref()).ok_or_else(|| {
            Error::request(format!("{} cannot be asked for its limits: its answers tell them", provider.name()))
        })?;
        while let Some(question) = inquiry.question() {
            match shared.ask(question, key).await {
                Ok(body) => inquiry.answer(&body).map_err(unreadable)?,
                Err(error) if is_refusal_of_key(&error) && inquiry.refused() => {}
                Err(error) => return Err(error),
            }
        }
        let account = inquiry.finish();
        let why = || format!("{} says that all credit is spent", provider.name()).into();
        shared.set_credit(account.is_exhausted().then(why));
        if account.projects.len() <= 1 {
            account.scopes.iter().for_each(|scope| shared.keep_to(scope));
        }
        Ok(account)
    }
}

fn is_refusal_of_key(error: &Error) -> bool {
    matches!(error.status(), Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN))
}

impl Shared {
    /// Takes in the limits that some models share.
    fn keep_to(&self, limits: &ScopeLimits) {
        let mut observation = Observation::new();
        for limit in &limits.limits {
            let reading = Reading::of(limit.dimension());
            observation.push(Reading { window: Some(limit.window()), limit: Some(limit.amount()), ..reading });
        }
        if observation.is_empty() {
            return;
        }
        if limits.is_for_all() {
            self.scopes.tell_all(&observation);
            return;
        }
        let names =
            if limits.models.is_empty() { std::slice::from_ref(&limits.scope) } else { limits.models.as_slice() };
        let mut groups: Vec<Arc<str>> = names.iter().map(|name| Arc::from(&*self.provider.model_group(name))).collect();
        groups.sort_unstable();
        groups.dedup();
        self.scopes.tell(groups, observation);
    }

    /// Fails while the provider's last word is that all credit is spent, unless the model is free.
    pub(super) fn check_credit(&self, model: &str) -> Result<(), Error> {
        let exhausted = self.credit.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match exhausted {
            Some(why) if !self.provider.is_free(model) => Err(Error::new(Kind::Exhausted(why), Trace::default())),
            _ => Ok(()),
        }
    }

    fn set_credit(&self, exhausted: Option<Arc<str>>) {
        *self.credit.lock().unwrap_or_else(PoisonError::into_inner) = exhausted;
    }
}
