//! The most that a request can produce.

use serde_json::Value;

/// The request's limit on the tokens of one answer, times the answers it asks for; `None` where it sets no limit.
///
/// `max_completion_tokens` replaces `max_tokens` where both are set
/// (<https://platform.openai.com/docs/api-reference/chat/create>); `max_output_tokens` is the limit of the responses
/// API, `generationConfig.maxOutputTokens` Gemini's, and `inferenceConfig.maxTokens` that of Bedrock's Converse. `best_of` of text completions produces more answers than it
/// returns.
pub(super) fn max_output(payload: &Value) -> Option<u64> {
    let nested = ["generationConfig", "generation_config", "inferenceConfig"].map(|key| payload.get(key));
    let settings = [&[Some(payload)], &nested[..]].concat();
    let setting = |names: &[&str]| {
        names.iter().find_map(|name| settings.iter().flatten().find_map(|settings| whole(settings.get(*name)?)))
    };
    let one = setting(&[
        "max_completion_tokens",
        "max_output_tokens",
        "maxOutputTokens",
        "max_tokens",
        "max_tokens_to_sample",
        "maxTokens",
    ])?;
    let answers = setting(&["n", "candidateCount", "candidate_count"]).unwrap_or(1).max(1);
    Some(one.saturating_mul(answers.max(setting(&["best_of"]).unwrap_or(0))))
}

/// A number that is whole or can be cut to one, saturating. Not a negative one.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_most_is_the_limit_of_one_answer_times_the_answers() {
        fn check(payload: Value, expected: Option<u64>) {
            assert_eq!(max_output(&payload), expected, "{payload}");
        }
        check(json!({}), None);
        check(json!({"max_tokens": 100}), Some(100));
        check(json!({"max_tokens": 0}), Some(0));
        check(json!({"max_completion_tokens": 50, "max_tokens": 100}), Some(50));
        check(json!({"max_output_tokens": 70}), Some(70));
        check(json!({"generationConfig": {"maxOutputTokens": 80, "candidateCount": 2}}), Some(160));
        check(json!({"inferenceConfig": {"maxTokens": 90, "topP": 0.9}}), Some(90));
        check(json!({"max_tokens": 100, "n": 3}), Some(300));
        check(json!({"max_tokens": 100, "n": 2, "best_of": 5}), Some(500));
        check(json!({"max_tokens": 100, "n": 0}), Some(100));
        check(json!({"max_tokens": 1e3}), Some(1_000));
        check(json!({"n": 3}), None);
    }

    #[test]
    fn a_limit_that_is_none_is_absent() {
        for limit in [json!(null), json!(-1), json!("100"), json!([100]), json!({}), json!(true)] {
            assert_eq!(max_output(&json!({"max_tokens": limit})), None);
        }
        assert_eq!(max_output(&json!({"max_completion_tokens": null, "max_tokens": 100})), Some(100));
    }

    #[test]
    fn the_most_saturates() {
        assert_eq!(max_output(&json!({"max_tokens": u64::MAX, "n": u64::MAX})), Some(u64::MAX));
        assert_eq!(max_output(&json!({"max_tokens": 1e300})), Some(u64::MAX));
    }

    #[test]
    fn a_payload_that_is_no_object_has_no_limit() {
        for payload in [json!(null), json!(1), json!("max_tokens"), json!([{"max_tokens": 1}])] {
            assert_eq!(max_output(&payload), None);
        }
    }
}
