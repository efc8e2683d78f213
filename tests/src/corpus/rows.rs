//! The lines of the recordings.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// Passes every line of a packed file on.
pub(super) fn each(directory: &Path, name: &str, mut on_row: impl FnMut(&Value)) -> anyhow::Result<()> {
    let path = directory.join(name);
    ensure!(path.is_file(), "there is no {}", path.display());
    let mut unpacking = Command::new("gzip")
        .arg("-dc")
        .arg(&path)
        .stdout(Stdio::piped())
        .spawn()
        .context("gzip cannot be run, which unpacks the recordings")?;
    let output = unpacking.stdout.take().context("gzip has no output")?;
    for (number, line) in BufReader::new(output).lines().enumerate() {
        let place = || format!("{}:{}", path.display(), number + 1);
        let row = serde_json::from_str(&line.with_context(place)?).with_context(place)?;
        on_row(&row);
    }
    let status = unpacking.wait()?;
    ensure!(status.success(), "{} cannot be unpacked ({status})", path.display());
    Ok(())
}

/// The head of an answer, and what was noted of its body.
pub(super) struct Answer {
    pub(super) id: String,
    pub(super) provider: String,
    pub(super) host: String,
    pub(super) status: StatusCode,
    /// Without those whose values were replaced before they were published.
    pub(super) headers: Vec<(String, String)>,
    pub(super) recorded: Recorded,
}

/// What was noted of a body.
pub(super) struct Recorded {
    /// `json`, `sse`, ...
    pub(super) kind: String,
    pub(super) usage: Value,
    pub(super) error: Value,
    pub(super) finish: String,
}

impl Answer {
    pub(super) fn read(row: &Value) -> Self {
        let replaced = row.get("placeholder_headers").and_then(Value::as_array).cloned().unwrap_or_default();
        let headers = lines(row.get("headers"));
        Self {
            id: text(row, "id"),
            provider: text(row, "provider"),
            host: text(row, "host"),
            status: status(row),
            headers: headers.into_iter().filter(|(name, _)| !replaced.iter().any(|it| it == name)).collect(),
            recorded: Recorded {
                kind: text(row, "kind"),
                usage: row.get("usage").cloned().unwrap_or_default(),
                error: row.get("error").cloned().unwrap_or_default(),
                finish: text(row, "finish"),
            },
        }
    }

    pub(super) fn header_map(&self) -> HeaderMap {
        header_map(&self.headers)
    }
}

/// A body as it came.
pub(super) struct Body {
    pub(super) id: String,
    pub(super) provider: String,
    pub(super) status: StatusCode,
    pub(super) body: String,
}

impl Body {
    pub(super) fn read(row: &Value) -> Self {
        Self { id: text(row, "id"), provider: text(row, "provider"), status: status(row), body: text(row, "body") }
    }
}

/// A refusal, and what it is.
pub(super) struct Refusal {
    pub(super) provider: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    pub(super) label: Value,
}

impl Refusal {
    pub(super) fn read(row: &Value) -> Self {
        let body = match row.get("body") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        Self {
            provider: text(row, "provider"),
            status: status(row),
            headers: header_map(&lines(row.get("headers"))),
            body,
            label: row.get("label").cloned().unwrap_or_default(),
        }
    }
}

fn text(row: &Value, name: &str) -> String {
    row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn status(row: &Value) -> StatusCode {
    let status = row.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK)
}

/// Headers as lines; of one that was repeated, each line.
fn lines(headers: Option<&Value>) -> Vec<(String, String)> {
    let Some(headers) = headers.and_then(Value::as_object) else { return Vec::new() };
    let of = |(name, value): (&String, &Value)| -> Vec<(String, String)> {
        let values = match value {
            Value::Array(values) => values.clone(),
            value => vec![value.clone()],
        };
        values.iter().filter_map(Value::as_str).map(|value| (name.clone(), value.to_owned())).collect()
    };
    headers.iter().flat_map(of).collect()
}

fn header_map(lines: &[(String, String)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.append(name, value);
        }
    }
    headers
}
