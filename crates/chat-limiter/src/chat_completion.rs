//! Chat answers in one form, whatever the provider's is.

mod read;

use providers::payload::{ChatRequest, Form, Message};
use providers::{Provider, Usage};
use serde_json::Value;

use crate::error::{Error, Kind, Response};
use crate::exchange::Trace;
use crate::{Answer, ChatLimiter, Request};

/// A chat answer, read.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChatCompletionResponse {
    /// The provider's identifier of the answer, where it gave one.
    pub id: Option<String>,
    /// The model that answered, where it is named.
    pub model: Option<String>,
    /// What was produced: one text, or as many as were asked for.
    pub choices: Vec<Choice>,
    /// The tokens it took, where the answer says so.
    pub usage: Option<Usage>,
    /// The answer as it came: tool calls and whatever else the provider says.
    pub answer: Answer,
}

/// One of the texts that were produced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// Its place, from 0.
    pub index: usize,
    /// The text; empty where a tool was called instead.
    pub content: String,
    /// Why it ends, in the provider's word.
    pub finish_reason: Option<String>,
}

impl ChatCompletionResponse {
    /// The first text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.choices.first().map_or("", |choice| &choice.content)
    }

    pub(crate) fn of(answer: Answer) -> Result<Self, Error> {
        let body = answer.json()?;
        let text = |names: &[&str]| names.iter().find_map(|name| body.get(*name)?.as_str()).map(str::to_owned);
        Ok(Self {
            id: text(&["id", "responseId"]),
            model: text(&["model", "modelVersion"]),
            choices: read::choices(&body),
            usage: answer.usage,
            answer,
        })
    }
}

impl ChatLimiter {
    /// Sends a chat request and reads the answer, whatever the provider's form is.
    ///
    /// # Errors
    ///
    /// As [`chat_with`](Self::chat_with).
    #[doc(alias = "chat_completion_sync")]
    pub async fn chat_completion(&self, request: &ChatRequest) -> Result<ChatCompletionResponse, Error> {
        ChatCompletionResponse::of(self.chat_with(request).await?)
    }

    /// Asks a model one question and returns the text of its answer.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), chat_limiter::Error> {
    /// let limiter = chat_limiter::ChatLimiter::builder("anthropic").build()?;
    /// println!("{}", limiter.simple_chat("claude-haiku-4-5", "What is a bucket?").await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`chat_with`](Self::chat_with); also where the answer has no text.
    #[doc(alias = "simple_chat_sync")]
    pub async fn simple_chat(&self, model: impl Into<String>, prompt: impl Into<String>) -> Result<String, Error> {
        let request = ChatRequest::new(model, vec![Message::user(prompt.into())]);
        let mut response = self.chat_completion(&request).await?;
        match response.choices.first_mut() {
            Some(choice) if !choice.content.is_empty() => Ok(std::mem::take(&mut choice.content)),
            _ => {
                let Answer { status, headers, body, attempts, rate_limited_attempts, history, .. } = response.answer;
                let trace = Trace { attempts, rate_limited: rate_limited_attempts, history, ..Trace::default() };
                let response = Box::new(Response { status, headers, body });
                Err(Error::new(Kind::Answer { why: "the answer has no text".to_owned(), response }, trace))
            }
        }
    }
}

/// The request for a chat body in OpenAI's form or in the provider's own.
pub(crate) fn chat_post(limiter: &ChatLimiter, body: &Value) -> Result<Request, Error> {
    let provider: &dyn Provider = limiter.provider().as_ref();
    if provider.chat_form() == Form::OpenAiChat {
        let model = body.get("model").and_then(Value::as_str).unwrap_or_default();
        let bare = provider.bare_model(model);
        if bare == model {
            return Ok(Request::post(provider.endpoint_of(body), body.to_string()));
        }
        let mut renamed = body.clone();
        if let Some(model) = renamed.get_mut("model") {
            *model = bare.into();
        }
        return Ok(Request::post(provider.endpoint_of(&renamed), renamed.to_string()));
    }
    chat_request(limiter, &ChatRequest::from_openai(body).map_err(Error::request)?)
}

/// The request for a chat request.
pub(crate) fn chat_request(limiter: &ChatLimiter, request: &ChatRequest) -> Result<Request, Error> {
    let provider = limiter.provider();
    let bare = provider.bare_model(&request.model);
    let payload = if bare == request.model {
        provider.chat_payload(request)
    } else {
        let mut renamed = request.clone();
        renamed.model = bare.to_owned();
        provider.chat_payload(&renamed)
    };
    let payload = payload.map_err(Error::request)?;
    Ok(Request::post(payload.endpoint, payload.body.to_string()))
}

#[cfg(test)]
mod tests;
