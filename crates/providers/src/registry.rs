//! Which providers there are, and which one a name, an address or a model means.

use std::sync::Arc;

use http::Uri;
use thiserror::Error;

use crate::{
    Anthropic, Azure, Bedrock, Cerebras, Cohere, DeepSeek, Fireworks, Gemini, GitHubModels, Groq, HuggingFace, Mistral,
    Ollama, OpenAi, OpenAiCompatible, OpenRouter, Perplexity, Provider, SambaNova, Together, VLlm, Vertex, XAi,
};

/// The providers that are known by name. Users add their own with [`Registry::register`].
#[derive(Clone, Debug)]
pub struct Registry {
    providers: Vec<Arc<dyn Provider>>,
}

/// A name that no provider in the registry has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown provider `{name}`; known are {}", .known.join(", "))]
pub struct UnknownProvider {
    /// The name that was asked for.
    pub name: String,
    /// The names that are known.
    pub known: Vec<String>,
}

impl Registry {
    /// A registry that knows nobody.
    #[must_use]
    pub const fn empty() -> Self {
        Self { providers: Vec::new() }
    }

    /// Every provider of this crate.
    #[must_use]
    pub fn standard() -> Self {
        let mut registry = Self::empty();
        registry.register(Arc::new(OpenAi));
        registry.register(Arc::new(Anthropic));
        registry.register(Arc::new(OpenRouter));
        registry.register(Arc::new(Azure));
        registry.register(Arc::new(GitHubModels));
        registry.register(Arc::new(Gemini));
        registry.register(Arc::new(Vertex));
        registry.register(Arc::new(Groq));
        registry.register(Arc::new(Mistral));
        registry.register(Arc::new(Cohere));
        registry.register(Arc::new(Together));
        registry.register(Arc::new(Fireworks));
        registry.register(Arc::new(Cerebras));
        registry.register(Arc::new(XAi));
        registry.register(Arc::new(DeepSeek));
        registry.register(Arc::new(Perplexity));
        registry.register(Arc::new(SambaNova));
        registry.register(Arc::new(Bedrock));
        registry.register(Arc::new(HuggingFace));
        registry.register(Arc::new(Ollama));
        registry.register(Arc::new(VLlm));
        registry.register(Arc::new(OpenAiCompatible::new()));
        registry
    }

    /// Adds a provider, in place of one with the same name.
    pub fn register(&mut self, provider: Arc<dyn Provider>) {
        match self.providers.iter_mut().find(|known| known.name() == provider.name()) {
            Some(known) => *known = provider,
            None => self.providers.push(provider),
        }
    }

