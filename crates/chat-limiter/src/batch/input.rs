//! A line of a batch file: OpenAI's form, Anthropic's form, or a bare request body.

use bytes::Bytes;
use providers::Provider;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::Request;

/// One request of a batch file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchItem {
    /// Its name in the file; `line-N` where it has none.
    pub custom_id: String,
    /// The model in the request's body.
    pub model: String,
    /// What is sent.
    pub request: Request,
}

/// A line that is not a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
#[non_exhaustive]
pub struct InvalidLine {
    /// What is wrong and what was expected.
    pub why: String,
    /// Its name in the file, where that can be read.
    pub custom_id: Option<String>,
}

/// The two forms that wrap a body.
#[derive(Deserialize)]
struct Wrapped<'a> {
    #[serde(default)]
    custom_id: Option<Value>,
    #[serde(default)]
    method: Option<Value>,
    #[serde(default)]
    url: Option<Value>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

impl BatchItem {
    /// The request on line `number` of a file (from 1), for `provider`. `line` is without its end.
    ///
    /// # Errors
    ///
    /// [`InvalidLine`] says what is wrong with it.
    pub fn parse(number: u64, line: &[u8], provider: &dyn Provider) -> Result<Self, InvalidLine> {
        let invalid = |why: String| InvalidLine { why, custom_id: find_custom_id(line) };
        let text = std::str::from_utf8(line)
            .map_err(|error| invalid(format!("invalid UTF-8 at byte {}", error.valid_up_to() + 1)))?;
        if !text.trim_start().starts_with('{') {
            return Err(invalid("expected a JSON object".to_owned()));
        }
        let wrapped: Wrapped<'_> = serde_json::from_str(text).map_err(|error| invalid(explain(&error)))?;
        let custom_id = match &wrapped.custom_id {
            None | Some(Value::Null) => unnamed(number),
            Some(Value::String(id)) => id.clone(),
            Some(_) => return Err(invalid("`custom_id` is not a string".to_owned())),
        };
        let invalid = |why: String| InvalidLine { why, custom_id: Some(custom_id.clone()) };
        match &wrapped.method {
            None | Some(Value::Null) => {}
            Some(Value::String(method)) if method.eq_ignore_ascii_case("post") => {}
            Some(method) => return Err(invalid(format!("`method` is {method}, expected \"POST\""))),
        }
        let body = match (wrapped.body, wrapped.params) {
            (Some(body), None) => body.get(),
            (None, Some(params)) => params.get(),
            (Some(_), Some(_)) => return Err(invalid("both `body` and `params`, expected one of them".to_owned())),
            (None, None) if wrapped.custom_id.is_none() && wrapped.url.is_none() => text,
            (None, None) => return Err(invalid("`body` (or `params`) is missing".to_owned())),
        };
        let members: Map<String, Value> = serde_json::from_str(body)
            .map_err(|error| invalid(format!("the request body is not an object: {error}")))?;
        let body = Value::Object(members);
        let Some(model) = body.get("model").and_then(Value::as_str).map(str::to_owned) else {
            return Err(invalid("the request body has no `model`".to_owned()));
        };
        let path = match wrapped.url {
            None | Some(Value::Null) => provider.endpoint_of(&body).to_owned(),
            Some(Value::String(url)) => url,
            Some(_) => return Err(invalid("`url` is not a string".to_owned())),
        };
        let bytes = outgoing(body, wrapped.body.or(wrapped.params).map_or(text, RawValue::get));
        Ok(Self { custom_id, model, request: Request::post(path, bytes) })
    }
}

/// The body as it goes out: as it stands in the file, except that a result file has no place for a stream.
fn outgoing(mut body: Value, text: &str) -> Bytes {
    let Some(members) = body.as_object_mut() else { return Bytes::copy_from_slice(text.as_bytes()) };
    match members.get("stream") {
        None | Some(Value::Bool(false) | Value::Null) => Bytes::copy_from_slice(text.as_bytes()),
        Some(_) => {
            members.remove("stream");
            members.remove("stream_options");
            Bytes::from(body.to_string())
        }
    }
}

