//! Payloads from a configuration and a schema, for each operation.

use serde_json::{Map, Value};

use super::{FilePart, FormData, PayloadError, Schema};

/// Makes payloads for operations: the input, and the fields of a configuration as a [`Schema`] asks for them.
///
/// ```
/// use providers::Task;
/// use providers::payload::{PayloadPackage, Schema};
/// use serde_json::{Map, json};
///
/// let schema = Schema::of(Task::Chat).ok_or("chat has a schema")?;
/// let messages = json!([{"role": "user", "content": "Hi"}]);
/// let config = Map::from_iter([("model".to_owned(), json!("gpt-4o-mini")), ("temperature".to_owned(), json!(0))]);
/// let payload = PayloadPackage::chat_completion(messages, &config, &schema)?;
/// assert_eq!(payload["temperature"], 0);
///
/// let error = PayloadPackage::chat_completion(json!([{"role": "user", "content": "Hi"}]), &Map::new(), &schema);
/// assert_eq!(error.unwrap_err().to_string(), "`model` is required");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PayloadPackage;

impl PayloadPackage {
    /// The payload of a chat completion.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or unusable.
    pub fn chat_completion(
        messages: Value,
        config: &Map<String, Value>,
        schema: &Schema,
    ) -> Result<Value, PayloadError> {
        if !messages.is_array() && !messages.is_null() {
            return Err(PayloadError::unusable("messages", "must be a list"));
        }
        schema.payload(messages, config)
    }

    /// The payload that starts a fine tuning on the uploaded file with this id.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or unusable.
    pub fn fine_tuning(
        training_file: &str,
        config: &Map<String, Value>,
        schema: &Schema,
    ) -> Result<Value, PayloadError> {
        schema.payload(training_file.into(), config)
    }

    /// The payload for the embeddings of a text, of several, or of lists of tokens.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or unusable.
    pub fn embeddings(input: Value, config: &Map<String, Value>, schema: &Schema) -> Result<Value, PayloadError> {
        if !matches!(input, Value::String(_) | Value::Array(_) | Value::Null) {
            return Err(PayloadError::unusable("input", "must be a text or a list"));
        }
        schema.payload(input, config)
    }

    /// The payload that has a text spoken.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or unusable.
    pub fn speech(input: &str, config: &Map<String, Value>, schema: &Schema) -> Result<Value, PayloadError> {
        schema.payload(input.into(), config)
    }

    /// The payload that has images made after a text.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or unusable.
    pub fn image(prompt: &str, config: &Map<String, Value>, schema: &Schema) -> Result<Value, PayloadError> {
        schema.payload(prompt.into(), config)
    }

    /// The form that has sound written down, or translated into English: which of the two says the schema and the path.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing or unusable; a file without bytes is missing.
    pub fn transcription(
        file: FilePart,
        config: &Map<String, Value>,
        schema: &Schema,
    ) -> Result<FormData, PayloadError> {
        if file.bytes.is_empty() {
            return Err(PayloadError::missing(schema.input().to_owned()));
        }
        Ok(FormData::new(schema.input(), file, &schema.fields(config)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Task;

    fn config(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn every_operation_names_the_required_field_that_is_missing() {
        let none = Map::new();
        let schema = |task| Schema::of(task).unwrap();
        let message = json!([{"role": "user", "content": "Hi"}]);
        let errors = [
            (PayloadPackage::chat_completion(message, &none, &schema(Task::Chat)), "model"),
            (
                PayloadPackage::fine_tuning("", &config(json!({"model": "m"})), &schema(Task::FineTuning)),
                "training_file",
            ),
            (PayloadPackage::fine_tuning("file-1", &none, &schema(Task::FineTuning)), "model"),
            (PayloadPackage::embeddings(json!("Hi"), &none, &schema(Task::Embeddings)), "model"),
            (PayloadPackage::embeddings(json!([]), &config(json!({"model": "m"})), &schema(Task::Embeddings)), "input"),
            (PayloadPackage::speech("Hi", &config(json!({"model": "tts-1"})), &schema(Task::Speech)), "voice"),
            (PayloadPackage::image(" ", &none, &schema(Task::Images)), "prompt"),
        ];
        for (result, field) in errors {
            assert_eq!(result, Err(PayloadError::missing(field)));
        }
        let form = PayloadPackage::transcription(FilePart::new("a.mp3", vec![1]), &none, &schema(Task::Transcription));
        assert_eq!(form, Err(PayloadError::missing("model")));
        let empty = FilePart::new("a.mp3", vec![]);
        let form = PayloadPackage::transcription(empty, &config(json!({"model": "m"})), &schema(Task::Transcription));
        assert_eq!(form, Err(PayloadError::missing("file")));
    }

    #[test]
    fn the_specified_defaults_are_sent_and_may_be_zero() {
        let schema = Schema::specified(Task::Chat).unwrap();
        let messages = json!([{"role": "user", "content": "Hi"}]);
        let fields = config(json!({"temperature": 0, "stream": false, "seed": 0, "stop": null}));
        let expected = json!({"messages": messages, "model": "gpt-4o-2024-08-06", "frequency_penalty": 0, "n": 1,
            "presence_penalty": 0, "response_format": {"type": "text"}, "temperature": 0, "top_p": 1, "stream": false,
            "seed": 0});
        assert_eq!(PayloadPackage::chat_completion(messages, &fields, &schema), Ok(expected));
    }

    #[test]
    fn every_specified_operation_needs_nothing_but_its_input() {
        for task in
            [Task::Chat, Task::FineTuning, Task::Embeddings, Task::Speech, Task::Transcription, Task::Translation]
        {
            let schema = Schema::specified(task).unwrap();
            assert!(schema.payload(json!(["x"]), &Map::new()).is_ok(), "{task}");
            let ours = Schema::of(task).unwrap();
            assert_eq!(schema.input(), ours.input());
            for field in schema.required().chain(schema.optional()) {
                let is_known = ours.required().chain(ours.optional()).any(|known| known == field);
                assert!(is_known, "{task}: {field}");
            }
        }
    }

    #[test]
    fn what_has_another_shape_is_refused() {
        let schema = Schema::of(Task::Chat).unwrap();
        let fields = config(json!({"model": "m"}));
        assert_eq!(PayloadPackage::chat_completion(json!("Hi"), &fields, &schema).unwrap_err().field(), "messages");
        let schema = Schema::of(Task::Embeddings).unwrap();
        assert_eq!(PayloadPackage::embeddings(json!(3), &fields, &schema).unwrap_err().field(), "input");
    }
}
