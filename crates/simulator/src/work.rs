//! What a request asks for, read from its body.

use serde_json::Value;

use crate::faces::{Operation, Problem};
use crate::prompt;

/// The most answers one request may ask for: OpenAI's bound on `n`.
const MAX_CHOICES: u64 = 128;
/// The most texts one embedding request may hold: OpenAI's bound on `input`.
const MAX_INPUTS: usize = 2_048;
/// The longest embedding: that of OpenAI's largest model.
const MAX_DIMENSIONS: u64 = 3_072;

/// A piece of work that a model is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) model: String,
    /// Tokens of the prompt.
    pub(crate) input_tokens: u64,
    /// How many of them are read from a cache.
    pub(crate) cached_tokens: u64,
    /// The most output tokens of one choice, where the request bounds them.
    pub(crate) ceiling: Option<u64>,
    /// How many answers are asked for.
    pub(crate) choices: u64,
    /// Whether the answer is to be streamed.
    pub(crate) stream: bool,
    /// Whether a chat stream is to end with its usage.
    pub(crate) include_usage: bool,
    /// What vectors are asked for, where it is vectors.
    pub(crate) vectors: Option<Vectors>,
}

/// The vectors an embedding request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vectors {
    pub(crate) count: usize,
    pub(crate) dimensions: u64,
    pub(crate) base64: bool,
}

impl Work {
    /// The most output tokens of all choices together, where the request bounds them.
    pub(crate) fn most_output(&self) -> Option<u64> {
        self.ceiling.map(|ceiling| ceiling.saturating_mul(self.choices))
    }

    /// The tokens of the prompt that are not read from a cache.
    pub(crate) const fn uncached_tokens(&self) -> u64 {
        self.input_tokens.saturating_sub(self.cached_tokens)
    }

    /// The same work as a provider counts it that multiplies its count of a prompt by `prompt_factor` and reads
    /// `cached_share` of it from a cache.
    pub(crate) fn counted(mut self, prompt_factor: f64, cached_share: f64) -> Self {
        // In billionths, so that 1.1 times 10 is 11 and not a little more.
        let billionths = |factor: f64| (factor * 1e9).round() as u128;
        let counted = (u128::from(self.input_tokens) * billionths(prompt_factor)).div_ceil(1_000_000_000);
        self.input_tokens = u64::try_from(counted).unwrap_or(u64::MAX);
        if self.vectors.is_none() {
            let cached = u128::from(self.input_tokens) * billionths(cached_share) / 1_000_000_000;
            self.cached_tokens = u64::try_from(cached).unwrap_or(u64::MAX);
        }
        self
    }

    /// Reads the body of a request for `operation`.
    pub(crate) fn parse(operation: Operation, body: &Value) -> Result<Self, Problem> {
        let fields = Fields(body);
        let model = fields.text("model")?.filter(|model| !model.is_empty()).ok_or(Problem::Missing("model"))?;
        let mut work = Self {
            model: model.to_owned(),
            input_tokens: 0,
            cached_tokens: 0,
            ceiling: None,
            choices: 1,
            stream: fields.flag("stream")?,
            include_usage: false,
            vectors: None,
        };
        match operation {
            Operation::Chat => {
                fields.list("messages")?;
                work.input_tokens = prompt::conversation(body);
                let newer = fields.whole("max_completion_tokens", u64::MAX)?;
                work.ceiling = newer.or(fields.whole("max_tokens", u64::MAX)?);
                work.choices = fields.whole("n", MAX_CHOICES)?.unwrap_or(1);
                work.include_usage =
                    body.pointer("/stream_options/include_usage").and_then(Value::as_bool).unwrap_or(false);
            }
            Operation::Responses => {
                match body.get("input") {
                    Some(Value::String(_)) => {}
                    _ => fields.list("input")?,
                }
                work.input_tokens = prompt::conversation(body);
                work.ceiling = fields.whole("max_output_tokens", u64::MAX)?;
            }
            Operation::Messages => {
                fields.list("messages")?;
                work.input_tokens = prompt::conversation(body);
                let ceiling = fields.whole("max_tokens", u64::MAX)?;
                work.ceiling = Some(ceiling.ok_or(Problem::Missing("max_tokens"))?);
            }
            Operation::CountTokens => {
                fields.list("messages")?;
                work.input_tokens = prompt::conversation(body);
            }
            Operation::Completions => {
                work.input_tokens = fields.texts("prompt")?.iter().sum();
                // 16 is the endpoint's documented default.
                work.ceiling = Some(fields.whole("max_tokens", u64::MAX)?.unwrap_or(16));
                work.choices = fields.whole("n", MAX_CHOICES)?.unwrap_or(1);
            }
            Operation::Embeddings => {
                let texts = fields.texts("input")?;
                work.input_tokens = texts.iter().sum();
                work.ceiling = Some(0);
                work.stream = false;
                let dimensions = if model.ends_with("3-large") { 3_072 } else { 1_536 };
                work.vectors = Some(Vectors {
                    count: texts.len(),
                    dimensions: fields.whole("dimensions", MAX_DIMENSIONS)?.unwrap_or(dimensions),
                    base64: fields.text("encoding_format")? == Some("base64"),
                });
            }
            Operation::Models | Operation::Key => {}
        }
        Ok(work)
    }
}

