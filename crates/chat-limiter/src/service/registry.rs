//! Services by name.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use providers::{Registry, UnknownProvider};
use thiserror::Error;

use super::Service;
use super::provided::Standard;

/// Why a service cannot have a name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidServiceName {
    /// It is empty.
    #[error("a service needs a name")]
    Empty,
    /// A service or a provider has it already.
    #[error("there is a service with the name `{name}`; choose another one")]
    Taken {
        /// The name.
        name: String,
    },
}

/// The services of the program, without those of the providers that are known anyway.
static SERVICES: LazyLock<Mutex<BTreeMap<String, Arc<dyn Service>>>> = LazyLock::new(Mutex::default);

fn lock() -> MutexGuard<'static, BTreeMap<String, Arc<dyn Service>>> {
    SERVICES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a service known to the whole program by a name, in any case of letters. A server with OpenAI's interface takes
/// five lines:
///
/// ```
/// use chat_limiter::providers::OpenAiCompatible;
/// use chat_limiter::service::{IModel, register_service};
///
/// let server = OpenAiCompatible::new().with_base_url("http://127.0.0.1:8000/v1");
/// register_service("my-vllm", server)?;
/// let model = IModel::builder("my-vllm").model("llama-3.1-8b").build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`InvalidServiceName`] where the name is empty, or a service or a provider has it, and then nothing changes.
pub fn register_service(name: impl Into<String>, service: impl Service + 'static) -> Result<(), InvalidServiceName> {
    let name = name.into();
    if name.trim().is_empty() {
        return Err(InvalidServiceName::Empty);
    }
    let key = name.to_ascii_lowercase();
    let mut services = lock();
    if services.contains_key(&key) || Registry::standard().by_name(&key).is_ok() {
        return Err(InvalidServiceName::Taken { name });
    }
    services.insert(key, Arc::new(service));
    Ok(())
}

/// The service with this name: one that was registered, or a provider.
///
/// # Errors
///
/// [`UnknownProvider`], which lists the names of both.
pub fn find_service(name: &str) -> Result<Arc<dyn Service>, UnknownProvider> {
    if let Some(service) = lock().get(&name.to_ascii_lowercase()) {
        return Ok(Arc::clone(service));
    }
    match Registry::standard().by_name(name) {
        Ok(provider) => Ok(Arc::new(Standard(provider))),
        Err(mut unknown) => {
            unknown.known.extend(lock().keys().cloned());
            Err(unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use providers::OpenAiCompatible;

    use super::*;

    #[test]
    fn a_name_is_given_once_and_found_in_any_case() {
        let server = || OpenAiCompatible::new().with_name("once");
        register_service("Registry-Test-Once", server()).unwrap();
        let error = register_service("registry-test-ONCE", server()).unwrap_err();
        assert_eq!(error.to_string(), "there is a service with the name `registry-test-ONCE`; choose another one");
        let found = find_service("REGISTRY-test-once").unwrap();
        assert_eq!(found.provider().name(), "once");
    }

    #[test]
    fn the_name_of_a_provider_is_taken_and_an_empty_one_is_none() {
        assert_eq!(register_service(" ", OpenAiCompatible::new()), Err(InvalidServiceName::Empty));
        assert!(register_service("OpenAI", OpenAiCompatible::new()).is_err());
        assert_eq!(find_service("openai").unwrap().provider().base_url(), "https://api.openai.com/v1");
    }

    #[test]
    fn an_unknown_name_lists_providers_and_services() {
        register_service("registry-test-listed", OpenAiCompatible::new()).unwrap();
        let error = find_service("nobody").unwrap_err().to_string();
        assert!(error.starts_with("unknown provider `nobody`; known are openai, anthropic, "), "{error}");
        assert!(error.contains("registry-test-listed"), "{error}");
    }
}
