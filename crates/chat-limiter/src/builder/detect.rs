//! Which provider an address or a model means.

use std::sync::Arc;

use http::Uri;
use providers::{Provider, Registry};

use super::Builder;
use crate::Error;

impl Builder {
    /// As [`ChatLimiter::for_model`](crate::ChatLimiter::for_model).
    pub(crate) fn for_model(model: &str) -> Result<Self, Error> {
        by_model(&Registry::standard(), model, has_key).map(|it| Self::from(Ok(it))).map_err(Error::configuration)
    }
}

/// The provider at an address; what is wrong, and who is known, where it is nobody's.
pub(crate) fn by_url(registry: &Registry, url: &str) -> Result<Arc<dyn Provider>, String> {
    providers::join_url(url, "/").map_err(|error| error.to_string())?;
    let detected = registry.detect_from_url(url);
    detected.ok_or_else(|| {
        let host =
            url.trim_ascii().parse::<Uri>().ok().and_then(|uri| Some(uri.host()?.to_owned())).unwrap_or_default();
        format!(
            "the provider at {host} is not known by its address; name it with builder(NAME).base_url(URL), of {}",
            names(registry)
        )
    })
}

/// The provider of a model: the one that its prefix names, if that one `is_usable`, else the one that writes its models
/// like this.
pub(crate) fn by_model(
    registry: &Registry,
    model: &str,
    is_usable: impl Fn(&dyn Provider) -> bool,
) -> Result<Arc<dyn Provider>, String> {
    let detected = registry.detect_from_prefix(model, is_usable).or_else(|| registry.detect_from_model(model));
    detected.ok_or_else(|| {
        let model: String = model.chars().take(100).collect();
        format!("the provider of the model {model:?} is not known by its name; name it, of {}", names(registry))
    })
}

/// Whether the environment holds the provider's key.
pub(crate) fn has_key(provider: &dyn Provider) -> bool {
    let variable = provider.key_variable().and_then(|name| std::env::var(name).ok());
    variable.is_some_and(|key| !key.trim().is_empty())
}

fn names(registry: &Registry) -> String {
    registry.names().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_prefix_means_its_own_provider_where_there_is_a_key_and_a_router_else() {
        let check = |model: &str, key_of: &str, expected: &str| {
            let detected = by_model(&Registry::standard(), model, |provider| provider.name() == key_of);
            assert_eq!(detected.map(|provider| provider.name().to_owned()).as_deref(), Ok(expected), "{model}");
        };
        check("gpt-4o", "", "openai");
        check("claude-sonnet-4-5", "", "anthropic");
        check("openai/gpt-4o", "openai", "openai");
        check("openai/gpt-4o", "anthropic", "openrouter");
        check("anthropic/claude-sonnet-4-5", "anthropic", "anthropic");
        check("meta-llama/llama-3-8b-instruct", "openai", "openrouter");
    }

    #[test]
    fn what_is_not_known_lists_who_is() {
        for unknown in [
            by_model(&Registry::standard(), "my-own-model", |_| true),
            by_url(&Registry::standard(), "https://llm.example/v1"),
        ] {
            let error = unknown.unwrap_err();
            assert!(error.contains("openai, anthropic, openrouter"), "{error}");
            assert!(error.contains("my-own-model") || error.contains("llm.example"), "{error}");
        }
        let error = by_model(&Registry::standard(), &"m".repeat(10_000), |_| true).unwrap_err();
        assert!(error.len() < 1_000, "a name is quoted to a bound");
    }

    #[test]
    fn an_address_that_is_none_names_itself_and_no_password() {
        let check = |url: &str, expected: &str| {
            let error = by_url(&Registry::standard(), url).unwrap_err();
            assert!(error.contains(expected) && !error.contains("secret"), "{error}");
        };
        check("not a url", "not a url");
        check("ftp://api.openai.com", "ftp://api.openai.com");
        check("https://me:secret@api.openai.com/v1", "password");
        assert_eq!(by_url(&Registry::standard(), "https://api.openai.com/v1").unwrap().name(), "openai");
    }
}
