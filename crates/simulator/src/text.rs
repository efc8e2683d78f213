//! The answers: texts and vectors that follow from the request and the seed alone.

use crate::random::Random;

/// Keeps the draws for answers apart from other draws with the same seed.
const SALT: u64 = 0x7e87;

/// What the texts are made of. One word is one token.
const WORDS: [&str; 64] = [
    "the",
    "a",
    "one",
    "each",
    "every",
    "small",
    "bright",
    "quiet",
    "steady",
    "open",
    "early",
    "late",
    "river",
    "road",
    "letter",
    "window",
    "garden",
    "clock",
    "market",
    "engine",
    "harbour",
    "signal",
    "teacher",
    "captain",
    "neighbour",
    "singer",
    "weather",
    "morning",
    "evening",
    "question",
    "answer",
    "reason",
    "moves",
    "waits",
    "turns",
    "follows",
    "carries",
    "opens",
    "begins",
    "returns",
    "measures",
    "remembers",
    "explains",
    "counts",
    "slowly",
    "often",
    "again",
    "today",
    "almost",
    "together",
    "under",
    "over",
    "beside",
    "after",
    "before",
    "between",
    "and",
    "or",
    "because",
    "while",
    "with",
    "without",
    "towards",
    "through",
];

/// One answer to a prompt: its tokens, and whether it was cut short.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    random: Random,
    /// How many tokens it has.
    pub(crate) tokens: u64,
    /// Whether it would have gone on.
    pub(crate) cut: bool,
}

impl Answer {
    /// Choice number `choice` of the answer to the prompt whose bytes hash to `prompt`, within `(least, most)` tokens
    /// and at most `ceiling`.
    pub(crate) fn new(seed: u64, prompt: u64, choice: u64, (least, most): (u64, u64), ceiling: Option<u64>) -> Self {
        let mut random = Random::keyed(&[seed, SALT, prompt, choice]);
        let natural = least.saturating_add(random.below((most - least).saturating_add(1)));
        let tokens = ceiling.map_or(natural, |ceiling| natural.min(ceiling));
        Self { random, tokens, cut: tokens < natural }
    }

    /// The text, token by token.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = String> + Send + use<> {
        let mut random = self.random.clone();
        let (tokens, cut) = (self.tokens, self.cut);
        (1..=tokens).map(move |number| {
            let word = WORDS.get(random.below(WORDS.len() as u64) as usize).copied().unwrap_or("the");
            let end = if number == tokens && !cut { "." } else { "" };
            if number == 1 { format!("{}{end}", capitalized(word)) } else { format!(" {word}{end}") }
        })
    }

    /// The whole text.
    pub(crate) fn text(&self) -> String {
        self.pieces().collect()
    }
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_ascii_uppercase().to_string() + characters.as_str()).unwrap_or_default()
}

/// A vector of length one with `dimensions` numbers.
pub(crate) fn vector(seed: u64, prompt: u64, index: u64, dimensions: u64) -> Vec<f32> {
    let mut random = Random::keyed(&[seed, SALT, prompt, index]);
    let raw: Vec<f64> = (0..dimensions).map(|_| random.fraction() - 0.5).collect();
    let length = raw.iter().map(|number| number * number).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    raw.into_iter().map(|number| (number / length) as f32).collect()
}

/// The little-endian bytes of `vector` in base64, as embeddings are sent when asked for.
pub(crate) fn base64(vector: &[f32]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, place| bits << 8 | u32::from(chunk.get(place).copied().unwrap_or(0)));
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 0x3f;
            let digit = ALPHABET.get(sextet as usize).copied().unwrap_or(b'=');
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_gets_the_same_answer() {
        let text = |seed, prompt, choice| Answer::new(seed, prompt, choice, (5, 50), None).text();
        assert_eq!(text(1, 2, 0), text(1, 2, 0));
        assert_ne!(text(1, 2, 0), text(1, 2, 1));
        assert_ne!(text(1, 2, 0), text(2, 2, 0));
    }

    #[test]
    fn a_ceiling_cuts_the_answer() {
        let answer = Answer::new(1, 2, 0, (5, 50), Some(3));
        assert_eq!((answer.tokens, answer.cut), (3, true));
        assert_eq!(answer.pieces().count(), 3);
        assert!(!answer.text().ends_with('.'));
        let answer = Answer::new(1, 2, 0, (5, 50), Some(50));
        assert!((5..=50).contains(&answer.tokens) && !answer.cut);
        assert!(answer.text().ends_with('.'));
    }

    #[test]
    fn a_vector_has_the_dimensions_asked_for_and_length_one() {
        let vector = vector(1, 2, 0, 256);
        assert_eq!(vector.len(), 256);
        assert!((vector.iter().map(|number| number * number).sum::<f32>() - 1.0).abs() < 1e-4);
    }

    #[test]
    fn base64_is_written_with_its_padding() {
        #[track_caller]
        fn check(vector: &[f32], expected: &str) {
            assert_eq!(base64(vector), expected);
        }
        check(&[], "");
        check(&[1.0], "AACAPw==");
        check(&[1.0, -2.0], "AACAPwAAAMA=");
        check(&[1.0, 1.0, 1.0], "AACAPwAAgD8AAIA/");
    }
}
