//! What OpenAI's models put around messages: the tokens that are in no text.
//!
//! The base is the rule of OpenAI's cookbook (`How_to_count_tokens_with_tiktoken`), which is the chat format
//! `<|start|>role<|message|>content<|end|>` with `<|start|>assistant<|message|>` in front of the answer. Models that
//! reason in channels follow the harmony format (<https://cookbook.openai.com/articles/openai-harmony>): the answer
//! opens with `<|start|>assistant` alone, and an earlier answer carries `<|channel|>final`. What surrounds tools, calls
//! and schemas is not published; those numbers were fitted to what was billed for recorded requests.

use crate::model::{base_name, encoding_of, is_later};

/// The tokens around the parts of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Framing {
    /// Around each message.
    pub(super) message: u64,
    /// In front of the answer.
    pub(super) answer: u64,
    /// Around an earlier answer of the model's, on top of `message`.
    pub(super) channel: u64,
    /// Whether a name replaces the role instead of costing a token more.
    pub(super) name_replaces_role: bool,
    /// Around the functions of a chat completion, when they stand in a system message of their own.
    pub(super) chat_tools: u64,
    /// Whether functions are written as TypeScript, or else as the JSON of the request.
    pub(super) typescript: bool,
    /// Around the functions of a response.
    pub(super) response_tools: u64,
    /// Around the schema that a chat completion must follow, when it stands in a system message of its own.
    pub(super) chat_schema: u64,
    /// Around the name and arguments of a call.
    pub(super) call: u64,
    /// Whether the model is told which function it must call.
    pub(super) told_choice: bool,
    /// Whether tools and schema of a chat completion stand in its system message, where it has one.
    pub(super) joins_system: bool,
}

impl Framing {
    const CHAT: Self = Self {
        message: 3,
        answer: 3,
        channel: 0,
        name_replaces_role: false,
        chat_tools: 9,
        typescript: true,
        response_tools: 3,
        chat_schema: 14,
        call: 3,
        told_choice: true,
        joins_system: true,
    };
    const REASONING: Self =
        Self { answer: 2, response_tools: 6, chat_schema: 11, told_choice: false, joins_system: false, ..Self::CHAT };
    const CHANNELS: Self = Self { channel: 2, call: 9, ..Self::REASONING };
    const GPT_5: Self = Self { chat_tools: 90, response_tools: 9, ..Self::CHANNELS };

    /// Models of other makers: the templates that are published (Llama, Qwen, Mistral, GLM) write each tool as the
    /// JSON of the request, under a prompt that explains how to call them.
    const OTHERS: Self = Self { chat_tools: 100, typescript: false, ..Self::CHAT };

    /// The framing of `model`; OpenAI's common one where the name is not given.
    pub(super) fn of(model: &str) -> Self {
        let model = base_name(model);
        let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| model.starts_with(prefix));
        if model == "gpt-3.5-turbo-0301" {
            Self { message: 4, name_replaces_role: true, ..Self::CHAT }
        } else if begins(&["gpt-5-chat"]) {
            Self::CHAT
        } else if begins(&["o1", "o3-mini"]) {
            Self::REASONING
        } else if begins(&["gpt-5", "codex-", "gpt-oss"]) || is_later(&model, "gpt-", 6) {
            Self::GPT_5
        } else if begins(&["o3", "o4"]) || is_later(&model, "o", 5) {
            Self::CHANNELS
        } else if model.is_empty() || encoding_of(&model).is_some() {
            Self::CHAT
        } else {
            Self::OTHERS
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_not_out_yet_is_framed_as_the_latest_of_its_series() {
        assert_eq!(Framing::of("gpt-6-mini"), Framing::of("gpt-5-mini"));
        assert_eq!(Framing::of("ft:gpt-6.2:org::id"), Framing::of("gpt-5"));
        assert_eq!(Framing::of("o5-pro"), Framing::of("o4-mini"));
        assert_eq!(Framing::of("gpt-35-turbo"), Framing::CHAT);
        assert_eq!(Framing::of("gpt-neox-20b"), Framing::OTHERS);
    }
}
