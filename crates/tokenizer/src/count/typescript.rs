//! Functions as OpenAI's models see them: TypeScript types in a namespace.
//!
//! The form is published for gpt-oss (<https://cookbook.openai.com/articles/openai-harmony>, "Function calling"), and
//! the closed models are charged as if they were written the same.

use std::collections::HashSet;

use serde_json::Value;

use super::tally::DEEPEST;

/// The comment and type of every function in `functions`, in their namespace.
pub(super) fn namespace<'a>(functions: impl Iterator<Item = Function<'a>>) -> String {
    let mut text = String::from("namespace functions {\n\n");
    for function in functions {
        function.write(&mut text);
    }
    text.push_str("} // namespace functions");
    text
}

/// One function: what the model is told about it.
#[derive(Clone, Copy)]
pub(super) struct Function<'a> {
    name: &'a str,
    description: Option<&'a str>,
    parameters: Option<&'a Value>,
}

impl<'a> Function<'a> {
    /// Reads `name`, `description` and `parameters`; anything else in `definition` is not told to the model.
    pub(super) fn of(definition: &'a Value) -> Self {
        Self {
            name: definition.get("name").and_then(Value::as_str).unwrap_or_default(),
            description: definition.get("description").and_then(Value::as_str).filter(|text| !text.is_empty()),
            parameters: definition.get("parameters").filter(|schema| has_properties(schema)),
        }
    }

    fn write(self, text: &mut String) {
        if let Some(description) = self.description {
            comment(description, text);
        }
        text.push_str("type ");
        text.push_str(self.name);
        match self.parameters {
            Some(schema) => {
                text.push_str(" = (_: {\n");
                // What is said of all parameters together stands in front of the first one. Found by what recorded
                // requests were charged, as what is said of each.
                for words in ["title", "description"].iter().filter_map(|key| schema.get(*key)?.as_str()) {
                    comment(words, text);
                }
                properties(schema, 0, text);
                text.push_str("}) => any;\n\n");
            }
            None => text.push_str(" = () => any;\n\n"),
        }
    }
}

fn comment(description: &str, text: &mut String) {
    text.push_str("// ");
    text.push_str(description);
    text.push('\n');
}

fn has_properties(schema: &Value) -> bool {
    schema.get("properties").and_then(Value::as_object).is_some_and(|properties| !properties.is_empty())
}

/// One property a line, with its title and description in front while it is not nested.
fn properties(schema: &Value, depth: usize, text: &mut String) {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let required: HashSet<&str> = required.filter_map(Value::as_str).collect();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if depth == 0 {
            told(property, text);
        }
        text.push_str(name);
        text.push_str(if required.contains(name.as_str()) { ": " } else { "?: " });
        type_of(property, depth, text);
        text.push_str(",\n");
    }
    if schema.get("additionalProperties") == Some(&Value::Bool(true)) {
        text.push_str("[k: string]: any,\n");
    }
}

/// Comments on a property: its title and description, and what its type does not say. That bounds, formats and defaults
/// are written so was found by what recorded requests were charged with and without them.
fn told(property: &Value, text: &mut String) {
    for words in ["title", "description"].iter().filter_map(|key| property.get(*key)?.as_str()) {
        comment(words, text);
    }
    for key in ["minimum", "maximum", "format", "default"] {
        match property.get(key) {
            None | Some(Value::Null | Value::Array(_) | Value::Object(_)) => {}
            Some(Value::String(value)) => comment(&format!("{key}: {value}"), text),
            Some(number) => comment(&format!("{key}: {number}"), text),
        }
    }
}

/// The TypeScript type of a JSON schema.
fn type_of(schema: &Value, depth: usize, text: &mut String) {
    if depth > DEEPEST {
        return text.push_str("any");
    }
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return union(values, text, |value, text| match value {
            Value::Array(_) | Value::Object(_) => text.push_str("any"),
            plain => text.push_str(&plain.to_string()),
        });
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema.get(key).and_then(Value::as_array) {
            return union(schemas, text, |schema, text| type_of(schema, depth + 1, text));
        }
    }
    match schema.get("type") {
        Some(Value::Array(names)) => {
            // Each name once: said twice, and again in what is nested, it would be written two to the depth times.
            let mut seen = HashSet::new();
            let names = names.iter().map(|name| name.as_str().unwrap_or_default());
            let names: Vec<&str> = names.filter(|name| seen.insert(*name)).collect();
            union(&names, text, |name, text| named(name, schema, depth, text));
        }
        name => named(name.and_then(Value::as_str).unwrap_or_default(), schema, depth, text),
    }
}

