//! Tiktoken's encodings: text to tokens and back.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use tiktoken_rs::CoreBPE;

use crate::counting::{engine, is_made};

/// A vocabulary and the rules that cut text into its tokens.
///
/// All text is ordinary text: `<|endoftext|>` in a prompt is the thirteen characters, never the control token, because
/// that is how providers treat what users send.
///
/// Counting takes time linear in the length of the text, whatever is in it, and no memory. So does encoding, but for a run
/// of one kind of character without a break (a megabyte of one letter), where a logarithm comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// GPT-4, GPT-3.5 and the embedding models.
    Cl100kBase,
    /// GPT-4o, GPT-4.1, GPT-5 and the o series.
    O200kBase,
    /// gpt-oss: the vocabulary of [`O200kBase`](Self::O200kBase) with other control tokens.
    O200kHarmony,
    /// Codex and `text-davinci-002`/`-003`.
    P50kBase,
    /// The edit models: the vocabulary of [`P50kBase`](Self::P50kBase) with other control tokens.
    P50kEdit,
    /// GPT-2 and GPT-3; also known as `gpt2`.
    R50kBase,
}

/// No encoding has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding {name:?}; known are {}", Known)]
pub struct UnknownEncoding {
    name: String,
}

impl UnknownEncoding {
    /// The name that was asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Displays the names of all encodings.
struct Known;

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for encoding in Encoding::ALL {
            write!(f, "{}, ", encoding.name())?;
        }
        f.write_str("gpt2")
    }
}

/// Why tokens are not a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The encoding has no such token.
    #[error("{encoding} has no token {token}")]
    UnknownToken {
        /// The encoding that was asked.
        encoding: Encoding,
        /// The number that is no token of it.
        token: u32,
    },
    /// The tokens' bytes are not UTF-8: the list was cut inside a character.
    #[error("the bytes of the tokens are not UTF-8 from byte {valid_up_to} on")]
    NotUtf8 {
        /// How many bytes are valid.
        valid_up_to: usize,
    },
}

impl Encoding {
    /// What is assumed where nothing better is known: the newest vocabulary, [`O200kBase`](Self::O200kBase).
    pub const DEFAULT: Self = Self::O200kBase;

    /// Every encoding.
    pub const ALL: [Self; 6] =
        [Self::Cl100kBase, Self::O200kBase, Self::O200kHarmony, Self::P50kBase, Self::P50kEdit, Self::R50kBase];

