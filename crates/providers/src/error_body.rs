//! The error in a body, whatever envelope it came in.
//!
//! Providers put it under `error` as an object, under `error` as a text, at the top level, in a `detail`, or into an
//! array of one; gateways in front of them answer in plain text or HTML. `code` is a text, a number or null.

use http::HeaderMap;
use serde_json::Value;

/// The parts of an error that providers have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorBody {
    pub(crate) message: String,
    /// `type`, or Google's `status`.
    pub(crate) error_type: Option<String>,
    pub(crate) code: Option<String>,
    /// Further names: a reason, an exception, a typed error.
    pub(crate) names: Vec<String>,
    /// The object that held them, for what only one provider says.
    pub(crate) object: Value,
}

impl ErrorBody {
    /// Reads the body of a response that failed. What is not JSON is taken as the message.
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of_value(&value),
            Err(_) => Self { message: plain_text(body), ..Self::default() },
        }
    }

    /// Reads the JSON of a response that failed.
    pub(crate) fn of_value(value: &Value) -> Self {
        let value = match value {
            Value::Array(items) => items.first().unwrap_or(&Value::Null),
            other => other,
        };
        match value.get("error") {
            Some(error @ Value::Object(_)) => Self::of_object(error),
            Some(error @ Value::Array(_)) => {
                Self { message: text_of(error).map(bounded).unwrap_or_default(), ..Self::default() }
            }
            Some(Value::String(error)) => {
                let mut body = Self::of_object(value);
                // Where both are there, `error` is the short name of what `message` explains.
                if body.message.is_empty() {
                    body.message = bounded(error.clone());
                } else {
                    body.error_type = body.error_type.or_else(|| Some(error.clone()));
                }
                body
            }
            _ => match value {
                Value::String(text) => Self { message: bounded(text.clone()), ..Self::default() },
                other => Self::of_object(other),
            },
        }
    }

    fn of_object(object: &Value) -> Self {
        Self {
            // Amazon's gateway writes it with a capital, Cloudflare makes a list.
            message: ["message", "detail", "title", "Message", "errors"]
                .into_iter()
                .find_map(|name| object.get(name).and_then(text_of))
                .map(bounded)
                .unwrap_or_default(),
            error_type: ["type", "status"].into_iter().find_map(|name| text(object, name)),
            code: match object.get("code") {
                Some(Value::String(code)) if !code.is_empty() => Some(code.clone()),
                Some(Value::Number(code)) => Some(code.to_string()),
                _ => None,
            },
            names: NAMES
                .iter()
                .filter_map(|pointer| object.pointer(pointer).and_then(Value::as_str))
                .chain(reasons(object))
                .map(short)
                .collect(),
            object: object.clone(),
        }
    }

    /// Adds the name of the exception that Amazon puts into a header: `ThrottlingException:http://...`.
    pub(crate) fn with_exception(mut self, headers: &HeaderMap) -> Self {
        if let Some(name) = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok()) {
            self.names.push(short(name));
        }
        self
    }

    /// Everything that names the error, the most exact first.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = &str> {
        let names = self.code.as_deref().into_iter().chain(self.names.iter().map(String::as_str));
        names.chain(self.error_type.as_deref())
    }

    /// Whether nothing in it names an error.
    pub(crate) fn is_empty(&self) -> bool {
        self.message.is_empty() && self.code.is_none()
    }

    /// Whether the type or the code is `name`.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.error_type.as_deref() == Some(name) || self.code.as_deref() == Some(name)
    }

    /// What the provider behind a gateway said, in its own words.
    pub(crate) fn upstream(&self) -> Option<&str> {
        self.text_at("/metadata/raw").filter(|raw| !raw.trim().is_empty())
    }

    /// A text deeper in the object, by its JSON pointer.
    pub(crate) fn text_at(&self, pointer: &str) -> Option<&str> {
        self.object.pointer(pointer).and_then(Value::as_str)
    }
}

/// Where names stand beside `code` and `type`: Anthropic's and Google's details, OpenRouter's and Cohere's typed errors,
/// Amazon's exceptions.
const NAMES: [&str; 5] = ["/details/error_code", "/metadata/error_type", "/error_type", "/__type", "/reason"];

/// The reasons among Google's details, which stand in any order.
fn reasons(object: &Value) -> impl Iterator<Item = &str> {
    const MOST: usize = 16;
    let details = object.get("details").and_then(Value::as_array).into_iter().flatten().take(MOST);
    details.filter_map(|detail| detail.get("reason").and_then(Value::as_str))
}

