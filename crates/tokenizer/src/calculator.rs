//! The token calculator by name: of an encoding, of a model, or of anything else.

use crate::{DecodeError, Encoding};

/// Counts and cuts texts in the encoding of a given name.
///
/// ```
/// let calculator = tokenizer::TiktokenCalculator::new("gpt-4o");
/// assert_eq!(calculator.calculate("hello world"), 2);
/// assert_eq!(calculator.tokenize_text("hello world"), ["hello", " world"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TiktokenCalculator {
    encoding: Encoding,
}

impl TiktokenCalculator {
    /// A calculator for `name`: an encoding (`cl100k_base`), a model (`gpt-4o`), or else [`Encoding::DEFAULT`].
    #[must_use]
    pub fn new(name: &str) -> Self {
        let encoding = Encoding::by_name(name).unwrap_or_else(|_| Encoding::for_model_or_default(name));
        Self { encoding }
    }

    /// The encoding in use.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How many tokens `text` has.
    #[must_use]
    pub fn calculate(&self, text: &str) -> usize {
        self.encoding.count(text)
    }

    /// The bytes of each token of `text`. Joined they are the text; one alone may be part of a character.
    #[must_use]
    pub fn tokenize(&self, text: &str) -> Vec<Vec<u8>> {
        // Every token comes from this encoding, so none is unknown to it.
        self.encode(text).iter().filter_map(|token| self.encoding.decode_bytes(&[*token]).ok()).collect()
    }

    /// The text of each token of `text`, with `U+FFFD` where a token holds only part of a character.
    #[must_use]
    pub fn tokenize_text(&self, text: &str) -> Vec<String> {
        self.tokenize(text).iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
    }

    /// The tokens of `text`.
    #[must_use]
    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.encoding.encode(text)
    }

    /// The text of `tokens`.
    ///
    /// # Errors
    ///
    /// As [`Encoding::decode`].
    pub fn decode(&self, tokens: &[u32]) -> Result<String, DecodeError> {
        self.encoding.decode(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_an_encoding_a_model_or_the_default() {
        fn check(name: &str, expected: Encoding) {
            assert_eq!(TiktokenCalculator::new(name).encoding(), expected, "{name:?}");
        }
        check("cl100k_base", Encoding::Cl100kBase);
        check("gpt2", Encoding::R50kBase);
        check("gpt-4", Encoding::Cl100kBase);
        check("openai/gpt-4o", Encoding::O200kBase);
        check("claude-sonnet-4-5", Encoding::O200kBase);
        check("", Encoding::O200kBase);
    }

    #[test]
    fn a_token_that_splits_a_character_is_bytes_or_a_replacement() {
        let calculator = TiktokenCalculator::new("cl100k_base");
        let text = "a🦀";
        assert!(calculator.calculate(text) > 2);
        assert_eq!(calculator.tokenize(text).concat(), text.as_bytes());
        assert!(calculator.tokenize_text(text).concat().starts_with("a\u{FFFD}"));
    }

    #[test]
    fn the_name_of_a_control_token_is_text() {
        let calculator = TiktokenCalculator::new("cl100k_base");
        assert_eq!(calculator.calculate("<|endoftext|>"), 7);
        assert_eq!(calculator.tokenize_text("<|endoftext|>").concat(), "<|endoftext|>");
    }

    proptest! {
        #[test]
        fn tokens_joined_are_the_text(text in "\\PC{0,100}") {
            let calculator = TiktokenCalculator::new("cl100k_base");
            prop_assert_eq!(calculator.tokenize(&text).concat(), text.as_bytes());
            prop_assert_eq!(calculator.tokenize(&text).len(), calculator.calculate(&text));
            prop_assert_eq!(calculator.decode(&calculator.encode(&text)), Ok(text));
        }
    }
}