    /// The encoding called `name`, in tiktoken's spelling. `gpt2` is [`R50kBase`](Self::R50kBase).
    ///
    /// # Errors
    ///
    /// [`UnknownEncoding`], which lists the known names.
    pub fn by_name(name: &str) -> Result<Self, UnknownEncoding> {
        let wanted = if name == "gpt2" { Self::R50kBase.name() } else { name };
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.name() == wanted)
            .ok_or_else(|| UnknownEncoding { name: name.to_owned() })
    }

    /// The encoding of a model, if it is one whose encoding is public.
    ///
    /// Reads the names that providers and routers use: dated (`gpt-4o-2024-08-06`), fine-tuned (`ft:gpt-4o:org::id`),
    /// prefixed (`openai/gpt-4o`), with a variant (`gpt-4o:free`), in any case.
    #[must_use]
    pub fn for_model(model: &str) -> Option<Self> {
        crate::model::encoding_of(model)
    }

    /// The encoding of a model, or [`Encoding::DEFAULT`] where it is not known.
    #[must_use]
    pub fn for_model_or_default(model: &str) -> Self {
        Self::for_model(model).unwrap_or(Self::DEFAULT)
    }

    /// The name in tiktoken's spelling: `cl100k_base`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cl100kBase => "cl100k_base",
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
            Self::P50kBase => "p50k_base",
            Self::P50kEdit => "p50k_edit",
            Self::R50kBase => "r50k_base",
        }
    }

    /// Makes what counts tokens ready now instead of on first use. Takes up to a twentieth of a second the first time,
    /// nothing afterwards. Encoding and decoding unpack a vocabulary of their own, on first use.
    pub fn load(self) {
        engine(self);
    }

    /// Whether counting is ready, so that the next count takes no time for that.
    #[must_use]
    pub fn is_loaded(self) -> bool {
        is_made(self)
    }

    /// How many tokens `text` has: as many as [`encode`](Self::encode) makes, several times faster and without making
    /// them. For white space that tiktoken-rs cannot cut it is what tiktoken's rules say.
    #[must_use]
    pub fn count(self, text: &str) -> usize {
        engine(self).count(text)
    }

    /// The tokens of `text`.
    ///
    /// Equal to tiktoken's for every text but one with more than half a million consecutive white-space characters,
    /// which tiktoken-rs cannot cut. Such a text is cut in halves until it can, which may add a token or two for each
    /// half million.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u32> {
        let mut tokens = Vec::with_capacity(text.len() / 4);
        encode_into(self.ordinary(), text, &mut tokens);
        tokens
    }

    /// The text of `tokens`. Control tokens become their names.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where a number is no token of this encoding or the bytes are not UTF-8, as when a list was cut
    /// inside a character; [`decode_bytes`](Self::decode_bytes) gives the bytes.
    pub fn decode(self, tokens: &[u32]) -> Result<String, DecodeError> {
        String::from_utf8(self.decode_bytes(tokens)?)
            .map_err(|error| DecodeError::NotUtf8 { valid_up_to: error.utf8_error().valid_up_to() })
    }

    /// The bytes of `tokens`.
    ///
    /// # Errors
    ///
    /// [`DecodeError::UnknownToken`] where a number is no token of this encoding.
    pub fn decode_bytes(self, tokens: &[u32]) -> Result<Vec<u8>, DecodeError> {
        self.complete()
            .decode_bytes(tokens)
            .map_err(|error| DecodeError::UnknownToken { encoding: self, token: error.token })
    }

    /// The vocabulary for ordinary text. Encodings that differ in their control tokens alone share one, which is half
    /// of the memory saved.
    fn ordinary(self) -> &'static CoreBPE {
        match self {
            Self::O200kHarmony => Self::O200kBase.complete(),
            Self::P50kEdit => Self::P50kBase.complete(),
            _ => self.complete(),
        }
    }

    /// The vocabulary with control tokens.
    fn complete(self) -> &'static CoreBPE {
        match self {
            Self::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
            Self::O200kBase => tiktoken_rs::o200k_base_singleton(),
            Self::O200kHarmony => tiktoken_rs::o200k_harmony_singleton(),
            Self::P50kBase => tiktoken_rs::p50k_base_singleton(),
            Self::P50kEdit => tiktoken_rs::p50k_edit_singleton(),
            Self::R50kBase => tiktoken_rs::r50k_base_singleton(),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::by_name(name)
    }
}

/// Appends the tokens of `text`.
///
/// `CoreBPE::encode` without special tokens is `encode_ordinary`, except that it answers an error where the latter
/// panics: its regular expressions give up on about a million consecutive white-space characters. The error comes
/// within milliseconds, so trying again with each half costs little, and the depth is the logarithm of the length.
fn encode_into(vocabulary: &CoreBPE, text: &str, tokens: &mut Vec<u32>) {
    if let Ok((found, _)) = vocabulary.encode(text, &HashSet::new()) {
        tokens.extend(found);
    } else if let Some((left, right)) = halves(text) {
        encode_into(vocabulary, left, tokens);
        encode_into(vocabulary, right, tokens);
    }
}

