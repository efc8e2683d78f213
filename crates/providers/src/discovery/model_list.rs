//! The models of a provider, as facts to lay over those of this crate.
//!
//! Every provider lists its models in a form of its own, and most forms are OpenAI's with further fields: one reader takes
//! all of them. Sources: the pages on `models` of each provider's API reference.

use serde_json::Value;

use super::anthropic::versioned;
use super::{DiscoveryError, DiscoveryRequest, KeyKind, Page, amount, count, parse, text};
use crate::models::{ModelFacts, Price};
use crate::payload::Form;

/// Asks the provider of this name for its models; `None` where it has no list at its base address. `page` is [`Page::next`]
/// of the part before. [`native_model_list`] asks in other forms.
#[must_use]
pub fn model_list(provider: &str, page: Option<&str>) -> Option<DiscoveryRequest> {
    let list = |path: &str, size: Option<(&str, &str)>, cursor: &str| {
        let request = DiscoveryRequest::get(path, KeyKind::Ordinary);
        let request = size.into_iter().fold(request, |request, (name, value)| request.with_query(name, value));
        page.into_iter().fold(request, |request, page| request.with_query(cursor, page))
    };
    Some(match provider {
        "bedrock" | "perplexity" | "vertex" | "cohere" | "github-models" => return None,
        "anthropic" => versioned(list("/v1/models", Some(("limit", "1000")), "after_id")),
        "ollama" | "vllm" => DiscoveryRequest { key: KeyKind::None, ..list("/v1/models", None, "after") },
        "openrouter" => DiscoveryRequest { key: KeyKind::None, ..list("/v1/models", None, "page") },
        // Of its two lists the one that states prices.
        "xai" => list("/v1/language-models", None, "page"),
        _ => list("/v1/models", None, "after"),
    })
}

/// Asks for the models in a form that is not spoken at the provider's base address, where the list says more: Google's has
/// windows. To be joined with [`Form::base_url`]; `None` where there is no such list (Bedrock's is at another host, the
/// `GET /foundation-models` of `bedrock.REGION.amazonaws.com`, whose answer [`parse_model_list`] reads).
#[must_use]
pub fn native_model_list(form: Form, page: Option<&str>) -> Option<DiscoveryRequest> {
    let list = |path: &str, size: &str, cursor: &str, key| {
        let request = DiscoveryRequest::get(path, key).with_query(size, "1000");
        page.into_iter().fold(request, |request, page| request.with_query(cursor, page))
    };
    match form {
        Form::Gemini => Some(list("/models", "pageSize", "pageToken", KeyKind::Ordinary)),
        Form::Cohere => Some(list("/v1/models", "page_size", "page_token", KeyKind::Ordinary)),
        Form::Ollama => Some(DiscoveryRequest::get("/api/tags", KeyKind::None)),
        _ => None,
    }
}

/// Reads a list of models in the form of any provider. Models that are said to be out of use are left out.
///
/// # Errors
///
/// [`DiscoveryError`] where it is not JSON with a list of models.
pub fn parse_model_list(provider: &str, body: &[u8]) -> Result<Page<ModelFacts>, DiscoveryError> {
    let answer = parse(body)?;
    let list = [Some(&answer), answer.get("data"), answer.get("models"), answer.get("modelSummaries")]
        .into_iter()
        .flatten()
        .find_map(Value::as_array)
        .ok_or(DiscoveryError::Missing("data"))?;
    let more = answer.get("has_more").and_then(Value::as_bool).unwrap_or_default();
    let next = text(answer.get("last_id")).filter(|_| more);
    let next = next.or_else(|| ["nextPageToken", "next_page_token"].iter().find_map(|name| text(answer.get(name))));
    Ok(Page { items: list.iter().filter_map(|entry| facts(provider, entry)).collect(), next })
}

fn facts(provider: &str, entry: &Value) -> Option<ModelFacts> {
    let is_out_of_use = entry.get("active").and_then(Value::as_bool) == Some(false);
    let name = entry.as_str().map(str::to_owned).or_else(|| {
        // Gemini's name is a path, and Cohere has names alone.
        ["id", "name", "model", "modelId"].iter().find_map(|member| text(entry.get(member)))
    })?;
    if is_out_of_use || name.trim().is_empty() {
        return None;
    }
    let any = |pointers: &[&str]| {
        pointers.iter().find_map(|pointer| count(entry.pointer(pointer))).filter(|tokens| *tokens > 0)
    };
    let mut facts = ModelFacts::new(provider, name.trim_start_matches("models/"));
    facts.context = any(&[
        "/context_length",
        "/context_window",
        "/max_context_length",
        "/max_model_len",
        "/inputTokenLimit",
        "/max_input_tokens",
        "/top_provider/context_length",
    ]);
    facts.max_output = any(&[
        "/top_provider/max_completion_tokens",
        "/max_completion_tokens",
        "/max_output_tokens",
        "/outputTokenLimit",
        "/max_tokens",
    ]);
    facts.price = price(entry);
    Some(facts)
}

/// Prices in dollars per million tokens. OpenRouter states dollars per token, Together what is wanted, and xAI hundredths of
/// a cent per million (cents per hundred million). A price below zero means that it depends.
fn price(entry: &Value) -> Option<Price> {
    let at = |pointer: &str, factor: f64| {
        amount(entry.pointer(pointer))
            .map(|number| number * factor)
            .filter(|number| *number >= 0.0 && number.is_finite())
    };
    let read = |input: &str, cached: &str, written: &str, output: &str, factor: f64| {
        Some(Price {
            input: at(input, factor)?,
            cached_input: at(cached, factor),
            cache_write: at(written, factor),
            output: at(output, factor)?,
        })
    };
    read("/pricing/prompt", "/pricing/input_cache_read", "/pricing/input_cache_write", "/pricing/completion", 1e6)
        .or_else(|| read("/pricing/input", "/pricing/cached_input", "/pricing/cache_write", "/pricing/output", 1.0))
        .or_else(|| {
            let price = ["prompt_text_token_price", "cached_prompt_text_token_price", "completion_text_token_price"];
            let [input, cached, output] = price.map(|name| format!("/{name}"));
            read(&input, &cached, "/cache_write_token_price", &output, 1e-4)
        })
}
