//! The pieces beside those that the encodings' regular expressions find.

use std::sync::LazyLock;

use fancy_regex::Regex;
use proptest::prelude::*;

use super::super::classes::Classes;
use super::super::tests::any_text;
use super::Pieces;

const R50K: &str = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s";
const CL100K: &str = concat!(
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+",
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
);
const O200K: &str = concat!(
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

static EXPRESSIONS: LazyLock<[(Pieces, Regex); 3]> = LazyLock::new(|| {
    [(Pieces::R50k, R50K), (Pieces::Cl100k, CL100K), (Pieces::O200k, O200K)]
        .map(|(pieces, pattern)| (pieces, Regex::new(pattern).unwrap()))
});

fn ends(pieces: Pieces, text: &str) -> Vec<usize> {
    let next = |at: &usize| (*at < text.len()).then(|| pieces.end(Classes::all(), text, *at));
    std::iter::successors(Some(0), next).skip(1).collect()
}

fn check(text: &str) {
    for (pieces, expression) in EXPRESSIONS.iter() {
        let expected: Vec<usize> = expression.find_iter(text).map(|found| found.unwrap().end()).collect();
        assert_eq!(ends(*pieces, text), expected, "{pieces:?} {text:?}");
    }
}

#[test]
fn texts_are_cut_where_the_expressions_cut_them() {
    for text in [
        "",
        "It's you'll we'VE I'ſ 'S don’t 'tis 'x",
        "CamelCaseHTTPServer ÀÉ ǅ ʰʰ aʰB Aʰ",
        "\u{301}A \u{301}\u{301}aB !\u{301}A e\u{301} 漢\u{301}字 \u{301}",
        "a/b\n/c //\r\n/ !\n\n  \n x\r\n",
        "12345 1 22½ ٣٤٥٦",
        "\u{3000}全角\u{3000}\u{3000}x\u{a0}\u{a0}y\u{2028}z  ",
    ] {
        check(text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text_is_cut_where_the_expressions_cut_it(text in any_text()) {
        check(&text);
    }
}
