//! OpenAI's errors: `{"error": {"message", "type", "param", "code"}}`.

use http::StatusCode;
use serde_json::json;

use super::{ORGANIZATION, duration, limit_headers};
use crate::faces::{Exchange, Reply, milliseconds_up, put, seconds_up};
use crate::faces::{Limited, Problem};
use crate::quota::Dimension;
use crate::telling::Said;

fn error(status: StatusCode, message: &str, kind: &str, parameter: Option<&str>, code: Option<&str>) -> Reply {
    Reply::new(status, json!({"error": {"message": message, "type": kind, "param": parameter, "code": code}}))
}

fn invalid(status: StatusCode, message: &str, parameter: Option<&str>, code: Option<&str>) -> Reply {
    error(status, message, "invalid_request_error", parameter, code)
}

/// What OpenAI answers when something is wrong.
pub(crate) fn refuse(problem: &Problem, exchange: &Exchange) -> Reply {
    let bad_request = |message: String, parameter: &str, code: &str| {
        invalid(StatusCode::BAD_REQUEST, &message, Some(parameter), Some(code))
    };
    match problem {
        Problem::UnknownPath { method, path } => {
            invalid(StatusCode::NOT_FOUND, &format!("Invalid URL ({method} {path})"), None, None)
        }
        Problem::WrongMethod { method, path, allowed } => {
            let message =
                format!("Not allowed to {method} on {path}. (HINT: Perhaps you meant to use a different HTTP method?)");
            let mut reply = invalid(StatusCode::METHOD_NOT_ALLOWED, &message, None, Some("method_not_supported"));
            put(&mut reply.headers, "allow", allowed);
            reply
        }
        Problem::NoKey => invalid(
            StatusCode::UNAUTHORIZED,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer \
             auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from \
             https://platform.openai.com/account/api-keys.",
            None,
            None,
        ),
        // The provider shows the ends of the key; a simulator shows nothing of it.
        Problem::WrongKey => invalid(
            StatusCode::UNAUTHORIZED,
            "Incorrect API key provided: ********. You can find your API key at \
             https://platform.openai.com/account/api-keys.",
            None,
            Some("invalid_api_key"),
        ),
        Problem::BodyTooLarge => {
            invalid(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large.", None, Some("request_too_large"))
        }
        Problem::NotJson => invalid(
            StatusCode::BAD_REQUEST,
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP \
             library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you \
             have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
            None,
            None,
        ),
        Problem::Missing("model") => invalid(StatusCode::BAD_REQUEST, "you must provide a model parameter", None, None),
        Problem::Missing(name) => {
            bad_request(format!("Missing required parameter: '{name}'."), name, "missing_required_parameter")
        }
        Problem::Empty(name) => bad_request(
            format!(
                "Invalid '{name}': empty array. Expected an array with minimum length 1, but got an empty array instead."
            ),
            name,
            "empty_array",
        ),
        Problem::WrongType { parameter, expected, found } => bad_request(
            format!("Invalid type for '{parameter}': expected {expected}, but got {found} instead."),
            parameter,
            "invalid_type",
        ),
        Problem::TooSmall { parameter, minimum, found } => bad_request(
            format!(
                "Invalid '{parameter}': integer below minimum value. Expected a value >= {minimum}, but got {found} \
                 instead."
            ),
            parameter,
            "integer_below_min_value",
        ),
        Problem::TooLarge { parameter, maximum, found } => bad_request(
            format!(
                "Invalid '{parameter}': integer above maximum value. Expected a value <= {maximum}, but got {found} \
                 instead."
            ),
            parameter,
            "integer_above_max_value",
        ),
        Problem::Limited(limited) => limit_reached(limited),
        Problem::ServerError => {
            let id = exchange.hex_id("req_", 32);
            let message = format!(
                "The server had an error processing your request. Sorry about that! You can retry your request, or \
                 contact us through our help center at help.openai.com if you keep seeing this error. (Please include \
                 the request ID {id} in your email.)"
            );
            error(StatusCode::INTERNAL_SERVER_ERROR, &message, "server_error", None, None)
        }
        Problem::Overloaded => error(
            StatusCode::SERVICE_UNAVAILABLE,
            "The engine is currently overloaded, please try again later",
            "server_error",
            None,
            None,
        ),
    }
}

/// The 429. Its hint is the exact wait, rounded up to the millisecond.
fn limit_reached(limited: &Limited) -> Reply {
    let refusal = &limited.refusal;
    let (kind, unit) = match refusal.dimension {
        Dimension::Requests => ("requests", "requests per min (RPM)"),
        Dimension::DailyRequests => ("requests", "requests per day (RPD)"),
        Dimension::Tokens | Dimension::InputTokens | Dimension::OutputTokens => ("tokens", "tokens per min (TPM)"),
    };
    let (model, limit, used, requested) = (&limited.model, refusal.limit, refusal.used, refusal.requested);
    let more = "Visit https://platform.openai.com/account/rate-limits to learn more.";
    let message = match refusal.wait {
        None => format!(
            "Request too large for {model} in organization {ORGANIZATION} on {unit}: Limit {limit}, Requested \
             {requested}. The input or output tokens must be reduced in order to run successfully. {more}"
        ),
        Some(_) if limited.said != Said::All => format!("Rate limit reached for {kind}"),
        Some(wait) => format!(
            "Rate limit reached for {model} in organization {ORGANIZATION} on {unit}: Limit {limit}, Used {used}, \
             Requested {requested}. Please try again in {}. {more}",
            duration::go(milliseconds_up(wait))
        ),
    };
    let mut reply = error(StatusCode::TOO_MANY_REQUESTS, &message, kind, None, Some("rate_limit_exceeded"));
    if limited.said == Said::All {
        reply.headers = limit_headers(&limited.readings, limited.at, limited.telling);
        if let Some(wait) = refusal.wait {
            put(&mut reply.headers, "retry-after-ms", milliseconds_up(wait));
        }
    }
    if let Some(wait) = refusal.wait.filter(|_| limited.said != Said::Nothing) {
        put(&mut reply.headers, "retry-after", seconds_up(wait));
    }
    reply
}
