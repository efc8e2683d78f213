//! The engine beside tiktoken-rs.

use std::sync::LazyLock;

use proptest::prelude::*;
use tiktoken_rs::CoreBPE;

use super::engine::concrete;
use super::{engine, heap, long};
use crate::Encoding;

const ENCODINGS: [Encoding; 4] = [Encoding::R50kBase, Encoding::P50kBase, Encoding::Cl100kBase, Encoding::O200kBase];

fn reference(encoding: Encoding) -> &'static CoreBPE {
    match encoding {
        Encoding::R50kBase => tiktoken_rs::r50k_base_singleton(),
        Encoding::P50kBase | Encoding::P50kEdit => tiktoken_rs::p50k_base_singleton(),
        Encoding::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
        Encoding::O200kBase | Encoding::O200kHarmony => tiktoken_rs::o200k_base_singleton(),
    }
}

fn check(text: &str) {
    for encoding in ENCODINGS {
        let expected = reference(encoding).encode_ordinary(text).len();
        assert_eq!(
            engine(encoding).count(text),
            expected,
            "{encoding} {:?}",
            text.chars().take(80).collect::<String>()
        );
    }
}

#[test]
fn every_token_of_tiktoken_has_its_rank_and_nothing_else_has_one() {
    for encoding in ENCODINGS {
        let ranks = concrete(encoding).ranks();
        let mut known = 0;
        for rank in 0..200_100 {
            let Ok(token) = reference(encoding).decode_bytes(&[rank]) else { continue };
            let is_control = token.starts_with(b"<|") && token.ends_with(b"|>");
            let found = ranks.of_range(&token, 0, token.len());
            if !is_control {
                assert_eq!(found, rank as i32, "{encoding} {token:?}");
                known += 1;
            }
        }
        assert_eq!(known, ranks.len(), "{encoding}");
    }
}

#[test]
fn texts_of_every_kind_have_as_many_tokens_as_tiktoken_gives_them() {
    for text in [
        "",
        "a",
        " ",
        "\n",
        "hello world",
        "<|endoftext|>",
        "It's you'll we'VE I'ſ 'S don’t 'tis",
        "fn main() {\n    println!(\"{}\", x);\n}\n\n",
        "a/b\n/c //\r\n/ !\n\n",
        "  leading\t\ttabs  and   spaces   ",
        "\r\n\r\n  \n x",
        "12345 1 22 333 4444 ½¾ ٣٤٥٦",
        "CamelCaseHTTPServer ÀÉ ǅ ʰʰ aʰB",
        "\u{301}A \u{301}\u{301}aB e\u{301} 漢\u{301}字",
        "日本語のテキストと、漢字。",
        "안녕하세요 세계",
        "🦀🦀 👩‍👩‍👧 🏳️‍🌈",
        "\u{3000}全角\u{3000}\u{3000}x\u{a0}\u{a0}y\u{2028}z",
        "\0\0\0\u{7f}\u{10FFFF}",
    ] {
        check(text);
    }
}

/// Half a megabyte and more, without a break: what backtracking takes longest for.
#[test]
fn hostile_texts_have_as_many_tokens_as_tiktoken_gives_them() {
    for unit in ["a", " ", "\n", "漢", "9", "!", "\u{301}", "ab", "🦀", "\t ", "A", "aA", "'s", "\r\n", "="] {
        check(&unit.repeat(60_000 / unit.len()));
    }
    for alphabet in
        ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "etaoin", "的一是不了人我在有他"]
    {
        check(&scrambled(alphabet, 60_000));
    }
}

/// Characters of `alphabet` in an order without a pattern, the same each time.
fn scrambled(alphabet: &str, bytes: usize) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = 1_u64;
    let mut text = String::new();
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push(letters[(state >> 33) as usize % letters.len()]);
    }
    text
}

