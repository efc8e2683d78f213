//! The fields of a usage as they were sent, by the names that providers have for them.

use serde::Deserialize;
use serde_json::Value;

use super::Usage;
use super::member::{Json, Member};

/// The members of a whole answer that state usage. Everything else is read past, so that a large answer (thousands of
/// vectors) is not built in memory.
#[derive(Default, Deserialize)]
pub(super) struct Answer<'a> {
    #[serde(borrow)]
    usage: Option<Member<'a>>,
    /// Google's.
    #[serde(borrow, rename = "usageMetadata")]
    usage_metadata: Option<Member<'a>>,
    /// Cohere's first interface has it in here.
    #[serde(borrow)]
    meta: Option<Member<'a>>,
    /// Ollama's own interface.
    #[serde(borrow)]
    prompt_eval_count: Option<Member<'a>>,
    #[serde(borrow)]
    eval_count: Option<Member<'a>>,
    /// Models on Bedrock that have forms of their own: Titan, Llama.
    #[serde(borrow, rename = "inputTextTokenCount")]
    input_text_token_count: Option<Member<'a>>,
    #[serde(borrow)]
    results: Option<Member<'a>>,
    #[serde(borrow)]
    prompt_token_count: Option<Member<'a>>,
    #[serde(borrow)]
    generation_token_count: Option<Member<'a>>,
}

impl Answer<'_> {
    pub(super) fn parts(&self) -> Parts {
        let mut parts = Parts::default();
        [&self.meta, &self.usage_metadata, &self.usage]
            .into_iter()
            .flatten()
            .for_each(|member| parts.update(&Parts::read(member)));
        let of = |members: [&Option<Member<'_>>; 3]| members.into_iter().flatten().find_map(whole);
        parts.input =
            parts.input.or(of([&self.prompt_eval_count, &self.input_text_token_count, &self.prompt_token_count]));
        parts.output = parts.output.or(of([&self.eval_count, &self.generation_token_count, &None])).or_else(|| {
            self.input_text_token_count.as_ref()?;
            let produced = self.results.as_ref()?.items()?.iter();
            Some(produced.filter_map(|result| result.member("tokenCount").and_then(whole)).fold(0, u64::saturating_add))
        });
        parts
    }
}

/// The fields of a usage as they were sent. A stream sends some early and others late: the last of each counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    input: Option<u64>,
    cached: Option<u64>,
    cache_written: Option<u64>,
    /// Whether `input` leaves the cache fields out, as Anthropic's and Bedrock's do.
    cache_is_apart: bool,
    /// What Google's tools put into the prompt, beside `input`.
    from_tools: Option<u64>,
    output: Option<u64>,
    reasoning: Option<u64>,
    /// Whether `output` leaves reasoning out, as Google's does.
    reasoning_is_apart: bool,
    total: Option<u64>,
    cost: Option<f64>,
}

impl Parts {
    /// Reads one member: a `usage`, a `usageMetadata`, a `meta`.
    pub(crate) fn read(usage: &impl Json) -> Self {
        if !usage.has_members() {
            return Self::default();
        }
        let any = |paths: &[Path]| paths.iter().find_map(|path| find(usage, path).and_then(whole));
        let cached_apart =
            any(&[&["cache_read_input_tokens"], &["cacheReadInputTokens"], &["cacheReadInputTokenCount"]]);
        let written_apart =
            any(&[&["cache_creation_input_tokens"], &["cacheWriteInputTokens"], &["cacheWriteInputTokenCount"]]);
        let thoughts = any(&[&["thoughtsTokenCount"], &["total_thought_tokens"]]);
        Self {
            input: any(INPUT),
            cached: cached_apart.or_else(|| any(CACHED)),
            cache_written: written_apart.or_else(|| any(CACHE_WRITTEN)),
            cache_is_apart: any(&[&["prompt_tokens"]]).is_none() && (cached_apart.is_some() || written_apart.is_some()),
            from_tools: any(&[&["toolUsePromptTokenCount"], &["total_tool_use_tokens"]]),
            output: any(OUTPUT),
            reasoning: thoughts.or_else(|| any(REASONING)),
            reasoning_is_apart: thoughts.is_some(),
            total: any(&[&["total_tokens"], &["totalTokenCount"], &["totalTokens"]]),
            cost: cost(usage),
        }
    }

    /// Reads an answer or an event of a stream: what it states itself, and what the response, message, delta or extension
    /// in it states.
    pub(crate) fn of_answer(answer: &Value) -> Self {
        const PLACES: [Path; 11] = [
            &["x_groq", "usage"],
            &["meta"],
            &["response", "meta"],
            &["amazon-bedrock-invocationMetrics"],
            &["metadata", "usage"],
            &["message", "usage"],
            &["response", "usage"],
            &["delta", "usage"],
            &["usageMetadata"],
            &["response", "usageMetadata"],
            &["usage"],
        ];
        let mut parts = Self::default();
        PLACES.iter().filter_map(|place| find(answer, place)).for_each(|member| parts.update(&Self::read(member)));
        parts
    }

