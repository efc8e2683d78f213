//! Which fields a payload has: what is required, what may be left out, and what holds where nothing is said.

use serde_json::{Map, Value};

use super::PayloadError;

/// The fields of one kind of payload.
///
/// Null is the same as nothing; zero, `false` and empty texts, lists and objects in optional fields are values and are
/// sent. A required field that is missing, null or an empty text is an error that names it.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    input: String,
    required: Vec<String>,
    optional: Vec<String>,
    defaults: Map<String, Value>,
    is_closed: bool,
}

impl Schema {
    /// A schema whose input (the messages, the file, the text) stands in the field `input`. Fields that it does not know
    /// are sent as they are, because providers add fields faster than programs are updated.
    #[must_use]
    pub fn new(input: impl Into<String>) -> Self {
        Self { input: input.into(), required: Vec::new(), optional: Vec::new(), defaults: Map::new(), is_closed: false }
    }

    /// The same with further required fields.
    #[must_use]
    pub fn with_required<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.required.extend(fields.into_iter().map(Into::into));
        self
    }

    /// The same with further optional fields.
    #[must_use]
    pub fn with_optional<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.optional.extend(fields.into_iter().map(Into::into));
        self
    }

    /// The same with what holds where nothing is said about `field`.
    #[must_use]
    pub fn with_default(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.defaults.insert(field.into(), value.into());
        self
    }

    /// The same, but a field that it does not know is an error.
    #[must_use]
    pub const fn closed(mut self) -> Self {
        self.is_closed = true;
        self
    }

    /// Reads a schema from `{"required": [..], "optional": [..], "config": {..}}`, each of which may be missing. `config`
    /// holds the defaults.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] where one of the three has another shape.
    pub fn from_value(input: impl Into<String>, schema: &Value) -> Result<Self, PayloadError> {
        let names = |member: &'static str| match schema.get(member) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| name.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| PayloadError::unusable(member, "must be a list of names")),
            Some(_) => Err(PayloadError::unusable(member, "must be a list of names")),
        };
        let defaults = match schema.get("config") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(defaults)) => defaults.clone(),
            Some(_) => return Err(PayloadError::unusable("config", "must be an object")),
        };
        let (required, optional) = (names("required")?, names("optional")?);
        Ok(Self { input: input.into(), required, optional, defaults, is_closed: false })
    }

    /// The name of the field that holds the input.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// The fields that must be there, beside the input.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.required.iter().map(String::as_str)
    }

    /// The fields that may be left out.
    pub fn optional(&self) -> impl Iterator<Item = &str> {
        self.optional.iter().map(String::as_str)
    }

    /// What holds where nothing is said.
    #[must_use]
    pub const fn defaults(&self) -> &Map<String, Value> {
        &self.defaults
    }

    /// The payload: the input, and the fields of `config` over the defaults.
    ///
    /// # Errors
    ///
    /// [`PayloadError`] names the field that is missing, or that the schema does not know where it is closed.
    pub fn payload(&self, input: Value, config: &Map<String, Value>) -> Result<Value, PayloadError> {
        let fields = self.fields(config)?;
        if is_nothing(&input) || input.as_array().is_some_and(Vec::is_empty) {
            return Err(PayloadError::missing(self.input.clone()));
        }
        let mut payload = Map::from_iter([(self.input.clone(), input)]);
        payload.extend(fields);
        Ok(Value::Object(payload))
    }

    /// Every field but the input.
    pub(crate) fn fields(&self, config: &Map<String, Value>) -> Result<Map<String, Value>, PayloadError> {
        let mut fields = self.defaults.clone();
        fields.extend(
            config.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone())),
        );
        fields.retain(|name, value| !value.is_null() && *name != self.input);
        if let Some(missing) =
            self.required.iter().find(|name| **name != self.input && fields.get(*name).is_none_or(is_nothing))
        {
            return Err(PayloadError::missing(missing.clone()));
        }
        if self.is_closed
            && let Some(unknown) =
                fields.keys().find(|name| !self.required.contains(name) && !self.optional.contains(name))
        {
            return Err(PayloadError::unusable(unknown.clone(), "the schema does not know this field"));
        }
        Ok(fields)
    }
}

/// Whether a required field says nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn schema() -> Schema {
        Schema::new("messages").with_required(["model", "n"]).with_optional(["stop", "stream"]).with_default("n", 1)
    }

    #[test]
    fn what_is_missing_is_named() {
        let check = |input: Value, fields: Value, expected: &str| {
            assert_eq!(schema().payload(input, &config(fields)).unwrap_err().to_string(), expected);
        };
        check(json!(["m"]), json!({}), "`model` is required");
        check(json!(["m"]), json!({"model": null}), "`model` is required");
        check(json!(["m"]), json!({"model": " "}), "`model` is required");
        check(json!([]), json!({"model": "x"}), "`messages` is required");
        check(json!(null), json!({"model": "x"}), "`messages` is required");
        check(json!(""), json!({"model": "x"}), "`messages` is required");
    }

    #[test]
    fn zero_false_none_and_empty_are_values_and_null_is_nothing() {
        let fields = json!({"model": "x", "n": 0, "stream": false, "stop": [], "tool_choice": "none", "user": null});
        let expected =
            json!({"messages": ["m"], "model": "x", "n": 0, "stream": false, "stop": [], "tool_choice": "none"});
        assert_eq!(schema().payload(json!(["m"]), &config(fields)), Ok(expected));
    }

    #[test]
    fn null_leaves_the_default() {
        let payload = schema().payload(json!(["m"]), &config(json!({"model": "x", "n": null})));
        assert_eq!(payload, Ok(json!({"messages": ["m"], "model": "x", "n": 1})));
    }

    #[test]
    fn the_input_is_the_one_that_was_passed() {
        let payload = schema().payload(json!(["m"]), &config(json!({"model": "x", "messages": ["other"]})));
        assert_eq!(payload.unwrap()["messages"], json!(["m"]));
    }

    #[test]
    fn a_closed_schema_names_the_field_that_it_does_not_know() {
        let fields = config(json!({"model": "x", "max_tokens": 7}));
        let error = schema().closed().payload(json!(["m"]), &fields).unwrap_err();
        assert_eq!(error.to_string(), "`max_tokens` cannot be used: the schema does not know this field");
        assert_eq!(schema().payload(json!(["m"]), &fields).unwrap()["max_tokens"], 7);
    }

    #[test]
    fn an_empty_schema_asks_for_nothing_but_its_input() {
        let schema = Schema::from_value("messages", &json!({})).unwrap();
        assert_eq!(schema.payload(json!(["m"]), &Map::new()), Ok(json!({"messages": ["m"]})));
        assert!(schema.payload(json!([]), &Map::new()).is_err());
    }

    #[test]
    fn a_schema_of_another_shape_is_refused() {
        for (value, field) in [
            (json!({"required": "model"}), "required"),
            (json!({"optional": [1]}), "optional"),
            (json!({"config": []}), "config"),
        ] {
            assert_eq!(Schema::from_value("messages", &value).unwrap_err().field(), field);
        }
    }
}
