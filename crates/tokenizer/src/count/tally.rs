//! The running sum of one request.

use serde_json::Value;

use super::Shape;
use super::media::{Medium, Prices};
use crate::Encoding;

/// How deep a value may be nested to be written out as JSON or read as content. Anything deeper is hostile or broken,
/// and is walked by a loop instead.
pub(super) const DEEPEST: usize = 64;

/// The tokens and images of one request, so far.
pub(super) struct Tally {
    encoding: Encoding,
    prices: Prices,
    input: u64,
    images: u64,
    shape: Shape,
}

impl Tally {
    pub(super) fn new(encoding: Encoding, prices: Prices) -> Self {
        Self { encoding, prices, input: 0, images: 0, shape: Shape::default() }
    }

    pub(super) fn input(&self) -> u64 {
        self.input
    }

    pub(super) fn images(&self) -> u64 {
        self.images
    }

    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    pub(super) fn shape_mut(&mut self) -> &mut Shape {
        &mut self.shape
    }

    /// Does what adds definitions: tools, or the schema of the answer.
    pub(super) fn definitions<T>(&mut self, add: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.input;
        let result = add(self);
        self.shape.definitions = self.shape.definitions.saturating_add(self.input.saturating_sub(before));
        result
    }

    /// Does what adds tokens, and adds so many hundredths of them: where a provider's tokenizer is not public, and cuts
    /// such text finer or coarser than the encoding does.
    pub(super) fn scaled(&mut self, hundredths: u64, add: impl FnOnce(&mut Self)) {
        let before = self.input;
        add(self);
        let added = self.input.saturating_sub(before);
        self.input = before.saturating_add(added.saturating_mul(hundredths) / 100);
    }

    pub(super) fn add(&mut self, tokens: u64) {
        self.input = self.input.saturating_add(tokens);
    }

    pub(super) fn subtract(&mut self, tokens: u64) {
        self.input = self.input.saturating_sub(tokens);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.add(self.tokens_of(text));
    }

    /// How many tokens a text has, without adding them.
    pub(super) fn tokens_of(&self, text: &str) -> u64 {
        self.encoding.count(text) as u64
    }

    /// Adds the tokens of a string field, and answers whether it is there.
    pub(super) fn field(&mut self, object: &Value, key: &str) -> bool {
        let text = object.get(key).and_then(Value::as_str);
        if let Some(text) = text {
            self.text(text);
        }
        text.is_some()
    }

    pub(super) fn medium(&mut self, medium: Medium) {
        let tokens = self.prices.of_medium(medium);
        self.add(tokens);
        self.shape.media = self.shape.media.saturating_add(tokens);
        if matches!(medium, Medium::Image { .. }) {
            self.images = self.images.saturating_add(1);
        }
    }

    /// Adds the tokens of a value written as compact JSON, or of its strings alone where it is nested too deep.
    pub(super) fn json(&mut self, value: &Value) {
        // The depth first: writing a value out descends on the stack.
        match is_shallow(value).then(|| serde_json::to_string(value)) {
            Some(Ok(text)) => self.text(&text),
            _ => self.strings(value),
        }
    }

    /// Adds every string in `value`, at any depth. Media among them are counted as media.
    pub(super) fn strings(&mut self, value: &Value) {
        let mut rest = vec![value];
        while let Some(value) = rest.pop() {
            match value {
                Value::String(text) => match Medium::of_data_url(text) {
                    Some(medium) => self.medium(medium),
                    None => self.text(text),
                },
                Value::Array(items) => rest.extend(items),
                Value::Object(fields) => match Medium::of_part(fields) {
                    Some(medium) => self.medium(medium),
                    None => rest.extend(fields.values()),
                },
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }
}

/// Whether nothing in `value` is nested deeper than [`DEEPEST`].
pub(super) fn is_shallow(value: &Value) -> bool {
    let mut rest = vec![(value, 0)];
    while let Some((value, depth)) = rest.pop() {
        if depth > DEEPEST {
            return false;
        }
        match value {
            Value::Array(items) => rest.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => rest.extend(fields.values().map(|field| (field, depth + 1))),
            _ => {}
        }
    }
    true
}
