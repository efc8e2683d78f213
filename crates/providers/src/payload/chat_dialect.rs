//! What differs between the servers that speak OpenAI's chat completions.
//!
//! Each constant names the pages that it was read from. Where a page says nothing, requests that were recorded decided.

/// How one server departs from OpenAI's chat completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatDialect {
    /// The name of the bound on produced tokens.
    pub bound: Bound,
    /// Whether `stream_options.include_usage` asks for the usage of a stream. Where it does not, the usage comes unasked
    /// and the field may be refused.
    pub asks_stream_usage: bool,
    /// How the model is told to think.
    pub thinking: Thinking,
    /// The name of the seed.
    pub seed: &'static str,
    /// The word for a tool choice that must call some tool: `required`, and `any` at Mistral.
    pub must_call: &'static str,
    /// Whether `response_format` takes a JSON schema.
    pub json_schema: bool,
    /// The member of a message in which the model's thoughts are sent back; `None` where they are not wanted.
    pub thoughts: Option<&'static str>,
    /// Whether ids of tool calls must be nine letters and digits (Mistral).
    pub short_tool_ids: bool,
    /// Whether `usage: {"include": true}` asks for the cost (OpenRouter).
    pub asks_cost: bool,
    /// Whether reasoning models refuse a temperature, as OpenAI's do.
    pub fixed_temperature: bool,
    /// Whether `top_k` is taken.
    pub top_k: bool,
    /// Whether `frequency_penalty` and `presence_penalty` are taken.
    pub penalties: bool,
    /// Whether `n` may be more than one.
    pub several_answers: bool,
    /// Whether messages may have names.
    pub names: bool,
    /// Whether `user` is taken.
    pub user: bool,
    /// Whether the results of tools may hold images.
    pub images_of_tools: bool,
}

/// The name of the bound on produced tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
    /// The former, and the latter for OpenAI's reasoning models, which refuse the former.
    ByModel,
}

/// How the model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thinking {
    /// `reasoning_effort`, a word.
    Effort,
    /// `reasoning`, with a word or a number of tokens.
    Object,
    /// `thinking.type`, on or off, and `reasoning_effort` beside it.
    Switch,
}

impl ChatDialect {
    /// A server of which only the interface is known: all of them take `max_tokens`.
    pub const COMPATIBLE: Self = Self {
        bound: Bound::MaxTokens,
        asks_stream_usage: true,
        thinking: Thinking::Effort,
        seed: "seed",
        must_call: "required",
        json_schema: true,
        thoughts: None,
        short_tool_ids: false,
        asks_cost: false,
        fixed_temperature: false,
        top_k: true,
        penalties: true,
        several_answers: true,
        names: true,
        user: true,
        images_of_tools: true,
    };

    /// OpenAI, and Azure: <https://platform.openai.com/docs/api-reference/chat/create>.
    pub const OPENAI: Self = Self {
        bound: Bound::ByModel,
        fixed_temperature: true,
        top_k: false,
        images_of_tools: false,
        ..Self::COMPATIBLE
    };

    /// OpenRouter maps `max_tokens` to what each model wants: <https://openrouter.ai/docs/api-reference/overview>,
    /// <https://openrouter.ai/docs/use-cases/usage-accounting>, <https://openrouter.ai/docs/use-cases/reasoning-tokens>.
    pub const OPENROUTER: Self =
        Self { thinking: Thinking::Object, thoughts: Some("reasoning"), asks_cost: true, ..Self::COMPATIBLE };

    /// Mistral refuses fields that it does not know: <https://docs.mistral.ai/api/endpoint/chat>.
    pub const MISTRAL: Self = Self {
        asks_stream_usage: false,
        seed: "random_seed",
        must_call: "any",
        short_tool_ids: true,
        top_k: false,
        user: false,
        images_of_tools: false,
        ..Self::COMPATIBLE
    };

    /// Groq refuses names and several answers: <https://console.groq.com/docs/openai>.
    pub const GROQ: Self = Self {
        bound: Bound::MaxCompletionTokens,
        top_k: false,
        several_answers: false,
        names: false,
        images_of_tools: false,
        ..Self::COMPATIBLE
    };

    /// Cerebras refuses penalties: <https://inference-docs.cerebras.ai/resources/openai>.
    pub const CEREBRAS: Self =
        Self { bound: Bound::MaxCompletionTokens, top_k: false, penalties: false, ..Self::COMPATIBLE };

    /// DeepSeek: <https://api-docs.deepseek.com/api/create-chat-completion>.
    pub const DEEPSEEK: Self = Self {
        thinking: Thinking::Switch,
        json_schema: false,
        thoughts: Some("reasoning_content"),
        top_k: false,
        images_of_tools: false,
        ..Self::COMPATIBLE
    };

    /// Perplexity sends the usage with every chunk: <https://docs.perplexity.ai/api-reference/chat-completions-post>.
    pub const PERPLEXITY: Self = Self { asks_stream_usage: false, ..Self::COMPATIBLE };

    /// xAI: <https://docs.x.ai/docs/api-reference#chat-completions>.
    pub const XAI: Self = Self { bound: Bound::MaxCompletionTokens, top_k: false, ..Self::COMPATIBLE };

    /// The dialect of a provider by its name; that of an unknown server where nothing else is known.
    #[must_use]
    pub fn of(provider: &str) -> &'static Self {
        match provider {
            "openai" | "azure" | "github-models" => &Self::OPENAI,
            "openrouter" => &Self::OPENROUTER,
            "mistral" => &Self::MISTRAL,
            "groq" => &Self::GROQ,
            "cerebras" => &Self::CEREBRAS,
            "deepseek" => &Self::DEEPSEEK,
            "xai" => &Self::XAI,
            "perplexity" => &Self::PERPLEXITY,
            _ => &Self::COMPATIBLE,
        }
    }
}