    /// Takes over every field that `later` states.
    pub(crate) fn update(&mut self, later: &Self) {
        self.input = later.input.or(self.input);
        self.cached = later.cached.or(self.cached);
        self.cache_written = later.cache_written.or(self.cache_written);
        self.cache_is_apart |= later.cache_is_apart;
        self.from_tools = later.from_tools.or(self.from_tools);
        self.output = later.output.or(self.output);
        self.reasoning = later.reasoning.or(self.reasoning);
        self.reasoning_is_apart |= later.reasoning_is_apart;
        self.total = later.total.or(self.total);
        self.cost = later.cost.or(self.cost);
    }

    pub(crate) fn finish(&self) -> Option<Usage> {
        if self.input.is_none() && self.output.is_none() && self.total.is_none() {
            return None;
        }
        let (cached_input, cache_written) = (self.cached.unwrap_or(0), self.cache_written.unwrap_or(0));
        let (reasoning, mut output) = (self.reasoning.unwrap_or(0), self.output.unwrap_or(0));
        let mut input = self.input.unwrap_or_else(|| self.total.unwrap_or(0).saturating_sub(output));
        if self.cache_is_apart {
            input = input.saturating_add(cached_input).saturating_add(cache_written);
        }
        input = input.saturating_add(self.from_tools.unwrap_or(0));
        // Where the total only adds up with it, reasoning stands beside the output.
        let adds_up = |output| self.total == Some(input.saturating_add(output));
        let is_apart = reasoning > 0 && !adds_up(output) && adds_up(output.saturating_add(reasoning));
        if self.reasoning_is_apart || is_apart {
            output = output.saturating_add(reasoning);
        }
        // A total below its parts leaves something out.
        let total = self.total.unwrap_or(0).max(input.saturating_add(output));
        Some(Usage { input, cached_input, cache_written, output, reasoning, total, cost: self.cost })
    }
}

const INPUT: &[Path] = &[
    &["prompt_tokens"],
    // Cohere counts apart what it charges for; what it read is in `tokens`.
    &["tokens", "input_tokens"],
    &["input_tokens"],
    &["promptTokenCount"],
    &["inputTokens"],
    &["inputTokenCount"],
    // Google's interactions.
    &["total_input_tokens"],
    &["billed_units", "input_tokens"],
];
const OUTPUT: &[Path] = &[
    &["completion_tokens"],
    &["tokens", "output_tokens"],
    &["output_tokens"],
    &["candidatesTokenCount"],
    &["outputTokens"],
    &["outputTokenCount"],
    &["total_output_tokens"],
    &["billed_units", "output_tokens"],
];
const CACHED: &[Path] = &[
    &["prompt_tokens_details", "cached_tokens"],
    &["input_tokens_details", "cached_tokens"],
    &["prompt_token_details", "cached_tokens"],
    &["input_token_details", "cached_tokens"],
    &["cachedContentTokenCount"],
    &["total_cached_tokens"],
    // DeepSeek; Cohere, Together.
    &["prompt_cache_hit_tokens"],
    &["cached_tokens"],
];
const CACHE_WRITTEN: &[Path] =
    &[&["prompt_tokens_details", "cache_write_tokens"], &["input_tokens_details", "cache_write_tokens"]];
const REASONING: &[Path] = &[
    &["completion_tokens_details", "reasoning_tokens"],
    &["output_tokens_details", "reasoning_tokens"],
    &["output_tokens_details", "thinking_tokens"],
    &["reasoning_tokens"],
];

/// Names, from the outside in.
type Path = &'static [&'static str];

/// What stands at a path of names. A JSON pointer says the same, and has to be cut and its escapes undone each time.
fn find<J: Json>(value: &J, path: Path) -> Option<&J> {
    path.iter().try_fold(value, |value, name| value.member(name))
}

/// US dollars: OpenRouter's `cost`, Perplexity's `cost.total_cost`, xAI's ticks of 10^-10.
fn cost(usage: &impl Json) -> Option<f64> {
    const TICKS: f64 = 1e10;
    const DOLLARS: [Path; 2] = [&["cost"], &["cost", "total_cost"]];
    let dollars = DOLLARS.iter().find_map(|path| find(usage, path).and_then(Json::number));
    dollars.or_else(|| usage.member("cost_in_usd_ticks").and_then(Json::number).map(|ticks| ticks / TICKS))
}

/// A count: a whole number, which some servers write with a fraction of zero.
fn whole(value: &impl Json) -> Option<u64> {
    value.count().or_else(|| {
        let number = value.number().filter(|number| number.fract() == 0.0 && (0.0..9e15).contains(number))?;
        // Whole, not negative, and below 2^53: exact.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(number as u64)
    })
}
