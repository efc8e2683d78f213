//! What a request asks for, as far as it decides what a success may look like.

use http::header::ACCEPT;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::request::Request;

/// Segments of paths under which things are kept at a provider: what comes from there may state the error of a job or of an
/// earlier answer, and be the success that it claims to be.
const KEPT: [&str; 14] = [
    "files",
    "uploads",
    "batches",
    "jobs",
    "fine_tuning",
    "fine-tuning",
    "fine_tunes",
    "fine-tunes",
    "tunedModels",
    "vector_stores",
    "evals",
    "containers",
    "operations",
    "cancel",
];

/// Whether `request` has something generated, so that its answer is what the request comes to. Anything else (a GET, an
/// upload, a job that is started or cancelled) answers what it likes.
pub(crate) fn generates(request: &Request) -> bool {
    let path = request.path.split(['?', '#']).next().unwrap_or_default();
    request.method == Method::POST && !path.split('/').any(|segment| KEPT.contains(&segment))
}

/// Whether what answers `request`, which [generates] something, with this content type and a body has to be one JSON value:
/// because it says that it is, or because it is a gateway's page in place of an answer in JSON.
pub(super) fn has_to_be_json(request: &Request, content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        // Lines of JSON, whatever the name says.
        "application/stream+json" => false,
        "text/html" | "application/xhtml+xml" => {
            let is_json = matches!(request.body.trim_ascii_start().first(), Some(b'{' | b'['));
            is_json && !accepts_text(&request.headers) && !asks_for_text(&request.body)
        }
        other => other == "application/json" || other.ends_with("+json"),
    }
}

fn accepts_text(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains("text/"))
}

/// Whether a body asks for text in place of JSON, as one for a transcription may.
fn asks_for_text(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let format = body.get("response_format").and_then(Value::as_str);
    matches!(format, Some("text" | "html" | "markdown" | "srt" | "vtt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_posted_generates_except_where_something_is_kept() {
        for path in ["/v1/chat/completions", "/chat/completions?x=/files/", "/v1beta/models/m:generateContent", ""] {
            assert!(generates(&Request::post(path, "{}")), "{path}");
            assert!(!generates(&Request::get(path)), "{path}");
        }
        for path in ["/v1/files", "/v1/messages/batches", "v1/fine_tuning/jobs/1/cancel", "/v1/responses/r/cancel?a=b"]
        {
            assert!(!generates(&Request::post(path, "{}")), "{path}");
        }
    }

    #[test]
    fn json_is_demanded_where_it_is_claimed_and_in_place_of_a_page() {
        let question = Request::post("/v1/chat/completions", "{\"response_format\":{\"type\":\"text\"}}");
        for (content_type, expected) in [
            ("application/json; charset=utf-8", true),
            ("Application/Problem+JSON", true),
            ("text/html; charset=utf-8", true),
            ("text/plain", false),
            ("application/x-jsonl", false),
            ("application/stream+json", false),
            ("audio/mpeg", false),
            ("", false),
        ] {
            assert_eq!(has_to_be_json(&question, content_type), expected, "{content_type}");
        }
        for body in ["{\"response_format\":\"text\"}", "--boundary\r\n", ""] {
            assert!(!has_to_be_json(&Request::post("/v1/audio/transcriptions", body), "text/html"), "{body}");
        }
        let mut page = question;
        page.headers.insert(ACCEPT, http::HeaderValue::from_static("text/html, */*"));
        assert!(!has_to_be_json(&page, "text/html"));
    }
}
