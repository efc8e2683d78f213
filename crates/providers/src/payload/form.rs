//! The forms that a chat request takes.

use super::anthropic_hosted::{self, Host};
use super::chat_dialect::ChatDialect;
use super::{ChatPayload, ChatRequest, PayloadError, anthropic, bedrock, cohere, gemini, ollama, openai, responses};

/// The form in which a provider wants a chat request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// OpenAI's chat completions, which most servers speak, each in its [`ChatDialect`].
    OpenAiChat,
    /// OpenAI's responses.
    OpenAiResponses,
    /// Anthropic's messages.
    Anthropic,
    /// The same at Google's Vertex AI.
    AnthropicOnVertex,
    /// The same at Amazon Bedrock, by InvokeModel.
    AnthropicOnBedrock,
    /// Google's contents: the Gemini API and Vertex AI.
    Gemini,
    /// Cohere's chat, version 2.
    Cohere,
    /// Amazon Bedrock's Converse.
    Bedrock,
    /// Ollama's own chat.
    Ollama,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 9] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::Anthropic,
        Self::AnthropicOnVertex,
        Self::AnthropicOnBedrock,
        Self::Gemini,
        Self::Cohere,
        Self::Bedrock,
        Self::Ollama,
    ];

    /// Where this form is spoken, where that is not the base address of the provider (which speaks OpenAI's form there):
    /// the path of a payload is to be joined with it. `None` too where every region has an address of its own: Bedrock's
    /// is `https://bedrock-runtime.REGION.amazonaws.com`, Vertex's ends with `/publishers/google` or
    /// `/publishers/anthropic`.
    #[must_use]
    pub const fn base_url(self) -> Option<&'static str> {
        match self {
            Self::Gemini => Some("https://generativelanguage.googleapis.com/v1beta"),
            Self::Cohere => Some("https://api.cohere.com"),
            Self::Ollama => Some("http://127.0.0.1:11434"),
            Self::OpenAiChat
            | Self::OpenAiResponses
            | Self::Anthropic
            | Self::AnthropicOnVertex
            | Self::AnthropicOnBedrock
            | Self::Bedrock => None,
        }
    }

    /// The request in this form. `dialect` matters to [`Form::OpenAiChat`] alone.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or cannot be expressed.
    pub fn payload(self, request: &ChatRequest, dialect: &ChatDialect) -> Result<ChatPayload, PayloadError> {
        match self {
            Self::OpenAiChat => openai::payload(request, dialect),
            Self::OpenAiResponses => responses::payload(request),
            Self::Anthropic => anthropic::payload(request),
            Self::AnthropicOnVertex => anthropic_hosted::payload(request, Host::Vertex),
            Self::AnthropicOnBedrock => anthropic_hosted::payload(request, Host::Bedrock),
            Self::Gemini => gemini::payload(request),
            Self::Cohere => cohere::payload(request),
            Self::Bedrock => bedrock::payload(request),
            Self::Ollama => ollama::payload(request),
        }
    }
}
