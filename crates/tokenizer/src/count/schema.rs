//! The schema that an answer must follow, as OpenAI's models are told it.

use serde_json::{Map, Value};

use super::tally::{Tally, is_shallow};

/// Keywords that bind what the model may write and are not written into the prompt. Found by comparing recorded
/// requests, which are charged the same with and without them.
const NOT_TOLD: [&str; 16] = [
    "$schema",
    "additionalProperties",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "required",
    "uniqueItems",
];

/// Adds a format's `name`, `description` and `schema` and what surrounds them. Nothing where there is no schema.
pub(super) fn count(format: &Value, around: u64, tally: &mut Tally) {
    let Some(schema) = format.get("schema") else {
        return;
    };
    tally.add(around);
    tally.field(format, "name");
    if tally.field(format, "description") {
        tally.add(1);
    }
    if is_shallow(schema) { tally.json(&told(schema)) } else { tally.strings(schema) }
}

/// The schema without the keywords that are not told. A property may be called like one of them, so the names of
/// properties and definitions are kept.
fn told(schema: &Value) -> Value {
    match schema {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(key, _)| !NOT_TOLD.contains(&key.as_str()))
                .map(|(key, field)| match (key.as_str(), field) {
                    ("properties" | "$defs" | "definitions", Value::Object(named)) => (key.clone(), each(named)),
                    _ => (key.clone(), told(field)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(told).collect()),
        plain => plain.clone(),
    }
}

fn each(named: &Map<String, Value>) -> Value {
    Value::Object(named.iter().map(|(name, schema)| (name.clone(), told(schema))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_only_binds_is_not_told() {
        fn check(schema: Value, expected: Value) {
            assert_eq!(told(&schema), expected, "{schema}");
        }
        check(
            json!({"type": "object", "additionalProperties": false, "required": ["age"],
                "properties": {"age": {"type": "integer", "minimum": 0, "title": "Age"}}}),
            json!({"type": "object", "properties": {"age": {"type": "integer", "title": "Age"}}}),
        );
        check(
            json!({"type": "array", "minItems": 1, "items": {"type": "string", "format": "email"}}),
            json!({"type": "array", "items": {"type": "string"}}),
        );
        check(json!(true), json!(true));
    }

    #[test]
    fn a_property_called_like_a_keyword_is_told() {
        let schema = json!({"properties": {"format": {"type": "string", "format": "date"}}});
        assert_eq!(told(&schema), json!({"properties": {"format": {"type": "string"}}}));
    }
}