    /// The names that are known, in the order of registration.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.providers.iter().map(|provider| provider.name())
    }

    /// The provider of this name, in any case of letters.
    ///
    /// # Errors
    ///
    /// [`UnknownProvider`], which lists the names that are known.
    pub fn by_name(&self, name: &str) -> Result<Arc<dyn Provider>, UnknownProvider> {
        self.find(|provider| provider.name().eq_ignore_ascii_case(name)).ok_or_else(|| UnknownProvider {
            name: name.chars().take(100).collect(),
            known: self.names().map(str::to_owned).collect(),
        })
    }

    /// The provider whose host `url` leads to; `None` where the host is nobody's or `url` is none.
    #[must_use]
    pub fn detect_from_url(&self, url: &str) -> Option<Arc<dyn Provider>> {
        let uri: Uri = url.trim_ascii().parse().ok()?;
        let host = uri.host()?.to_ascii_lowercase();
        self.find(|provider| provider.owns_host(&host))
    }

    /// The provider that writes its models as `model` is written; `None` where that does not tell.
    #[must_use]
    pub fn detect_from_model(&self, model: &str) -> Option<Arc<dyn Provider>> {
        self.find(|provider| provider.owns_model(model))
    }

    /// The provider that `model` names by a prefix of its own (`openai/gpt-4o`, `anthropic/claude-sonnet-4-5`), of those
    /// for which `is_usable`. Routers write other providers' models like this, so it tells only who could answer.
    #[must_use]
    pub fn detect_from_prefix(
        &self,
        model: &str,
        is_usable: impl Fn(&dyn Provider) -> bool,
    ) -> Option<Arc<dyn Provider>> {
        self.find(|provider| provider.bare_model(model) != model && is_usable(provider))
    }

    /// Every provider, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.providers.iter()
    }

    fn find(&self, is_meant: impl Fn(&dyn Provider) -> bool) -> Option<Arc<dyn Provider>> {
        self.providers.iter().find(|provider| is_meant(provider.as_ref())).cloned()
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::standard()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(provider: Option<Arc<dyn Provider>>) -> Option<String> {
        provider.map(|provider| provider.name().to_owned())
    }

    #[test]
    fn a_name_is_found_in_any_case() {
        assert_eq!(name(Registry::standard().by_name("OpenAI").ok()).as_deref(), Some("openai"));
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = Registry::standard().by_name("opnai").unwrap_err();
        let expected = "unknown provider `opnai`; known are openai, anthropic, openrouter, azure, ";
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(error.to_string().ends_with(", openai-compatible"), "{error}");
    }

    #[test]
    fn every_provider_has_a_name_and_an_address_of_its_own() {
        let registry = Registry::standard();
        let mut names: Vec<&str> = registry.names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), registry.providers.len());
        for provider in &registry.providers {
            let name = provider.name();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(provider.base_url().parse::<Uri>().is_ok_and(|uri| uri.host().is_some()), "{name}");
            // An address of this machine, or one that leads nowhere, says nothing about who answers there.
            let host = provider.base_url().parse::<Uri>().unwrap().host().unwrap().to_owned();
            let is_nobodys = host == "127.0.0.1" || host.ends_with(".invalid");
            assert_eq!(provider.owns_host(&host), !is_nobodys, "{name}");
        }
    }

    #[test]
    fn an_address_tells_the_provider() {
        let check =
            |url, expected| assert_eq!(name(Registry::standard().detect_from_url(url)).as_deref(), expected, "{url}");
        check("https://api.openai.com/v1", Some("openai"));
        check("https://eu.api.openai.com/v1", Some("openai"));
        check("https://API.anthropic.com", Some("anthropic"));
        check("https://openrouter.ai/api/v1", Some("openrouter"));
        check("https://mine.openai.azure.com/openai/v1", Some("azure"));
        check("https://generativelanguage.googleapis.com/v1beta", Some("gemini"));
        check("https://us-central1-aiplatform.googleapis.com/v1", Some("vertex"));
        check("https://api.groq.com/openai/v1", Some("groq"));
        check("https://api.openai.com.evil.example/v1", None);
        check("https://notopenrouter.ai/api/v1", None);
        check("http://127.0.0.1:8000/v1", None);
        check("not a url", None);
    }

    #[test]
    fn a_model_tells_the_provider() {
        let check = |model, expected| {
            assert_eq!(name(Registry::standard().detect_from_model(model)).as_deref(), expected, "{model}")
        };
        check("gpt-4o-mini", Some("openai"));
        check("o3-mini", Some("openai"));
        check("text-embedding-3-small", Some("openai"));
        check("ft:gpt-4o-mini-2024-07-18:org::id", Some("openai"));
        check("claude-sonnet-4-5", Some("anthropic"));
        check("openai/gpt-4o", Some("openrouter"));
        check("deepseek/deepseek-r1:free", Some("openrouter"));
        check("gemini-2.5-flash", Some("gemini"));
        check("grok-4", Some("xai"));
        check("mistral-large-latest", Some("mistral"));
        check("us.anthropic.claude-sonnet-4-5-20250929-v1:0", Some("bedrock"));
        check("accounts/fireworks/models/llama-v3p1-8b-instruct", Some("fireworks"));
        check("mistral:7b", None);
        check("llama3.2", None);
        check("", None);
    }

    #[test]
    fn only_who_is_known_to_take_keys_of_requests_gets_one() {
        let registry = Registry::standard();
        let takes = |name: &&str| registry.by_name(name).is_ok_and(|provider| provider.idempotency_header().is_some());
        assert_eq!(registry.names().filter(takes).collect::<Vec<_>>(), ["openai"]);
    }

    #[test]
    fn a_prefix_tells_the_provider_where_that_is_usable() {
        let check = |model, usable: &str, expected| {
            let detected = Registry::standard().detect_from_prefix(model, |provider| provider.name() == usable);
            assert_eq!(name(detected).as_deref(), expected, "{model} {usable}");
        };
        check("openai/gpt-4o", "openai", Some("openai"));
        check("openai/gpt-4o", "anthropic", None);
        check("anthropic/claude-sonnet-4-5", "anthropic", Some("anthropic"));
        check("groq/compound", "groq", None);
        check("openrouter/auto", "openrouter", None);
        check("gpt-4o", "openai", None);
    }

    #[test]
    fn a_later_provider_of_the_same_name_replaces_the_earlier() {
        let mut registry = Registry::standard();
        registry.register(Arc::new(OpenAiCompatible::new().with_name("openai").with_base_url("http://localhost/v1")));
        assert_eq!(registry.names().count(), Registry::standard().names().count());
        assert_eq!(registry.by_name("openai").unwrap().base_url(), "http://localhost/v1");
    }
}
