//! The request that is converted, and what converting it gives.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Message, PayloadError, Reasoning, ResponseFormat, Tool, ToolChoice};

/// A chat request before it takes any provider's form. Fields left out are left to the provider's default; zero and
/// `false` are values and are sent.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The model, as the provider names it. Required.
    pub model: String,
    /// The conversation. At least one message is required.
    pub messages: Vec<Message>,
    /// The most tokens that may be produced, thinking included where the provider counts it so.
    pub max_tokens: Option<u64>,
    /// How freely tokens are chosen: 0 is the most predictable.
    pub temperature: Option<f64>,
    /// The share of the likeliest tokens to choose from, 0 to 1.
    pub top_p: Option<f64>,
    /// The number of the likeliest tokens to choose from.
    pub top_k: Option<u64>,
    /// Texts at which production stops.
    pub stop: Vec<String>,
    /// How much tokens that occur often are avoided.
    pub frequency_penalty: Option<f64>,
    /// How much tokens that occur at all are avoided.
    pub presence_penalty: Option<f64>,
    /// The same seed and request give much the same answer, where a provider has seeds.
    pub seed: Option<i64>,
    /// How many answers to produce.
    pub n: Option<u64>,
    /// The functions that the model may call.
    pub tools: Vec<Tool>,
    /// Which of them it calls.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several in one turn.
    pub parallel_tool_calls: Option<bool>,
    /// What shape the answer has.
    pub response_format: Option<ResponseFormat>,
    /// How much the model thinks.
    pub reasoning: Option<Reasoning>,
    /// The end user on whose behalf it is sent, in a form that does not identify a person.
    pub user: Option<String>,
    /// Whether the answer comes as a stream; left out it comes whole, with every provider. Where the provider must be
    /// asked for the usage of a stream, it is.
    pub stream: Option<bool>,
    /// Further fields in the provider's own form. They win over the fields above.
    pub extra: Map<String, Value>,
}

impl ChatRequest {
    /// A request with nothing but what is required.
    #[must_use]
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Self { model: model.into(), messages, ..Self::default() }
    }

    /// Refuses what no provider accepts.
    pub(crate) fn check(&self) -> Result<(), PayloadError> {
        if self.model.trim().is_empty() {
            return Err(PayloadError::missing("model"));
        }
        if self.messages.is_empty() {
            return Err(PayloadError::missing("messages"));
        }
        let numbers = [
            ("temperature", self.temperature),
            ("top_p", self.top_p),
            ("frequency_penalty", self.frequency_penalty),
            ("presence_penalty", self.presence_penalty),
        ];
        for (field, number) in numbers {
            if number.is_some_and(|number| !number.is_finite()) {
                return Err(PayloadError::unusable(field, "not a finite number"));
            }
        }
        self.tools.iter().try_for_each(Tool::check)?;
        let must_call = matches!(self.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
        if must_call && !self.offers_tools() {
            return Err(PayloadError::unusable("tool_choice", "there are no tools to call"));
        }
        if let Some(ResponseFormat::JsonSchema(schema)) = &self.response_format {
            schema.check()?;
        }
        Ok(())
    }

    /// Whether the answer comes as a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.stream == Some(true)
    }

    fn offers_tools(&self) -> bool {
        !self.tools.is_empty() || self.extra.contains_key("tools")
    }

    /// Which tools to call, where there are any: without them providers refuse the field.
    pub(crate) fn offered_choice(&self) -> Option<&ToolChoice> {
        self.tool_choice.as_ref().filter(|_| self.offers_tools())
    }

    /// Whether several may be called, where there are tools.
    pub(crate) fn offered_parallel(&self) -> Option<bool> {
        self.parallel_tool_calls.filter(|_| self.offers_tools())
    }

    /// The texts of all instructions, wherever they stand, without empty ones.
    pub(crate) fn system_texts(&self) -> Vec<String> {
        let texts = self.messages.iter().filter(|message| message.role.is_system());
        texts.map(|message| message.content.text()).filter(|text| !text.is_empty()).collect()
    }

    /// How the model is to think, where anything is said about it.
    pub(crate) fn asked_reasoning(&self) -> Option<Reasoning> {
        self.reasoning.filter(|reasoning| !reasoning.is_unset())
    }
}

/// A body and the path it is for.
#[derive(Clone, Debug, PartialEq)]
pub struct ChatPayload {
    /// The path, as a batch file states it: `/v1/chat/completions`. Where the provider's base address has no version of
    /// its own, or the model is part of the path, it says so.
    pub endpoint: Cow<'static, str>,
    /// The body.
    pub body: Value,
    /// The fields of the request that this provider has no place for and that only shade the answer (seeds, penalties).
    /// What would change the answer is an error instead, so nothing is lost in silence.
    pub left_out: Vec<&'static str>,
}
