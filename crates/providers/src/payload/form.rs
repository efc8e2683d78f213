//! The forms that a chat request takes.

use super::anthropic_hosted::{self, Host};
use super::chat_dialect::ChatDialect;
use super::{
    ChatPayload, ChatRequest, Message, PayloadError, Role, anthropic, bedrock, cohere, gemini, ollama, openai,
    responses,
};

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
        let mut payload = match self {
            Self::OpenAiChat => return openai::payload(request, dialect),
            Self::OpenAiResponses => responses::payload(request),
            Self::Anthropic => anthropic::payload(request),
            Self::AnthropicOnVertex => anthropic_hosted::payload(request, Host::Vertex),
            Self::AnthropicOnBedrock => anthropic_hosted::payload(request, Host::Bedrock),
            Self::Gemini => gemini::payload(request),
            Self::Cohere => cohere::payload(request),
            Self::Bedrock => bedrock::payload(request),
            Self::Ollama => ollama::payload(request),
        }?;
        // Only chat completions know who speaks; a tool's name is read elsewhere.
        let is_named = |message: &Message| message.role != Role::Tool && message.name.is_some();
        if request.messages.iter().any(is_named) {
            payload.left_out.push("messages.name");
        }
        Ok(payload)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Attachment, Part};
    use super::*;

    /// The part as it is sent; `None` where it is refused.
    fn sent(form: Form, file: &Attachment) -> Option<Value> {
        let request = ChatRequest::new("m", vec![Message::user(vec![Part::File(file.clone())])]);
        let body = form.payload(&request, &ChatDialect::COMPATIBLE).ok()?.body;
        let at = ["/messages/0/content/0", "/input/0/content/0", "/contents/0/parts/0"];
        at.iter().find_map(|at| body.pointer(at)).cloned()
    }

    #[test]
    fn the_name_of_who_speaks_is_not_lost_in_silence() {
        let named = Message { name: Some("ann".to_owned()), ..Message::user("Hi") };
        let request = ChatRequest { max_tokens: Some(9), ..ChatRequest::new("m", vec![named]) };
        for form in Form::ALL {
            let payload = form.payload(&request, &ChatDialect::COMPATIBLE).unwrap();
            let is_sent = payload.body.pointer("/messages/0/name") == Some(&json!("ann"));
            assert!(is_sent != payload.left_out.contains(&"messages.name"), "{form:?}");
        }
    }

    #[test]
    fn further_members_of_a_message_join_it_in_every_form() {
        let mut message = Message::user("Hi");
        message.extra.insert("mark".to_owned(), json!(0));
        let request = ChatRequest::new("m", vec![message]);
        for form in Form::ALL {
            let body = form.payload(&request, &ChatDialect::COMPATIBLE).unwrap().body;
            let at = ["/messages/0/mark", "/input/0/mark", "/contents/0/mark"];
            assert!(at.iter().any(|at| body.pointer(at) == Some(&json!(0))), "{form:?}: {body}");
        }
    }

    #[test]
    fn a_document_takes_every_form_that_has_documents() {
        let pdf = Attachment::from_base64("application/pdf", "AAAA").with_name("a_b.pdf");
        let source = json!({"type": "base64", "media_type": "application/pdf", "data": "AAAA"});
        let document = Some(json!({"type": "document", "source": source, "title": "a_b.pdf"}));
        let data = "data:application/pdf;base64,AAAA";
        let expected = [
            Some(json!({"type": "file", "file": {"filename": "a_b.pdf", "file_data": data}})),
            Some(json!({"type": "input_file", "filename": "a_b.pdf", "file_data": data})),
            document.clone(),
            document.clone(),
            document,
            Some(json!({"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}})),
            None,
            Some(json!({"document": {"format": "pdf", "name": "a-b-pdf", "source": {"bytes": "AAAA"}}})),
            None,
        ];
        for (form, expected) in Form::ALL.into_iter().zip(expected) {
            assert_eq!(sent(form, &pdf), expected, "{form:?}");
        }
    }

    #[test]
    fn sound_is_sent_to_those_who_hear() {
        let sound = Attachment::from_base64("audio/wav", "AAAA");
        let heard = Some(json!({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}));
        assert_eq!(sent(Form::OpenAiChat, &sound), heard);
        assert_eq!(sent(Form::Gemini, &sound), Some(json!({"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}})));
        for form in [Form::OpenAiResponses, Form::Anthropic, Form::Cohere, Form::Bedrock, Form::Ollama] {
            assert_eq!(sent(form, &sound), None, "{form:?}");
        }
    }

    #[test]
    fn a_document_at_an_address_is_fetched_by_those_who_do() {
        let there = Attachment::from_url("https://h/a.pdf");
        assert_eq!(sent(Form::OpenAiChat, &there), None);
        assert_eq!(sent(Form::Bedrock, &there), None);
        let file = Some(json!({"type": "input_file", "file_url": "https://h/a.pdf"}));
        assert_eq!(sent(Form::OpenAiResponses, &there), file);
        let source = json!({"type": "url", "url": "https://h/a.pdf"});
        assert_eq!(sent(Form::Anthropic, &there), Some(json!({"type": "document", "source": source})));
        let file = json!({"fileUri": "https://h/a.pdf", "mimeType": "application/pdf"});
        assert_eq!(sent(Form::Gemini, &there), Some(json!({"fileData": file})));
    }
}
