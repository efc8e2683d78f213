//! The endpoints of each provider.
//!
//! Sources: the API reference of each (`platform.openai.com/docs/api-reference`, `platform.claude.com/docs/en/api`,
//! `openrouter.ai/docs/api-reference`, `learn.microsoft.com/azure/ai-foundry/openai/latest`, `ai.google.dev/api`,
//! `console.groq.com/docs/api-reference`, `docs.mistral.ai/api`, `docs.cohere.com/reference`,
//! `docs.together.ai/reference`, `docs.fireworks.ai/api-reference`, `docs.aws.amazon.com/bedrock/latest/APIReference`,
//! `github.com/ollama/ollama/blob/main/docs/api.md`, `docs.vllm.ai/en/latest/serving/openai_compatible_server.html`,
//! and the pages named at [`ChatDialect`](crate::payload::ChatDialect)).

use http::Method;

use super::{BodyKind, Endpoint, Task};
use crate::payload::Form;

/// An endpoint that can be written as a constant.
pub(super) struct Row(Task, &'static str, BodyKind);

impl Row {
    /// What is sent with nothing is asked for with GET.
    pub(super) fn endpoint(&self) -> Endpoint {
        let method = if self.2 == BodyKind::Empty { Method::GET } else { Method::POST };
        Endpoint { task: self.0, method, path: self.1, body: self.2 }
    }
}

const CHAT: Row = Row(Task::Chat, "/v1/chat/completions", BodyKind::Json);
const RESPONSES: Row = Row(Task::Responses, "/v1/responses", BodyKind::Json);
const COMPLETIONS: Row = Row(Task::Completions, "/v1/completions", BodyKind::Json);
const EMBEDDINGS: Row = Row(Task::Embeddings, "/v1/embeddings", BodyKind::Json);
const SPEECH: Row = Row(Task::Speech, "/v1/audio/speech", BodyKind::Json);
const TRANSCRIPTION: Row = Row(Task::Transcription, "/v1/audio/transcriptions", BodyKind::Multipart);
const TRANSLATION: Row = Row(Task::Translation, "/v1/audio/translations", BodyKind::Multipart);
const IMAGES: Row = Row(Task::Images, "/v1/images/generations", BodyKind::Json);
const MODERATION: Row = Row(Task::Moderation, "/v1/moderations", BodyKind::Json);
const FINE_TUNING: Row = Row(Task::FineTuning, "/v1/fine_tuning/jobs", BodyKind::Json);
const FILES: Row = Row(Task::Files, "/v1/files", BodyKind::Multipart);
const BATCHES: Row = Row(Task::Batches, "/v1/batches", BodyKind::Json);
const RERANK: Row = Row(Task::Rerank, "/v1/rerank", BodyKind::Json);
const MODELS: Row = Row(Task::Models, "/v1/models", BodyKind::Empty);

/// The rows of a provider.
pub(super) const fn of(provider: &str) -> &'static [Row] {
    const OPENAI: &[Row] = &[
        CHAT,
        RESPONSES,
        COMPLETIONS,
        EMBEDDINGS,
        SPEECH,
        TRANSCRIPTION,
        TRANSLATION,
        IMAGES,
        MODERATION,
        FINE_TUNING,
        FILES,
        BATCHES,
        MODELS,
    ];
    const ANTHROPIC: &[Row] = &[
        Row(Task::Chat, "/v1/messages", BodyKind::Json),
        Row(Task::CountTokens, "/v1/messages/count_tokens", BodyKind::Json),
        Row(Task::Batches, "/v1/messages/batches", BodyKind::Json),
        Row(Task::Files, "/v1/files", BodyKind::Multipart),
        MODELS,
    ];
    match provider.as_bytes() {
        b"openai" => OPENAI,
        b"azure" => &[
            CHAT,
            RESPONSES,
            EMBEDDINGS,
            SPEECH,
            TRANSCRIPTION,
            TRANSLATION,
            IMAGES,
            FINE_TUNING,
            FILES,
            BATCHES,
            MODELS,
        ],
        b"github-models" => &[
            Row(Task::Chat, "/chat/completions", BodyKind::Json),
            Row(Task::Embeddings, "/embeddings", BodyKind::Json),
        ],
        b"anthropic" => ANTHROPIC,
        b"openrouter" => &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS, RERANK, MODELS],
        b"gemini" => &[CHAT, EMBEDDINGS, IMAGES, FILES, BATCHES, MODELS],
        b"vertex" => &[CHAT],
        b"groq" => &[CHAT, RESPONSES, SPEECH, TRANSCRIPTION, TRANSLATION, FILES, BATCHES, MODELS],
        b"mistral" => &[
            CHAT,
            Row(Task::Completions, "/v1/fim/completions", BodyKind::Json),
            EMBEDDINGS,
            TRANSCRIPTION,
            MODERATION,
            FINE_TUNING,
            FILES,
            Row(Task::Batches, "/v1/batch/jobs", BodyKind::Json),
            MODELS,
        ],
        b"cohere" => &[CHAT, EMBEDDINGS],
        b"together" => &[
            CHAT,
            COMPLETIONS,
            EMBEDDINGS,
            SPEECH,
            TRANSCRIPTION,
            TRANSLATION,
            IMAGES,
            RERANK,
            Row(Task::FineTuning, "/v1/fine-tunes", BodyKind::Json),
            FILES,
            BATCHES,
            MODELS,
        ],
        b"fireworks" => &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS, RERANK, MODELS],
        b"cerebras" => &[CHAT, COMPLETIONS, MODELS],
        b"deepseek" => &[CHAT, MODELS],
        b"xai" => &[CHAT, RESPONSES, COMPLETIONS, IMAGES, MODELS],
        b"perplexity" => &[Row(Task::Chat, "/chat/completions", BodyKind::Json)],
        b"sambanova" => &[CHAT, EMBEDDINGS, TRANSCRIPTION, TRANSLATION, MODELS],
        b"bedrock" => &[CHAT],
        b"huggingface" => &[CHAT, RESPONSES, MODELS],
        b"ollama" => &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS, MODELS],
        b"vllm" => &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS, TRANSCRIPTION, TRANSLATION, RERANK, MODELS],
        _ => &[CHAT, RESPONSES, COMPLETIONS, EMBEDDINGS, SPEECH, TRANSCRIPTION, IMAGES, MODELS],
    }
}

