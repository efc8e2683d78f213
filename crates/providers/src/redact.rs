//! A server's words as they may be shown: without keys, and of bounded length.

use crate::Failure;

const MASK: &str = "***";

/// The text with keys masked and control characters replaced, at most [`Failure::MESSAGE_LIMIT`] bytes.
///
/// Servers repeat the key that they refuse. A word counts as one where it begins like a key (`sk-...`) or where the
/// words in front of it say so (`Incorrect API key provided: ...`).
pub(crate) fn presentable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(Failure::MESSAGE_LIMIT));
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let at_word = !shown.ends_with(|c: char| c.is_ascii_alphanumeric());
        let word = if at_word { key_at_start(rest, &shown) } else { "" };
        let (piece, length) = if word.is_empty() { (None, next.len_utf8()) } else { (Some(MASK), word.len()) };
        if shown.len() + piece.map_or(length, str::len) > Failure::MESSAGE_LIMIT {
            break;
        }
        match piece {
            Some(mask) => shown.push_str(mask),
            None => shown.push(if next.is_control() { ' ' } else { next }),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    shown
}

/// The key that `rest` begins with; empty where it does not.
fn key_at_start<'a>(rest: &'a str, before: &str) -> &'a str {
    let ends_word = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | ')' | '<' | '\\');
    let word = rest.get(..rest.find(ends_word).unwrap_or(rest.len())).unwrap_or_default().trim_end_matches('.');
    let is_announced =
        ["key provided: ", "api key: ", "api_key=", "Bearer "].iter().any(|words| before.ends_with(words));
    let looks_like_a_key = word.starts_with("sk-") && word.len() >= 8;
    if is_announced || looks_like_a_key { word } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked() {
        let check = |text: &str, expected: &str| assert_eq!(presentable(text), expected, "{text}");
        check("Incorrect API key provided: sk-proj-abc_DEF123. You can", "Incorrect API key provided: ***. You can");
        check("Incorrect API key provided: hunter2. You can", "Incorrect API key provided: ***. You can");
        check("Your api key: abcd is invalid", "Your api key: *** is invalid");
        check(r#"{"key":"sk-or-v1-0123456789"}"#, r#"{"key":"***"}"#);
        check("header was: Bearer abc.def", "header was: Bearer ***");
    }

    #[test]
    fn other_words_stay() {
        let text = "a risk-free task-list of sk-1, where the API key: is";
        assert_eq!(presentable(text), text);
    }

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(presentable("a\r\nb\u{1b}[31m"), "a  b [31m");
    }

    #[test]
    fn the_length_is_bounded() {
        for word in ["é", "sk-aaaaaaa ", "x", "🦀"] {
            let shown = presentable(&word.repeat(5_000));
            assert!(shown.len() <= Failure::MESSAGE_LIMIT && shown.len() > Failure::MESSAGE_LIMIT - 4, "{word}");
        }
    }
}
