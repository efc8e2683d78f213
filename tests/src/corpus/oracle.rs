//! The tokens of a usage as it was noted, by each provider's arithmetic.
//!
//! Written down provider by provider, where the code that is checked goes by the names of the fields and by what adds up.

use serde_json::Value;

/// Input, cached, written to a cache, output, reasoning, total.
pub(super) type Tokens = [u64; 6];

/// What a noted usage means; `None` where it counts no tokens.
pub(super) fn tokens(provider: &str, usage: &Value) -> Option<Tokens> {
    let has = |name: &str| usage.get(name).is_some_and(|value| !value.is_null());
    if ["promptTokenCount", "candidatesTokenCount", "totalTokenCount"].into_iter().any(has) {
        return Some(google(usage));
    }
    if has("total_input_tokens") {
        return Some(interaction(usage));
    }
    if has("tokens") || has("billed_units") {
        return cohere(usage);
    }
    if has("inputTokens") || has("outputTokens") || has("inputTokenCount") && !has("input_tokens") {
        return Some(amazon(usage));
    }
    if has("prompt_eval_count") || has("eval_count") {
        let (input, output) = (at(usage, "/prompt_eval_count"), at(usage, "/eval_count"));
        return Some([input, 0, 0, output, 0, input + output]);
    }
    if has("generation_token_count") {
        let (input, output) = (at(usage, "/prompt_token_count"), at(usage, "/generation_token_count"));
        return Some([input, 0, 0, output, 0, input + output]);
    }
    if has("inputTextTokenCount") {
        return Some([at(usage, "/inputTextTokenCount"), 0, 0, 0, 0, at(usage, "/inputTextTokenCount")]);
    }
    if has("prompt_tokens") || has("completion_tokens") || has("total_tokens") && !has("input_tokens") {
        return Some(chat(provider, usage));
    }
    if has("input_tokens") || has("output_tokens") {
        let is_anthropics = has("cache_read_input_tokens") || has("cache_creation_input_tokens");
        return Some(if is_anthropics { anthropic(usage) } else { responses(usage) });
    }
    None
}

/// A number, zero where there is none.
fn at(usage: &Value, pointer: &str) -> u64 {
    usage.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

fn first(usage: &Value, pointers: &[&str]) -> u64 {
    pointers.iter().map(|pointer| at(usage, pointer)).find(|count| *count > 0).unwrap_or(0)
}

fn stated_or(usage: &Value, pointer: &str, sum: u64) -> u64 {
    usage.pointer(pointer).and_then(Value::as_u64).unwrap_or(sum)
}

/// What was not noted of a usage: Titan's answers state what they produced elsewhere.
pub(super) fn is_input_alone(usage: &Value) -> bool {
    usage.get("inputTextTokenCount").is_some()
}

/// Thoughts and what tools read stand beside the rest.
fn interaction(usage: &Value) -> Tokens {
    let thoughts = at(usage, "/total_thought_tokens");
    let input = at(usage, "/total_input_tokens") + at(usage, "/total_tool_use_tokens");
    let output = at(usage, "/total_output_tokens") + thoughts;
    [input, at(usage, "/total_cached_tokens"), 0, output, thoughts, at(usage, "/total_tokens")]
}

/// Thoughts and what tools read stand beside the rest. Where only tokens were counted or embedded, all of them were read.
fn google(usage: &Value) -> Tokens {
    let thoughts = at(usage, "/thoughtsTokenCount");
    let output = at(usage, "/candidatesTokenCount") + thoughts;
    let read = stated_or(usage, "/promptTokenCount", at(usage, "/totalTokenCount").saturating_sub(output));
    let input = read + at(usage, "/toolUsePromptTokenCount");
    let total = stated_or(usage, "/totalTokenCount", input + output);
    [input, at(usage, "/cachedContentTokenCount"), 0, output, thoughts, total]
}

/// What was read, or else what was charged.
fn cohere(usage: &Value) -> Option<Tokens> {
    let of = |name: &str| usage.get(name).filter(|part| part.get("input_tokens").is_some());
    let part = of("tokens").or_else(|| of("billed_units"))?;
    let whole = |pointer: &str| part.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0) as u64;
    let (input, output) = (whole("/input_tokens"), whole("/output_tokens"));
    Some([input, at(usage, "/cached_tokens"), 0, output, 0, input + output])
}

/// The cache stands beside the input.
fn amazon(usage: &Value) -> Tokens {
    let cached = first(usage, &["/cacheReadInputTokens", "/cacheReadInputTokenCount"]);
    let written = first(usage, &["/cacheWriteInputTokens", "/cacheWriteInputTokenCount"]);
    let input = first(usage, &["/inputTokens", "/inputTokenCount"]) + cached + written;
    let output = first(usage, &["/outputTokens", "/outputTokenCount"]);
    [input, cached, written, output, 0, stated_or(usage, "/totalTokens", input + output)]
}

/// The cache stands beside the input, thinking in the output.
fn anthropic(usage: &Value) -> Tokens {
    let (cached, written) = (at(usage, "/cache_read_input_tokens"), at(usage, "/cache_creation_input_tokens"));
    let input = at(usage, "/input_tokens") + cached + written;
    let output = at(usage, "/output_tokens");
    [input, cached, written, output, at(usage, "/output_tokens_details/thinking_tokens"), input + output]
}

/// Everything stands inside input and output.
fn responses(usage: &Value) -> Tokens {
    let (input, output) = (at(usage, "/input_tokens"), at(usage, "/output_tokens"));
    let details = ["/input_tokens_details/cached_tokens", "/input_token_details/cached_tokens"];
    let written = at(usage, "/input_tokens_details/cache_write_tokens");
    let reasoning =
        first(usage, &["/output_tokens_details/reasoning_tokens", "/output_tokens_details/thinking_tokens"]);
    [input, first(usage, &details), written, output, reasoning, stated_or(usage, "/total_tokens", input + output)]
}

/// Everything stands inside prompt and completion, but xAI's reasoning. Where there is only a total, all of it was read.
fn chat(provider: &str, usage: &Value) -> Tokens {
    let reasoning = first(usage, &["/completion_tokens_details/reasoning_tokens", "/reasoning_tokens"]);
    let mut output = at(usage, "/completion_tokens");
    let input = stated_or(usage, "/prompt_tokens", at(usage, "/total_tokens").saturating_sub(output));
    if provider == "xai" {
        output += reasoning;
    }
    let cached = first(
        usage,
        &[
            "/prompt_tokens_details/cached_tokens",
            "/prompt_token_details/cached_tokens",
            "/cache_read_input_tokens",
            "/prompt_cache_hit_tokens",
            "/cached_tokens",
        ],
    );
    let written = first(usage, &["/prompt_tokens_details/cache_write_tokens", "/cache_creation_input_tokens"]);
    [input, cached, written, output, reasoning, stated_or(usage, "/total_tokens", input + output)]
}