/// The rows of a form that is not spoken at its provider's base address.
pub(super) const fn of_form(form: Form) -> &'static [Row] {
    const GEMINI: &[Row] = &[
        Row(Task::Chat, "/models/{model}:generateContent", BodyKind::Json),
        Row(Task::Embeddings, "/models/{model}:embedContent", BodyKind::Json),
        Row(Task::CountTokens, "/models/{model}:countTokens", BodyKind::Json),
        Row(Task::Batches, "/models/{model}:batchGenerateContent", BodyKind::Json),
        Row(Task::Models, "/models", BodyKind::Empty),
    ];
    const COHERE: &[Row] = &[
        Row(Task::Chat, "/v2/chat", BodyKind::Json),
        Row(Task::Embeddings, "/v2/embed", BodyKind::Json),
        Row(Task::Rerank, "/v2/rerank", BodyKind::Json),
        Row(Task::FineTuning, "/v1/finetuning/finetuned-models", BodyKind::Json),
        MODELS,
    ];
    const BEDROCK: &[Row] = &[
        Row(Task::Chat, "/model/{model}/converse", BodyKind::Json),
        Row(Task::Completions, "/model/{model}/invoke", BodyKind::Json),
        Row(Task::CountTokens, "/model/{model}/count-tokens", BodyKind::Json),
    ];
    const OLLAMA: &[Row] = &[
        Row(Task::Chat, "/api/chat", BodyKind::Json),
        Row(Task::Completions, "/api/generate", BodyKind::Json),
        Row(Task::Embeddings, "/api/embed", BodyKind::Json),
        Row(Task::Models, "/api/tags", BodyKind::Empty),
    ];
    match form {
        Form::Gemini => GEMINI,
        Form::Cohere => COHERE,
        Form::Bedrock => BEDROCK,
        Form::Ollama => OLLAMA,
        Form::AnthropicOnVertex => &[Row(Task::Chat, "/models/{model}:rawPredict", BodyKind::Json)],
        Form::AnthropicOnBedrock => &[Row(Task::Chat, "/model/{model}/invoke", BodyKind::Json)],
        Form::OpenAiChat | Form::OpenAiResponses | Form::Anthropic => &[],
    }
}
