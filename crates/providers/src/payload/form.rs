//! The forms that a chat request takes.

use super::dialect::ChatDialect;
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
    pub const ALL: [Self; 7] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::Anthropic,
        Self::Gemini,
        Self::Cohere,
        Self::Bedrock,
        Self::Ollama,
    ];

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
            Self::Gemini => gemini::payload(request),
            Self::Cohere => cohere::payload(request),
            Self::Bedrock => bedrock::payload(request),
            Self::Ollama => ollama::payload(request),
        }
    }
}
