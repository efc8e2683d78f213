//! The schemas of the payloads that have one: what the interfaces ask for, and what the specified library sent.

use serde_json::{Value, json};

use super::Schema;
use crate::Task;

impl Schema {
    /// The fields of `task` in OpenAI's interface, which most providers share: what it requires, what it takes, and no
    /// defaults but its own. `None` where a task's payload has no schema.
    ///
    /// Source: <https://platform.openai.com/docs/api-reference>, the page of each endpoint.
    #[must_use]
    pub fn of(task: Task) -> Option<Self> {
        Some(match task {
            Task::Chat => Self::new("messages").with_required(["model"]).with_optional([
                "frequency_penalty",
                "logit_bias",
                "logprobs",
                "max_completion_tokens",
                "max_tokens",
                "metadata",
                "n",
                "parallel_tool_calls",
                "presence_penalty",
                "reasoning_effort",
                "response_format",
                "seed",
                "service_tier",
                "stop",
                "stream",
                "stream_options",
                "temperature",
                "tool_choice",
                "tools",
                "top_logprobs",
                "top_p",
                "user",
            ]),
            Task::Embeddings => {
                Self::new("input").with_required(["model"]).with_optional(["dimensions", "encoding_format", "user"])
            }
            Task::FineTuning => Self::new("training_file").with_required(["model"]).with_optional([
                "hyperparameters",
                "integrations",
                "metadata",
                "method",
                "seed",
                "suffix",
                "validation_file",
            ]),
            Task::Speech => Self::new("input").with_required(["model", "voice"]).with_optional([
                "instructions",
                "response_format",
                "speed",
                "stream_format",
            ]),
            Task::Transcription => Self::new("file").with_required(["model"]).with_optional([
                "chunking_strategy",
                "include",
                "language",
                "prompt",
                "response_format",
                "stream",
                "temperature",
                "timestamp_granularities",
            ]),
            Task::Translation => {
                Self::new("file").with_required(["model"]).with_optional(["prompt", "response_format", "temperature"])
            }
            Task::Images => Self::new("prompt").with_optional([
                "background",
                "model",
                "moderation",
                "n",
                "output_compression",
                "output_format",
                "partial_images",
                "quality",
                "response_format",
                "size",
                "stream",
                "style",
                "user",
            ]),
            Task::Moderation => Self::new("input").with_optional(["model"]),
            _ => return None,
        })
    }

    /// The fields and defaults that lionagi 0.4.0 sent for `task`, with its mistakes put right: a transcription has no
    /// voice and a translation no speed, a fine tuning's second file is `validation_file`, and no tool choice is sent where
    /// nothing was chosen. A
    /// field that it did not know is an error here, where it vanished there.
    #[must_use]
    pub fn specified(task: Task) -> Option<Self> {
        let with = |mut schema: Self, defaults: Value| {
            if let Value::Object(defaults) = defaults {
                for (field, value) in defaults {
                    schema = schema.with_default(field, value);
                }
            }
            schema.closed()
        };
        Some(match task {
            Task::Chat => with(
                Self::new("messages")
                    .with_required([
                        "model",
                        "frequency_penalty",
                        "n",
                        "presence_penalty",
                        "response_format",
                        "temperature",
                        "top_p",
                    ])
                    .with_optional([
                        "seed",
                        "stop",
                        "stream",
                        "tools",
                        "tool_choice",
                        "user",
                        "max_tokens",
                        "logprobs",
                        "top_logprobs",
                    ]),
                json!({"model": "gpt-4o-2024-08-06", "frequency_penalty": 0, "n": 1, "presence_penalty": 0,
                    "response_format": {"type": "text"}, "temperature": 0.1, "top_p": 1}),
            ),
            Task::FineTuning => with(
                Self::new("training_file").with_required(["model"]).with_optional([
                    "hyperparameters",
                    "suffix",
                    "validation_file",
                ]),
                json!({"model": "gpt-3.5-turbo", "hyperparameters":
                    {"batch_size": "auto", "learning_rate_multiplier": "auto", "n_epochs": "auto"}}),
            ),
            Task::Embeddings => with(
                Self::new("input").with_required(["model", "encoding_format"]).with_optional(["user", "dimensions"]),
                json!({"model": "text-embedding-ada-002", "encoding_format": "float"}),
            ),
            Task::Speech => with(
                Self::new("input").with_required(["model", "voice"]).with_optional(["response_format", "speed"]),
                json!({"model": "tts-1", "voice": "alloy", "response_format": "mp3", "speed": 1}),
            ),
            Task::Transcription => with(
                Self::new("file").with_required(["model"]).with_optional([
                    "response_format",
                    "language",
                    "prompt",
                    "temperature",
                ]),
                json!({"model": "whisper-1", "response_format": "json", "temperature": 0}),
            ),
            Task::Translation => with(
                Self::new("file").with_required(["model"]).with_optional(["response_format", "prompt", "temperature"]),
                json!({"model": "whisper-1", "response_format": "json", "temperature": 0}),
            ),
            _ => return None,
        })
    }
}
