//! The data file, names, and prices.

use proptest::prelude::*;

use super::*;
use tokenizer::Encoding;

fn name(provider: &str, model: &str) -> Option<&'static str> {
    ModelTable::standard().find(provider, model).map(|facts| facts.name.as_str())
}

fn usage(input: u64, output: u64) -> Usage {
    let mut usage = Usage::default();
    (usage.input, usage.output, usage.total) = (input, output, input + output);
    usage
}

#[test]
fn the_file_is_whole_dated_and_sourced() {
    let text = include_str!("../../data/models.json");
    let mut table = ModelTable::empty();
    let count = table.extend_from_json(text).unwrap();
    // No two entries stand for the same model.
    assert_eq!(count, table.iter().count());
    assert!(count > 150);
    let date = table.date().unwrap();
    assert!(date.parse::<jiff::civil::Date>().is_ok(), "{date}");
    assert!(table.sources().all(|source| source.starts_with("https://")) && table.sources().count() > 5);
}

#[test]
fn the_facts_make_sense() {
    for facts in ModelTable::standard().iter() {
        let name = &facts.name;
        let price = facts.price.unwrap();
        assert!(price.cached_input.is_none_or(|cached| cached <= price.input), "{name}");
        assert!(price.cache_write.is_none_or(|written| written >= price.input), "{name}");
        if let Some(batch) = facts.batch {
            assert!(batch.input < price.input && batch.output <= price.output, "{name}");
        }
        if let Some(long) = facts.long {
            assert!(long.price.input > price.input && long.above > 0, "{name}");
            assert!(facts.context.is_none_or(|context| context > long.above), "{name}");
        }
        if let (Some(context), Some(output)) = (facts.context, facts.max_output) {
            assert!(output <= context, "{name}");
        }
        assert_eq!(facts.encoding.is_some(), facts.encoding().is_some(), "{name}");
        if let Some(encoding) = facts.encoding() {
            assert_eq!(Encoding::for_model(name), Some(encoding), "{name}");
        }
    }
}