/// Cuts near the middle, where possible at a place where every encoding cuts: behind a letter or digit and in front of
/// white space. `None` for a text of one character or none.
fn halves(text: &str) -> Option<(&str, &str)> {
    let middle = text.len() / 2;
    let always_cut = |pair: &[u8]| matches!(pair, [left, right] if left.is_ascii_alphanumeric() && *right == b' ');
    let cut = text
        .as_bytes()
        .get(..middle)
        .and_then(|left| left.windows(2).rposition(always_cut))
        .map(|position| position + 1)
        .or_else(|| (middle.max(1)..text.len()).find(|&at| text.is_char_boundary(at)))?;
    text.split_at_checked(cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_finds_its_encoding_and_the_encoding_its_name() {
        for encoding in Encoding::ALL {
            assert_eq!(Encoding::by_name(encoding.name()), Ok(encoding));
            assert_eq!(encoding.to_string().parse(), Ok(encoding));
        }
        assert_eq!(Encoding::by_name("gpt2"), Ok(Encoding::R50kBase));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        for name in ["", "o200k", "O200K_BASE", "gpt-4o"] {
            let error = Encoding::by_name(name).unwrap_err();
            assert_eq!(error.name(), name);
            assert!(
                error.to_string().ends_with(
                    "known are cl100k_base, o200k_base, o200k_harmony, p50k_base, p50k_edit, r50k_base, gpt2"
                )
            );
        }
    }

    #[test]
    fn texts_have_the_tokens_that_tiktoken_gives_them() {
        fn check(encoding: Encoding, text: &str, expected: &[u32]) {
            assert_eq!(encoding.encode(text), expected, "{encoding} {text:?}");
            assert_eq!(encoding.count(text), expected.len());
            assert!(encoding.is_loaded());
            assert_eq!(encoding.decode(expected).as_deref(), Ok(text));
        }
        check(Encoding::Cl100kBase, "", &[]);
        check(Encoding::Cl100kBase, "hello world", &[15339, 1917]);
        check(Encoding::O200kBase, "hello world", &[24912, 2375]);
        check(Encoding::O200kHarmony, "hello world", &[24912, 2375]);
        check(Encoding::P50kBase, "hello world", &[31373, 995]);
        check(Encoding::P50kEdit, "hello world", &[31373, 995]);
        check(Encoding::R50kBase, "hello world", &[31373, 995]);
    }

    #[test]
    fn the_name_of_a_control_token_is_text() {
        for encoding in Encoding::ALL {
            let tokens = encoding.encode("<|endoftext|>");
            assert!(tokens.len() > 4, "{encoding}: {tokens:?}");
            assert_eq!(encoding.decode(&tokens).as_deref(), Ok("<|endoftext|>"));
        }
    }

    #[test]
    fn control_tokens_decode_to_their_names() {
        assert_eq!(Encoding::O200kBase.decode(&[199_999]).as_deref(), Ok("<|endoftext|>"));
        assert_eq!(Encoding::O200kHarmony.decode(&[200_006]).as_deref(), Ok("<|start|>"));
    }

    #[test]
    fn tokens_that_are_no_text_are_a_typed_error() {
        let encoding = Encoding::Cl100kBase;
        assert_eq!(encoding.decode(&[u32::MAX]), Err(DecodeError::UnknownToken { encoding, token: u32::MAX }));
        let tokens = encoding.encode("a🦀");
        let cut = &tokens[..tokens.len() - 1];
        assert_eq!(encoding.decode(cut), Err(DecodeError::NotUtf8 { valid_up_to: 1 }));
        assert!(encoding.decode_bytes(cut).is_ok_and(|bytes| bytes.starts_with(b"a")));
    }

    #[test]
    fn long_runs_of_one_character_finish() {
        for letter in ["a", "A", " ", "\n", "漢", "9", "!", "\u{301}"] {
            let text = letter.repeat(200_000 / letter.len());
            let tokens = Encoding::Cl100kBase.encode(&text);
            assert_eq!(Encoding::Cl100kBase.decode(&tokens).as_deref(), Ok(text.as_str()));
        }
    }

    #[test]
    fn white_space_too_long_for_the_regular_expression_loses_nothing() {
        let text = format!("before {} after", " ".repeat(1_200_000));
        let tokens = Encoding::Cl100kBase.encode(&text);
        assert_eq!(Encoding::Cl100kBase.decode(&tokens).as_deref(), Ok(text.as_str()));
        assert!(tokens.len() < 20_000, "{}", tokens.len());
    }

    #[test]
    fn halves_are_cut_in_front_of_a_word_or_between_characters() {
        fn check(text: &str, expected: Option<(&str, &str)>) {
            assert_eq!(halves(text), expected, "{text:?}");
        }
        check("", None);
        check("漢", None);
        check("one two three", Some(("one", " two three")));
        check("漢漢漢", Some(("漢漢", "漢")));
        check("    ", Some(("  ", "  ")));
    }

    proptest! {
        #[test]
        fn halves_at_a_word_have_the_tokens_of_the_whole(left in ".{0,40}[a-zA-Z0-9]", right in " .{0,40}") {
            let whole = format!("{left}{right}");
            for encoding in [Encoding::Cl100kBase, Encoding::P50kBase] {
                let mut tokens = encoding.encode(&left);
                tokens.extend(encoding.encode(&right));
                prop_assert_eq!(tokens, encoding.encode(&whole));
            }
        }

        #[test]
        fn any_text_survives_the_way_there_and_back(text in "\\PC{0,200}") {
            let tokens = Encoding::Cl100kBase.encode(&text);
            prop_assert_eq!(Encoding::Cl100kBase.decode(&tokens), Ok(text));
        }
    }
}
