//! Whose batch form the beginning of a file is written in.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The API that requests are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    OpenAi,
    Anthropic,
}

impl Form {
    /// The form of the first line that tells. The last line may be cut off anywhere.
    pub(crate) fn of(beginning: &[u8]) -> Option<Self> {
        beginning.split(|byte| *byte == b'\n').find_map(|line| {
            let mut members = Members::default();
            // What was read before an error stands.
            let _ = serde_json::Deserializer::from_slice(line).deserialize_map(&mut members);
            members.form()
        })
    }
}

/// What the outermost object of a line has.
#[derive(Debug, Default)]
struct Members {
    params: bool,
    body: bool,
    url: Option<String>,
    model: Option<String>,
}

impl Members {
    fn form(&self) -> Option<Form> {
        let is_anthropic = self.params
            || self.url.as_deref().is_some_and(|url| url.ends_with("/messages"))
            || self.model.as_deref().is_some_and(|model| model.starts_with("claude"));
        let is_request = self.params || self.body || self.url.is_some() || self.model.is_some();
        is_request.then_some(if is_anthropic { Form::Anthropic } else { Form::OpenAi })
    }
}

impl<'de> Visitor<'de> for &mut Members {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let text = |value: Value| value.as_str().map(str::to_owned);
        while let Some(name) = map.next_key::<Cow<'_, str>>()? {
            match &*name {
                "url" => self.url = text(map.next_value()?),
                "model" => self.model = text(map.next_value()?),
                name => {
                    self.params |= name == "params";
                    self.body |= name == "body";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_told_by_what_stands_outermost() {
        for (text, expected) in [
            (r#"{"custom_id":"a","url":"/v1/chat/completions","body":{"model":"m"}}"#, Some(Form::OpenAi)),
            (r#"{"custom_id":"a","url":"/v1/messages","body":{"model":"m"}}"#, Some(Form::Anthropic)),
            (r#"{"custom_id":"a","params":{"model":"m","mess"#, Some(Form::Anthropic)),
            (r#"{"custom_id":"a","body":{"tools":[{"params":{}}],"x":"/v1/messages"}}"#, Some(Form::OpenAi)),
            (r#"{"model":"claude-haiku-4-5","messages":[]}"#, Some(Form::Anthropic)),
            (r#"{"messages":[{"content":"\"claude-\" \"params\""}],"model":"gpt-4o"}"#, Some(Form::OpenAi)),
            ("{nonsense\n\n{\"params\":{}}", Some(Form::Anthropic)),
            ("{\"a\":1}", None),
            ("Once upon a time", None),
            ("[{\"model\":1}]", None),
            ("", None),
        ] {
            assert_eq!(Form::of(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn deep_nesting_does_no_harm() {
        let deep = format!("{{\"x\":{}", "[".repeat(1_000_000));
        assert_eq!(Form::of(deep.as_bytes()), None);
    }
}