/// The fields of a body. A field that is null counts as absent, as it does for the providers.
struct Fields<'a>(&'a Value);

impl<'a> Fields<'a> {
    fn find(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &'static str) -> Result<Option<&'a str>, Problem> {
        self.find(name).map(|value| value.as_str().ok_or_else(|| wrong_type(name, "a string", value))).transpose()
    }

    fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        let flag = self.find(name).map(|value| value.as_bool().ok_or_else(|| wrong_type(name, "a boolean", value)));
        Ok(flag.transpose()?.unwrap_or(false))
    }

    /// A whole number from 1 to `most`.
    fn whole(&self, name: &'static str, most: u64) -> Result<Option<u64>, Problem> {
        let Some(value) = self.find(name) else { return Ok(None) };
        match value.as_u64() {
            Some(0) => Err(Problem::TooSmall { parameter: name, minimum: 1, found: 0 }),
            Some(number) if number > most => Err(Problem::TooLarge { parameter: name, maximum: most, found: number }),
            Some(number) => Ok(Some(number)),
            None => Err(match value.as_i64() {
                Some(found) => Problem::TooSmall { parameter: name, minimum: 1, found },
                None => wrong_type(name, "an integer", value),
            }),
        }
    }

    /// Requires a list of objects.
    fn list(&self, name: &'static str) -> Result<(), Problem> {
        match self.find(name) {
            None => Err(Problem::Missing(name)),
            Some(Value::Array(items)) if items.is_empty() => Err(Problem::Empty(name)),
            Some(Value::Array(items)) => match items.iter().find(|item| !item.is_object()) {
                Some(item) => Err(wrong_type(name, "an array of objects", item)),
                None => Ok(()),
            },
            Some(other) => Err(wrong_type(name, "an array of objects", other)),
        }
    }

    fn texts(&self, name: &'static str) -> Result<Vec<u64>, Problem> {
        let value = self.find(name).ok_or(Problem::Missing(name))?;
        let texts = prompt::texts(value).ok_or_else(|| wrong_type(name, "a string or an array", value))?;
        match texts.len() {
            0 => Err(Problem::Empty(name)),
            count if count > MAX_INPUTS => {
                Err(Problem::TooLarge { parameter: name, maximum: MAX_INPUTS as u64, found: count as u64 })
            }
            _ => Ok(texts),
        }
    }
}

fn wrong_type(parameter: &'static str, expected: &'static str, value: &Value) -> Problem {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Problem::WrongType { parameter, expected, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_chat_request_is_read_whole() {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "1234"}], "max_tokens": 5,
            "max_completion_tokens": 7, "n": 2, "stream": true, "stream_options": {"include_usage": true}, "user": null});
        let work = Work::parse(Operation::Chat, &body).unwrap();
        assert_eq!((work.input_tokens, work.most_output()), (3, Some(14)));
        assert!(work.stream && work.include_usage);
    }

    #[test]
    fn what_cannot_be_done_is_named() {
        #[track_caller]
        fn check(operation: Operation, body: Value, expected: Problem) {
            assert_eq!(Work::parse(operation, &body), Err(expected), "{body}");
        }
        use Operation::{Chat, Embeddings, Messages, Responses};
        let messages = json!([{"role": "user", "content": "hi"}]);
        check(Chat, json!([]), Problem::Missing("model"));
        check(Chat, json!({"model": ""}), Problem::Missing("model"));
        check(Chat, json!({"model": "m"}), Problem::Missing("messages"));
        check(Chat, json!({"model": "m", "messages": []}), Problem::Empty("messages"));
        check(
            Chat,
            json!({"model": "m", "messages": "hi"}),
            Problem::WrongType { parameter: "messages", expected: "an array of objects", found: "a string" },
        );
        check(
            Chat,
            json!({"model": "m", "messages": messages, "max_tokens": 0}),
            Problem::TooSmall { parameter: "max_tokens", minimum: 1, found: 0 },
        );
        check(
            Chat,
            json!({"model": "m", "messages": messages, "max_tokens": -3}),
            Problem::TooSmall { parameter: "max_tokens", minimum: 1, found: -3 },
        );
        check(
            Chat,
            json!({"model": "m", "messages": messages, "max_tokens": 1.5}),
            Problem::WrongType { parameter: "max_tokens", expected: "an integer", found: "a number" },
        );
        check(
            Chat,
            json!({"model": "m", "messages": messages, "n": 129}),
            Problem::TooLarge { parameter: "n", maximum: 128, found: 129 },
        );
        check(Messages, json!({"model": "m", "messages": messages}), Problem::Missing("max_tokens"));
        check(Responses, json!({"model": "m"}), Problem::Missing("input"));
        check(Embeddings, json!({"model": "m", "input": []}), Problem::Empty("input"));
    }
}
