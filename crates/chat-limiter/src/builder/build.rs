//! Making a client of its settings.

use std::sync::{Arc, Mutex};

use http::header::{HeaderName, HeaderValue, USER_AGENT};
use http::{HeaderMap, Uri};
use providers::Provider;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OnceCell, watch};

use super::{Builder, PROJECT};
use crate::Error;
use crate::client::{Addresses, ChatLimiter, ModelCache, Shared};
use crate::clock::Clock;
use crate::learned::Learning;
use crate::mask::Mask;
use crate::observe::Meters;
use crate::scope::Patience;
use crate::scopes::{Scopes, Told};
use crate::slots::Slots;

impl Builder {
    /// The client.
    ///
    /// # Errors
    ///
    /// An [`Error`] with [`is_configuration`](Error::is_configuration) that names what is missing or wrong: an unknown
    /// provider, no key (the variable is named), no `base_url` where each customer of the provider has one of his own, an
    /// invalid URL, header or number.
    pub fn build(self) -> Result<ChatLimiter, Error> {
        let provider = self.provider.map_err(Error::configuration)?;
        let base_url = match self.base_url {
            Some(url) => url,
            None => own_address(provider.as_ref())?,
        };
        providers::join_url(&base_url, "/").map_err(Error::configuration)?;
        if self.concurrency == 0 || self.retry.max_attempts == 0 {
            return Err(Error::configuration("concurrency and attempts must be at least 1"));
        }
        let mut headers = own_headers(&self.notes, &self.headers)?;
        if !self.is_keyless
            && let Some(key) = find_key(self.key, self.key_variable, provider.as_ref())?
        {
            provider.authenticate(key.expose_secret(), &mut headers).map_err(Error::configuration)?;
        }
        let project = self.notes.iter().find(|(name, _)| *name == PROJECT).map(|(_, project)| project.as_str());
        let timeouts = self.timeouts.unwrap_or_default();
        let transport = self.wire.transport(self.transport, &base_url, timeouts)?;
        let mut told = Told::new(self.limits, self.concurrency);
        told.ratio = self.ratio.map_err(Error::configuration)?;
        for (model, limit) in self.limits_for {
            told.set(Some(&Arc::from(&*provider.model_group(&model))), limit);
        }
        let clock = Clock::start();
        let meters = Meters::new(provider.name());
        let patience = Patience {
            wait: self.retry.longest_wait.into(),
            outage: self.outage_patience.into(),
            silence: self.silence_patience.into(),
        };
        let learning = Learning::after(self.learned, provider.name());
        let shared = Shared {
            provider,
            base_url,
            addresses: Addresses::default(),
            mask: Arc::new(Mask::new(&headers)),
            headers,
            transport,
            clock,
            scopes: Arc::new(Scopes::new(told, &self.expected, self.order, clock, patience, meters)),
            slots: Slots::new(self.concurrency),
            gate: Arc::default(),
            credit: Mutex::default(),
            models: ModelCache::default(),
            project: project.map(str::to_owned),
            closed: watch::Sender::new(false),
            retry: self.retry,
            budget: Mutex::new(self.retry.budget(self.concurrency)),
            timeouts,
            scale_first_byte: self.timeouts.is_none(),
            answer_limit: self.answer_limit,
            learning,
            counted: OnceCell::new(),
        };
        Ok(ChatLimiter { shared: Arc::new(shared) })
    }
}

/// Where the provider is for everybody, if it is anywhere: its address may be a pattern, under a name that never resolves
/// (RFC 2606).
fn own_address(provider: &dyn Provider) -> Result<String, Error> {
    let url = provider.base_url();
    let is_pattern = url.parse::<Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| host.ends_with(".invalid")));
    match is_pattern {
        false => Ok(url.to_owned()),
        true => Err(Error::configuration(format!(
            "every customer of {} has an address of his own: give it with base_url, in place of {url}",
            provider.name()
        ))),
    }
}

/// The headers of every request but the credential.
fn own_headers(notes: &[(&'static str, String)], extra: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("chat-limiter/", env!("CARGO_PKG_VERSION"))));
    let invalid = |name: &str| Error::configuration(format!("invalid value of the header {name}"));
    for (name, value) in notes {
        // No secrets: what is marked as one is masked in answers.
        headers.insert(*name, HeaderValue::try_from(value.as_str()).map_err(|_| invalid(name))?);
    }
    for (name, value) in extra {
        let parsed = HeaderName::try_from(name.as_str());
        let header = parsed.map_err(|_| Error::configuration("a header's name is invalid"))?;
        let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| invalid(name))?;
        // It may well be a credential.
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// The key that was given, or the one in the environment. `None` where the provider needs none.
fn find_key(
    key: Option<SecretString>,
    variable: Option<String>,
    provider: &dyn Provider,
) -> Result<Option<SecretString>, Error> {
    if key.is_some() {
        return Ok(key);
    }
    let needed = variable.is_some() || provider.key_variable().is_some();
    let Some(name) = variable.or_else(|| provider.key_variable().map(str::to_owned)).filter(|_| needed) else {
        return Ok(None);
    };
    if !is_variable_name(&name) {
        return Err(Error::configuration(
            "what was given as the name of the environment variable that holds the API key is no name of one; a key \
             itself is given as the key",
        ));
    }
    match std::env::var(&name) {
        Ok(value) if !value.trim().is_empty() => Ok(Some(SecretString::from(value))),
        Ok(_) => {
            Err(Error::configuration(format!("the environment variable {name} is empty: it should hold the API key")))
        }
        Err(std::env::VarError::NotPresent) => Err(Error::configuration(format!(
            "no API key: set the environment variable {name}, or name another one that holds it"
        ))),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::configuration(format!("the environment variable {name} does not hold text")))
        }
    }
}

/// Whether this may be a variable's name, and so may be shown: a key in its place must not be. Keys are long, and where they
/// have no other characters than names have, they are one word.
fn is_variable_name(name: &str) -> bool {
    let is_named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_word = name.len() > 24 && !name.contains('_');
    !name.is_empty() && name.len() <= 64 && is_named && !is_word && !name.starts_with("sk_")
}