#[test]
fn white_space_that_tiktoken_gives_up_on_is_counted() {
    let text = format!("before {} after", " ".repeat(1_200_000));
    for encoding in [Encoding::Cl100kBase, Encoding::O200kBase] {
        assert!((9_000..20_000).contains(&engine(encoding).count(&text)), "{encoding}");
    }
}

#[test]
fn windows_fit_together_whatever_is_repeated() {
    for encoding in ENCODINGS {
        let ranks = concrete(encoding).ranks();
        for unit in ["a", "ab", "abc", " ", "=-", "漢字", "the", "ing", "\u{301}"] {
            let text = unit.repeat(2_000);
            assert_eq!(long::windows(ranks, text.as_bytes()), Some(heap::count(ranks, text.as_bytes())), "{unit:?}");
        }
    }
}

/// Characters of all kinds that pieces differ by, the rare ones as often as the common ones.
pub(super) fn any_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        prop::sample::select(vec![
            ' ', ' ', '\n', '\r', '\t', '\'', '/', 's', 't', 'L', 'l', 'v', 'e', 'R', 'D', 'm', 'ſ', 'K', '\u{212A}',
            'a', 'b', 'Z', 'é', 'ǅ', 'ʰ', 'ª', '漢', 'あ', '한', '\u{301}', '\u{903}', '1', '2', '½', 'Ⅷ', '!', '=',
            '-', '🦀', '\u{3000}', '\u{a0}', '\u{85}', '\u{200d}',
        ]),
        prop::char::range('a', 'f'),
    ];
    prop::collection::vec(character, 0..120).prop_map(|characters| characters.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_has_as_many_tokens_as_tiktoken_gives_it(text in any_text()) {
        for encoding in ENCODINGS {
            let expected = reference(encoding).encode_ordinary(&text).len();
            prop_assert_eq!(engine(encoding).count(&text), expected, "{}", encoding);
        }
    }
}

/// Tokens of o200k_base that are long, without the space before them: side by side they are pieces of many windows.
static LONG_TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let reference = reference(Encoding::O200kBase);
    let tokens = (0..200_000).filter_map(|rank| reference.decode_bytes(&[rank]).ok());
    let tokens = tokens.filter_map(|token| String::from_utf8(token).ok()).map(|token| token.trim().to_owned());
    tokens.filter(|token| token.len() >= 12).collect()
});

/// A few long tokens, one beside the other in any order, whole and cut.
fn long_tokens() -> impl Strategy<Value = String> {
    let some = prop::collection::vec((any::<prop::sample::Index>(), 0_usize..3), 1..5);
    let order = prop::collection::vec(any::<prop::sample::Index>(), 1..300);
    (some, order).prop_map(|(some, order)| {
        let units: Vec<String> =
            some.iter().map(|(index, cut)| index.get(&LONG_TOKENS).chars().skip(*cut).collect()).collect();
        order.iter().map(|index| index.get(&units).as_str()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn long_tokens_without_spaces_are_counted_as_tiktoken_does(text in long_tokens()) {
        for encoding in ENCODINGS {
            let expected = reference(encoding).encode_ordinary(&text).len();
            prop_assert_eq!(engine(encoding).count(&text), expected, "{}", encoding);
        }
    }

    /// Pieces of several windows: without spaces, of few letters and of many, of bytes that are no text.
    #[test]
    fn windows_merge_as_the_whole_does(
        bytes in prop_oneof![
            prop::collection::vec(b'a'..=b'z', 200..6_000),
            prop::collection::vec(prop::sample::select(b"ab ".to_vec()), 200..6_000),
            prop::collection::vec(prop::sample::select(b"\xe4\xb8\xad\xe6\x96\x87\xe7\x9a\x84".to_vec()), 200..6_000),
            prop::collection::vec(any::<u8>(), 200..6_000),
        ],
    ) {
        for encoding in ENCODINGS {
            let ranks = concrete(encoding).ranks();
            prop_assert_eq!(long::count(ranks, &bytes), heap::count(ranks, &bytes), "{}", encoding);
        }
    }
}