#[test]
fn a_model_is_found_under_every_name_in_use() {
    let check = |provider: &str, model: &str, expected: &str| {
        assert_eq!(name(provider, model), Some(expected), "{provider} {model}");
    };
    check("openai", "gpt-4o", "gpt-4o");
    check("OpenAI", " GPT-4o ", "gpt-4o");
    check("openai", "gpt-4o-2024-08-06", "gpt-4o");
    check("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13");
    check("openai", "gpt-4-0613", "gpt-4");
    check("openai", "gpt-4-turbo-2024-04-09", "gpt-4-turbo");
    check("openai", "o3-mini-2025-01-31", "o3-mini");
    check("openai", "ft:gpt-4o-mini-2024-07-18:org:name:id", "ft:gpt-4o-mini");
    check("openai", "ft:gpt-4.1-2025-04-14:org::id", "gpt-4.1");
    check("openrouter", "openai/gpt-4o", "gpt-4o");
    check("openrouter", "anthropic/claude-3.5-sonnet", "claude-3-5-sonnet");
    check("openrouter", "anthropic/claude-sonnet-4.5", "claude-sonnet-4-5");
    check("openrouter", "anthropic/claude-4.5-sonnet", "claude-sonnet-4-5");
    check("openrouter", "x-ai/grok-4:online", "grok-4");
    check("azure", "gpt-35-turbo", "gpt-3.5-turbo");
    check("anthropic", "claude-3-5-haiku-20241022", "claude-3-5-haiku");
    check("anthropic", "claude-3-5-haiku-latest", "claude-3-5-haiku");
    check("anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4");
    check("anthropic", "claude-opus-4-0", "claude-opus-4");
    check("anthropic", "claude-opus-4-5-20251101", "claude-opus-4-5");
    check("anthropic", "claude-2.1", "claude-2.1");
    check("bedrock", "anthropic.claude-v2:1", "claude-v2:1");
    check("bedrock", "anthropic.claude-v2", "claude-v2");
    check("vertex", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5");
    check("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5");
    check("bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku");
    check("gemini", "models/gemini-2.5-flash", "gemini-2.5-flash");
    check("gemini", "gemini-2.0-flash-001", "gemini-2.0-flash");
    check("vertex", "publishers/google/models/gemini-2.5-pro", "gemini-2.5-pro");
    check("gemini", "gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash");
    check("gemini", "models/gemini-2.5-pro-preview-06-05", "gemini-2.5-pro");
    check("openai", "text-embedding-ada-002-v2", "text-embedding-ada-002");
    check("openai", "gpt-4-0125-preview", "gpt-4-0125-preview");
    check("openai", "gpt-5-chat-latest", "gpt-5-chat");
    check("bedrock", "us.amazon.nova-lite-v1:0", "nova-lite");
    check("bedrock", "openai.gpt-oss-120b-1:0", "gpt-oss-120b");
    check("groq", "openai/gpt-oss-120b", "openai/gpt-oss-120b");
    check("cerebras", "gpt-oss-120b", "gpt-oss-120b");
    check("mistral", "mistral-small-latest", "mistral-small-latest");
    check("mistral", "mistral-large-2411", "mistral-large");
    check("cohere", "command-r-08-2024", "command-r");
    check("xai", "grok-4-0709", "grok-4");
}

#[test]
fn a_model_that_is_not_known_is_nothing_and_no_error() {
    for model in
        ["", " ", "/", ":::", "ft:", "ft:::", "llama3:8b", "my-model-2024-08-06", "gpt-99", "--", "é-2024", "@"]
    {
        assert_eq!(name("openai", model), None, "{model:?}");
        assert_eq!(ModelTable::standard().cost("openai", model, &usage(1, 1), Billing::Standard), None);
    }
}

#[test]
fn a_name_that_moves_from_model_to_model_says_nothing_about_a_dated_one() {
    assert_eq!(name("mistral", "mistral-small-2409"), None);
}

#[test]
fn another_size_of_a_model_is_another_model() {
    assert_eq!(name("openai", "gpt-4o-nano"), None);
    assert_eq!(name("gemini", "gemini-2.5-flash-image"), None);
}

#[test]
fn a_host_with_a_price_of_its_own_has_it() {
    let mut table = ModelTable::standard().clone();
    let json =
        r#"{"models": [{"provider": "openrouter", "name": "openai/gpt-4o", "price": {"input": 1, "output": 2}}]}"#;
    assert_eq!(table.extend_from_json(json).unwrap(), 1);
    let cost = |provider| table.cost(provider, "openai/gpt-4o", &usage(1_000_000, 0), Billing::Standard);
    assert_eq!((cost("openrouter"), cost("azure")), (Some(1.0), Some(2.5)));
}

#[test]
fn a_usage_costs_what_its_parts_cost() {
    let table = ModelTable::standard();
    let check = |model: &str, usage: &Usage, billing, dollars: f64| {
        let cost = table.cost("", model, usage, billing).unwrap();
        assert!((cost - dollars).abs() < 1e-9, "{model}: {cost}, not {dollars}");
    };
    // 0.1 M at 2.50 and 0.05 M at 10.
    check("gpt-4o", &usage(100_000, 50_000), Billing::Standard, 0.75);
    check("gpt-4o", &usage(100_000, 50_000), Billing::Batch, 0.375);
    let mut cached = usage(100_000, 0);
    cached.cached_input = 80_000;
    check("gpt-4o", &cached, Billing::Standard, 0.02 * 2.5 + 0.08 * 1.25);
    // No price for cached input in batches: it is input.
    check("gpt-4o", &cached, Billing::Batch, 0.125);
    let mut written = usage(100_000, 10_000);
    (written.cached_input, written.cache_written) = (60_000, 30_000);
    check("claude-haiku-4-5", &written, Billing::Standard, 0.01 + 0.06 * 0.1 + 0.03 * 1.25 + 0.01 * 5.0);
    check("text-embedding-3-small", &usage(1_000_000, 0), Billing::Standard, 0.02);
    // Past 200,000 tokens the whole request costs more.
    check("gemini-2.5-pro", &usage(200_000, 0), Billing::Standard, 0.25);
    check("gemini-2.5-pro", &usage(200_001, 0), Billing::Standard, 0.200_001 * 2.5);
}

#[test]
fn what_the_provider_says_it_cost_is_what_it_cost() {
    let mut usage = usage(100, 100);
    usage.cost = Some(0.0);
    assert_eq!(ModelTable::standard().cost("openrouter", "openai/gpt-4o", &usage, Billing::Standard), Some(0.0));
}

#[test]
fn free_variants_cost_nothing_and_unlisted_tuned_models_an_unknown_sum() {
    let cost = |model| ModelTable::standard().cost("openrouter", model, &usage(1_000, 1_000), Billing::Standard);
    assert_eq!(cost("deepseek/deepseek-chat:free"), Some(0.0));
    assert_eq!(cost("ft:gpt-4.1-2025-04-14:org::id"), None);
    assert!(cost("ft:gpt-4o-2024-08-06:org::id").is_some_and(|cost| cost > cost_of_gpt_4o()));
}

fn cost_of_gpt_4o() -> f64 {
    ModelTable::standard().cost("openai", "gpt-4o", &usage(1_000, 1_000), Billing::Standard).unwrap()
}

#[test]
fn facts_that_make_no_sense_are_refused_and_change_nothing() {
    let mut table = ModelTable::empty();
    for json in [
        "",
        "{}",
        r#"{"models": [{"provider": "p"}]}"#,
        r#"{"models": [{"provider": "p", "name": "ok"}, {"provider": "p", "name": " "}]}"#,
        r#"{"models": [{"provider": "p", "name": "m", "price": {"input": -1}}]}"#,
        r#"{"models": [{"provider": "p", "name": "m", "prices": {"input": 1}}]}"#,
        r#"{"models": [{"provider": "p", "name": "m", "encoding": "morse"}]}"#,
    ] {
        assert!(table.extend_from_json(json).is_err(), "{json}");
        assert_eq!(table.iter().count(), 0, "{json}");
    }
    let mut facts = ModelFacts::new("p", "m");
    facts.price = Some(Price { input: f64::NAN, ..Price::default() });
    let error = table.insert(facts).unwrap_err().to_string();
    assert_eq!(error, "the model `m`: a price must be a number that is not negative");
}

#[test]
fn models_of_one_scope_share_it() {
    let scope = |model| ModelTable::standard().find("anthropic", model).unwrap().scope().to_owned();
    assert_eq!(scope("claude-opus-4-1-20250805"), scope("claude-opus-4-8"));
    assert_ne!(scope("claude-opus-4-8"), scope("claude-opus-5"));
    assert_ne!(scope("claude-opus-5"), scope("claude-sonnet-5"));
}

#[test]
fn a_scope_is_what_the_provider_groups_by() {
    let registry = crate::Registry::standard();
    for facts in ModelTable::standard().iter() {
        let provider = registry.by_name(&facts.provider).unwrap();
        assert_eq!(provider.model_group(&facts.name), provider.model_group(facts.scope()), "{}", facts.name);
    }
}

proptest! {
    #[test]
    fn no_name_makes_it_panic(provider in ".{0,12}", model in "([a-z0-9.:/@-]{0,30}|.{0,30})") {
        let _ = ModelTable::standard().find(&provider, &model);
    }

    #[test]
    fn no_usage_costs_less_than_nothing(input in any::<u64>(), cached in any::<u64>(), written in any::<u64>(), output in any::<u64>()) {
        let mut usage = Usage::default();
        (usage.input, usage.cached_input, usage.cache_written, usage.output) = (input, cached, written, output);
        let cost = ModelTable::standard().cost("anthropic", "claude-haiku-4-5", &usage, Billing::Standard).unwrap();
        prop_assert!(cost.is_finite() && cost >= 0.0);
    }
}
