//! A line of a result file, in the form of OpenAI's batch output.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::input::InvalidLine;
use crate::{Answer, Error};

#[derive(Serialize)]
struct ResultLine<'a> {
    id: String,
    custom_id: Option<&'a str>,
    response: Option<Response<'a>>,
    error: Option<Problem<'a>>,
}

#[derive(Serialize)]
struct Response<'a> {
    status_code: u16,
    request_id: Option<&'a str>,
    body: Body<'a>,
}

/// JSON as it came, or text that is not JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Json(&'a RawValue),
    Text(Cow<'a, str>),
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    message: String,
}

/// The identifier of the result of the input's line `number`.
pub(super) fn id(number: u64) -> String {
    format!("batch_req_{number}")
}

/// The number of the input's line from the identifier of its result.
pub(super) fn number(id: &str) -> Option<u64> {
    id.strip_prefix("batch_req_")?.parse().ok()
}

/// Appends the result of a request that was sent, or failed before.
pub(super) fn write_outcome(out: &mut Vec<u8>, number: u64, custom_id: &str, outcome: &Result<Answer, Error>) {
    let line_of = |body: Option<&[u8]>, status: Option<u16>, request_id, error| {
        let body = body.map(one_line);
        let response = status.zip(body.as_ref()).map(|(status_code, body)| Response {
            status_code,
            request_id,
            body: match serde_json::from_slice::<&RawValue>(body) {
                Ok(json) => Body::Json(json),
                Err(_) => Body::Text(String::from_utf8_lossy(body)),
            },
        });
        serde_json::to_vec(&ResultLine { id: id(number), custom_id: Some(custom_id), response, error })
    };
    let line = match outcome {
        Ok(answer) => line_of(Some(&answer.body), Some(answer.status.as_u16()), answer.request_id(), None),
        Err(error) => {
            let problem = Problem { code: error.code(), message: error.to_string() };
            let status = error.status().map(|status| status.as_u16());
            line_of(error.body().map(|body| &body[..]), status, error.request_id(), Some(problem))
        }
    };
    push(out, line);
}

/// Appends the result of a line that was no request; `place` is its file and line.
pub(super) fn write_invalid(out: &mut Vec<u8>, number: u64, place: &str, invalid: &InvalidLine) {
    let error = Some(Problem { code: "invalid_line", message: format!("{place}: {}", invalid.why) });
    let custom_id = invalid.custom_id.as_deref();
    push(out, serde_json::to_vec(&ResultLine { id: id(number), custom_id, response: None, error }));
}

fn push(out: &mut Vec<u8>, line: serde_json::Result<Vec<u8>>) {
    // Strings, numbers and checked JSON: there is nothing here that cannot be written.
    if let Ok(line) = line {
        out.extend(line);
        out.push(b'\n');
    }
}

/// JSON on one line. Inside strings it has no line breaks, so all there are stand between tokens.
fn one_line(body: &[u8]) -> Cow<'_, [u8]> {
    if body.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        Cow::Owned(body.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect())
    } else {
        Cow::Borrowed(body)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use serde_json::{Value, json};

    use super::*;

    fn written(outcome: &Result<Answer, Error>) -> Value {
        let mut out = Vec::new();
        write_outcome(&mut out, 3, "a", outcome);
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn an_answer_is_written_on_one_line_however_the_provider_formats_it() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "req_1".parse().unwrap());
        let answer = Answer {
            status: StatusCode::OK,
            headers,
            body: Bytes::from_static(b"{\n  \"text\": \"a\\nb\"\r\n}\n"),
            usage: None,
            attempts: 1,
            rate_limited_attempts: 0,
            history: crate::History::default(),
        };
        let expected = json!({
            "id": "batch_req_3", "custom_id": "a", "error": null,
            "response": { "status_code": 200, "request_id": "req_1", "body": { "text": "a\nb" } },
        });
        assert_eq!(written(&Ok(answer)), expected);
    }

    #[test]
    fn a_failure_without_an_answer_has_no_response() {
        let line = written(&Err(Error::request("no such URL")));
        assert_eq!((&line["response"], &line["error"]["code"]), (&Value::Null, &json!("invalid_request")));
        assert_eq!(line["error"]["message"], "no such URL");
    }

    #[test]
    fn the_number_of_a_line_survives_in_its_identifier() {
        assert_eq!(number(&id(1_000_000)), Some(1_000_000));
        assert_eq!(number("batch_req_x"), None);
    }
}