fn union<T>(members: &[T], text: &mut String, mut write: impl FnMut(&T, &mut String)) {
    for (position, member) in members.iter().enumerate() {
        if position > 0 {
            text.push_str(" | ");
        }
        write(member, text);
    }
}

fn named(name: &str, schema: &Value, depth: usize, text: &mut String) {
    match name {
        "integer" => text.push_str("number"),
        "string" | "number" | "boolean" | "null" => text.push_str(name),
        "array" => {
            match schema.get("items") {
                Some(items) => type_of(items, depth + 1, text),
                None => text.push_str("any"),
            }
            text.push_str("[]");
        }
        "object" if has_properties(schema) => {
            text.push_str("{\n");
            properties(schema, depth + 1, text);
            text.push('}');
        }
        "object" => text.push_str("object"),
        _ => text.push_str("any"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(definition: Value, expected: &str) {
        let text = namespace([Function::of(&definition)].into_iter());
        assert_eq!(text, format!("namespace functions {{\n\n{expected}\n\n}} // namespace functions"));
    }

    #[test]
    fn a_function_is_a_commented_type() {
        check(json!({"name": "now"}), "type now = () => any;");
        check(json!({"name": "now", "description": "The time"}), "// The time\ntype now = () => any;");
        let object = json!({"type": "object", "properties": {}});
        check(json!({"name": "now", "parameters": object}), "type now = () => any;");
    }

    #[test]
    fn parameters_are_properties_with_their_descriptions() {
        check(
            json!({"name": "weather", "parameters": {"type": "object", "required": ["city"], "properties": {
                "city": {"type": "string", "description": "A city", "title": "City"},
                "unit": {"type": "string", "enum": ["C", "F"]},
            }}}),
            "type weather = (_: {\n// City\n// A city\ncity: string,\nunit?: \"C\" | \"F\",\n}) => any;",
        );
    }

    #[test]
    fn what_a_type_does_not_say_is_a_comment() {
        check(
            json!({"name": "f", "parameters": {"title": "Args", "type": "object", "additionalProperties": true,
                "properties": {"n": {"type": "integer", "minimum": 1, "default": 2}, "d": {"type": "string", "format": "date"}}}}),
            "type f = (_: {\n// Args\n// format: date\nd?: string,\n// minimum: 1\n// default: 2\nn?: number,\n\
             [k: string]: any,\n}) => any;",
        );
    }

    #[test]
    fn types_are_those_of_typescript() {
        fn check_type(schema: Value, expected: &str) {
            let mut text = String::new();
            type_of(&schema, 0, &mut text);
            assert_eq!(text, expected, "{schema}");
        }
        check_type(json!({"type": "integer"}), "number");
        check_type(json!({"type": ["string", "null"]}), "string | null");
        check_type(json!({"anyOf": [{"type": "boolean"}, {"type": "null"}]}), "boolean | null");
        check_type(json!({"type": "array", "items": {"type": "string"}}), "string[]");
        check_type(json!({"type": "array"}), "any[]");
        check_type(json!({"type": "object"}), "object");
        check_type(
            json!({"type": "object", "properties": {"a": {"type": "string", "description": "left out"}}}),
            "{\na?: string,\n}",
        );
        check_type(json!({}), "any");
        check_type(json!("string"), "any");
        check_type(json!({"enum": [1, [2], null]}), "1 | any | null");
    }

    #[test]
    fn a_type_that_is_named_again_in_what_is_nested_is_written_once() {
        let twice = |inner: Value| json!({"type": ["array", "array"], "items": inner});
        let deep = (0..60).fold(json!({"type": ["string", "string", "null"]}), |inner, _| twice(inner));
        let mut text = String::new();
        type_of(&deep, 0, &mut text);
        assert_eq!(text, format!("string | null{}", "[]".repeat(60)));
    }

    #[test]
    fn a_schema_without_an_end_is_cut() {
        let deep = (0..2_000).fold(json!({"type": "string"}), |items, _| json!({"type": "array", "items": items}));
        let mut text = String::new();
        type_of(&deep, 0, &mut text);
        assert!(text.starts_with("any[]"), "{text}");
    }
}