/// Why a text is not JSON, with the column. A line has one line: what serde_json says of lines would only mislead.
fn explain(error: &serde_json::Error) -> String {
    format!("invalid JSON: {}", error.to_string().replace(" line 1 column", " column"))
}

/// What a request without a `custom_id` is called.
pub(super) fn unnamed(number: u64) -> String {
    format!("line-{number}")
}

/// The `custom_id` of a line that cannot be parsed, as far as it can be read.
pub(super) fn find_custom_id(line: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"\"custom_id\"";
    let at = line.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    let value = line.get(at..)?.trim_ascii_start().strip_prefix(b":")?;
    let mut values = serde_json::Deserializer::from_slice(value).into_iter::<String>();
    values.next()?.ok()
}

#[cfg(test)]
mod tests {
    use providers::Registry;

    use super::*;

    fn parse(text: impl AsRef<[u8]>) -> Result<BatchItem, InvalidLine> {
        BatchItem::parse(7, text.as_ref(), Registry::standard().by_name("openai").unwrap().as_ref())
    }

    #[test]
    fn the_three_forms_are_read_and_the_body_is_passed_on_byte_for_byte() {
        let body = r#"{"model": "m",  "messages":[], "x": 1.50}"#;
        for (line, id, path) in [
            (
                format!(r#"{{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{body}}}"#),
                "a",
                "/v1/embeddings",
            ),
            (format!(r#"{{"custom_id":"b","params":{body}}}"#), "b", "/v1/chat/completions"),
            (body.to_owned(), "line-7", "/v1/chat/completions"),
        ] {
            let item = parse(&line).unwrap();
            assert_eq!((item.custom_id.as_str(), item.request.path.as_str()), (id, path));
            assert_eq!((item.model.as_str(), &item.request.body[..]), ("m", body.as_bytes()));
        }
    }

    #[test]
    fn a_stream_is_not_asked_for() {
        let item = parse(r#"{"model":"m","stream":true,"stream_options":{},"n":1}"#).unwrap();
        assert_eq!(&item.request.body[..], br#"{"model":"m","n":1}"#);
    }

    #[test]
    fn a_line_that_is_no_request_says_why_and_keeps_its_id() {
        for (line, why, id) in [
            ("{", "invalid JSON", None),
            ("[]", "expected a JSON object", None),
            ("17", "expected a JSON object", None),
            (r#"{"custom_id":"a","body":{"model":"m"}"#, "invalid JSON: EOF", Some("a")),
            (r#"{"custom_id" : "q\"uote","body":nope}"#, "invalid JSON", Some("q\"uote")),
            (r#"{"custom_id":5,"body":{"model":"m"}}"#, "`custom_id` is not a string", None),
            (r#"{"custom_id":"a","url":"/v1/x"}"#, "`body` (or `params`) is missing", Some("a")),
            (r#"{"custom_id":"a","body":[]}"#, "not an object", Some("a")),
            (r#"{"custom_id":"a","body":{}}"#, "no `model`", Some("a")),
            (r#"{"custom_id":"a","method":"GET","body":{"model":"m"}}"#, "expected \"POST\"", Some("a")),
            (r#"{"custom_id":"a","url":3,"body":{"model":"m"}}"#, "`url` is not a string", Some("a")),
        ] {
            let invalid = parse(line).unwrap_err();
            assert!(invalid.why.contains(why), "{line}: {}", invalid.why);
            assert_eq!(invalid.custom_id.as_deref(), id, "{line}");
        }
        let invalid = parse(b"{\"custom_id\":\"a\",\"body\":\"\xff\"}").unwrap_err();
        assert!(invalid.why.contains("invalid UTF-8 at byte"), "{}", invalid.why);
    }
}
