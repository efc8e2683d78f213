//! A recorded request and what was billed for it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use chat_limiter::tokenizer::PayloadKind;
use serde_json::Value;

/// What marks requests of which a part is not in their body.
const UNSEEN: [&str; 5] = ["hidden-context", "server-tools", "media", "remote-media", "file-ref"];

/// One recorded request.
pub(crate) struct Row {
    pub(crate) provider: String,
    pub(crate) model: String,
    pub(crate) api: PayloadKind,
    pub(crate) class: Class,
    pub(crate) body: Value,
    pub(crate) input: u64,
    pub(crate) output: u64,
}

/// What a request has besides one message: the last of these that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Plain,
    System,
    MultiTurn,
    Tools,
    Schema,
}

impl Class {
    fn of(flags: &BTreeSet<&str>) -> Self {
        let classes = [
            ("schema", Self::Schema),
            ("tools", Self::Tools),
            ("tool-history", Self::Tools),
            ("multi-turn", Self::MultiTurn),
            ("system", Self::System),
        ];
        classes.into_iter().find(|(flag, _)| flags.contains(flag)).map_or(Self::Plain, |(_, class)| class)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::System => "system",
            Self::MultiTurn => "multi-turn",
            Self::Tools => "tools",
            Self::Schema => "schema",
        }
    }
}

/// The requests of a file, in its order, without those of which a part is not seen.
///
/// # Errors
///
/// The file is not there or cannot be unpacked, or a line of it is not as described.
pub(crate) fn read(file: &Path) -> anyhow::Result<Vec<Row>> {
    let output = Command::new("gzip").arg("-dc").arg(file).output().context("gzip cannot be run")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cannot unpack {}: {}", file.display(), complaint.trim());
    let text = String::from_utf8(output.stdout).with_context(|| format!("{} is not text", file.display()))?;
    let rows = text.lines().enumerate().filter_map(|(number, line)| {
        let row = Row::parse(line).with_context(|| format!("{}:{}", file.display(), number + 1));
        row.transpose()
    });
    rows.collect()
}

impl Row {
    fn parse(line: &str) -> anyhow::Result<Option<Self>> {
        let row: Value = serde_json::from_str(line)?;
        let flags = row.get("flags").and_then(Value::as_array).into_iter().flatten();
        let flags: BTreeSet<&str> = flags.filter_map(Value::as_str).collect();
        let text = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
        let number = |key: &str| row.get(key).and_then(Value::as_u64).unwrap_or_default();
        let input = number("true_input_tokens");
        if input == 0 || UNSEEN.iter().any(|flag| flags.contains(flag)) {
            return Ok(None);
        }
        let body = match row.get("request_body").context("there is no `request_body`")? {
            // Some recorders keep the text of the body.
            Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
            value => value.clone(),
        };
        let model = body.get("model").and_then(Value::as_str).unwrap_or_else(|| text("model"));
        Ok(Some(Self {
            provider: text("provider").to_owned(),
            model: model.to_owned(),
            api: api(text("endpoint"), &body),
            class: Class::of(&flags),
            input,
            output: number("true_output_tokens"),
            body,
        }))
    }
}

/// The API that an address belongs to, or else that of the body's shape.
fn api(endpoint: &str, body: &Value) -> PayloadKind {
    let path = endpoint.split('?').next().unwrap_or_default();
    let ends = [
        ("/chat/completions", PayloadKind::Chat),
        ("/completions", PayloadKind::Completions),
        ("/responses", PayloadKind::Responses),
        ("/embeddings", PayloadKind::Embeddings),
        ("/messages", PayloadKind::AnthropicMessages),
        ("enerateContent", PayloadKind::Gemini),
    ];
    ends.into_iter().find(|(end, _)| path.ends_with(end)).map_or_else(|| PayloadKind::of(body), |(_, api)| api)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_is_read_with_its_class_and_api_and_one_with_unseen_parts_is_left_out() {
        let mut row = json!({"provider": "openai", "endpoint": "/v1/chat/completions?x=1", "model": null,
            "flags": ["system", "tools"], "true_input_tokens": 9, "true_output_tokens": 2,
            "request_body": {"model": "gpt-4o"}});
        let read = Row::parse(&row.to_string()).unwrap().unwrap();
        assert_eq!((read.class, read.api, read.input, read.output), (Class::Tools, PayloadKind::Chat, 9, 2));
        assert_eq!(read.model, "gpt-4o");
        row["flags"] = json!(["media"]);
        assert!(Row::parse(&row.to_string()).unwrap().is_none());
        assert!(Row::parse("{\"true_input_tokens\": 1}").is_err());
    }
}