/// The name of an exception without its namespace and what follows it.
fn short(name: &str) -> String {
    let name = name.rsplit('#').next().unwrap_or(name);
    name.split(':').next().unwrap_or(name).to_owned()
}

fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A text, or the first one inside: FastAPI's `detail` is a list of objects with a `msg`.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(items) => items.iter().find_map(|item| match item {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            item => text(item, "msg").or_else(|| text(item, "message")),
        }),
        // Mistral's `message` may hold what FastAPI said.
        Value::Object(_) => text(value, "message").or_else(|| match value.get("detail")? {
            Value::Object(_) => None,
            detail => text_of(detail),
        }),
        _ => None,
    }
}

/// The beginning of a message. Its words are searched for again and again, and nobody says it behind so many others.
fn bounded(mut message: String) -> String {
    const ENOUGH: usize = 16_384;
    if message.len() > ENOUGH {
        let end = (0..=ENOUGH).rev().find(|end| message.is_char_boundary(*end));
        message.truncate(end.unwrap_or_default());
    }
    message
}

/// The text of a body that is not JSON. Of an HTML page only the title is worth reading.
fn plain_text(body: &[u8]) -> String {
    const ENOUGH: usize = 4_096;
    let text = String::from_utf8_lossy(body.get(..ENOUGH).unwrap_or(body));
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|start| {
        let start = start + "<title>".len();
        let end = start + lower.get(start..)?.find("</title>")?;
        text.get(start..end)
    });
    let readable = match title {
        Some(title) => title,
        None if lower.trim_ascii_start().starts_with('<') => "",
        None => &text,
    };
    readable.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, message: &str, error_type: Option<&str>, code: Option<&str>) {
        let error = ErrorBody::read(body.as_bytes());
        assert_eq!(
            (error.message.as_str(), error.error_type.as_deref(), error.code.as_deref()),
            (message, error_type, code),
            "{body}"
        );
    }

    #[test]
    fn every_envelope_is_opened() {
        check(r#"{"error":{"message":"m","type":"t","code":"c"}}"#, "m", Some("t"), Some("c"));
        check(r#"{"error":{"message":"m","type":null,"code":429}}"#, "m", None, Some("429"));
        check(
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            "Overloaded",
            Some("overloaded_error"),
            None,
        );
        check(r#"{"error":"no such model"}"#, "no such model", None, None);
        check(r#"{"error":"Too Many Requests","message":"slow down"}"#, "slow down", Some("Too Many Requests"), None);
        check(r#"{"message":"m","type":"t","code":"c","param":null}"#, "m", Some("t"), Some("c"));
        check(r#"{"detail":"throttled"}"#, "throttled", None, None);
        check(r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#, "field required", None, None);
        check(
            r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT"}}]"#,
            "m",
            Some("INVALID_ARGUMENT"),
            Some("400"),
        );
        check(
            r#"{"object":"error","message":{"detail":[{"loc":["body"],"msg":"not permitted"}]},"type":"t"}"#,
            "not permitted",
            Some("t"),
            None,
        );
        check(r#"{"Message":"key not valid"}"#, "key not valid", None, None);
        check(r#"{"success":false,"errors":[{"code":3036,"message":"daily"}]}"#, "daily", None, None);
        check(r#"{"error":["`context`: field required"]}"#, "`context`: field required", None, None);
        check("\n\n {\"error\":{\"message\":\"m\"}}", "m", None, None);
        check(r#""just a text""#, "just a text", None, None);
    }

    #[test]
    fn what_is_not_json_is_read_as_text() {
        check("upstream connect error", "upstream connect error", None, None);
        check("<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway", None, None);
        check("<!doctype html><p>oh no", "", None, None);
        check("", "", None, None);
    }

    #[test]
    fn hostile_bodies_are_survived() {
        let deep = "[".repeat(100_000);
        for body in [
            "null",
            "[]",
            "[[]]",
            "3",
            "{}",
            r#"{"error":null}"#,
            r#"{"error":[]}"#,
            r#"{"error":{}}"#,
            "{\"error\":",
            deep.as_str(),
        ] {
            let _ = ErrorBody::read(body.as_bytes());
        }
        assert!(ErrorBody::read(b"\xff\xfe").message.len() <= 6);
        let long = "é".repeat(50_000);
        for body in [format!("{{\"error\":\"{long}\"}}"), format!("{{\"detail\":[{{\"msg\":\"a{long}\"}}]}}")] {
            let length = ErrorBody::read(body.as_bytes()).message.len();
            assert!((16_000..=16_384).contains(&length), "{length}");
        }
    }
}
