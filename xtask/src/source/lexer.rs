//! Telling code from comments and literals.

/// The text with every character of a comment or a literal replaced by a space; lines stay where they are.
pub(super) fn blank_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (kind, length) = next_token(rest);
        // A length outside the text cannot come; if it did, the rest of the text would be one token.
        let (token, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        match kind {
            Kind::Code => code.push_str(token),
            Kind::Blank => code.extend(token.chars().map(|c| if c == '\n' { '\n' } else { ' ' })),
        }
        rest = after;
    }
    code
}

#[derive(Clone, Copy)]
enum Kind {
    Code,
    /// A comment, a string or a character.
    Blank,
}

/// The kind and the length in bytes of the token that `text` starts with. Where its end is missing it goes to the end of
/// the text.
fn next_token(text: &str) -> (Kind, usize) {
    if text.starts_with("//") {
        return (Kind::Blank, text.find('\n').unwrap_or(text.len()));
    }
    if let Some(comment) = text.strip_prefix("/*") {
        return (Kind::Blank, text.len() - after_block_comment(comment).len());
    }
    if let Some(after) = after_string(text).or_else(|| after_character(text)) {
        return (Kind::Blank, text.len() - after.len());
    }
    // A word is one token: the `r` of `char` does not open a raw string.
    let word = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    (Kind::Code, if word > 0 { word } else { text.chars().next().map_or(1, char::len_utf8) })
}

/// What follows the block comment whose inside `text` starts with. Block comments nest.
fn after_block_comment(mut text: &str) -> &str {
    let mut depth = 1_usize;
    while depth > 0 {
        let Some(at) = text.find("*/").into_iter().chain(text.find("/*")).min() else { return "" };
        let Some((marker, after)) = text.split_at_checked(at).and_then(|(_, marked)| marked.split_at_checked(2)) else {
            return "";
        };
        depth = if marker == "/*" { depth + 1 } else { depth - 1 };
        text = after;
    }
    text
}

/// What follows the string, of any kind, that `text` starts with.
fn after_string(text: &str) -> Option<&str> {
    let unprefixed = ["b", "c"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let quoted = raw.trim_start_matches('#');
        let hashes = raw.len() - quoted.len();
        let close = format!("\"{}", "#".repeat(hashes));
        return quoted.strip_prefix('"').map(|inside| inside.split_once(&close).map_or("", |(_, after)| after));
    }
    unprefixed.strip_prefix('"').map(|inside| after_unescaped('"', inside))
}

/// What follows the character literal that `text` starts with. A lifetime is none.
fn after_character(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('b').unwrap_or(text).strip_prefix('\'')?;
    if inside.starts_with('\\') {
        return Some(after_unescaped('\'', inside));
    }
    let mut characters = inside.chars();
    characters.next()?;
    characters.as_str().strip_prefix('\'')
}

/// What follows the first `quote` that no backslash stands before.
fn after_unescaped(quote: char, text: &str) -> &str {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            break;
        }
    }
    characters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `expected` with its blanks squeezed, because how many there are is known from `text`.
    fn check(text: &str, expected: &str) {
        let code = blank_comments_and_literals(text);
        assert_eq!(code.chars().count(), text.chars().count(), "{text}");
        assert_eq!(code.lines().count(), text.lines().count(), "{text}");
        assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), expected, "{text}");
    }

    #[test]
    fn comments_are_not_code() {
        check("a // b\nc", "a c");
        check("a /* b */ c", "a c");
        check("a /* b /* c */ d */ e", "a e");
        check("/// doc\nfn", "fn");
        check("a / b * c", "a / b * c");
    }

    #[test]
    fn literals_are_not_code() {
        check(r#"a("b") c"#, "a( ) c");
        check(r#"a("b\"c") d"#, "a( ) d");
        check(r##"a(r"b\") c"##, "a( ) c");
        check(r###"a(r#"b"c"#) d"###, "a( ) d");
        check(r#"a(b"b", c"c") d"#, "a( , ) d");
        check(r"a('b', '\'', '\u{1F600}', b'c', '\\') d", "a( , , , , ) d");
        check("a(\"b // c\nd\") e", "a( ) e");
    }

    #[test]
    fn what_only_looks_like_a_literal_is_code() {
        check("fn a<'b>(c: &'b str)", "fn a<'b>(c: &'b str)");
        check("'outer: loop { break 'outer; }", "'outer: loop { break 'outer; }");
        check("r#type(bar, cr, br)", "r#type(bar, cr, br)");
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        for text in ["\"a", "'\\", "/* a", "/* a /* b */", "r#\"a\"", "b\"", "r###", "'", "// a", "/*/"] {
            check(
                text,
                match text {
                    "r###" => "r###",
                    "'" => "'",
                    _ => "",
                },
            );
        }
    }

    #[test]
    fn text_beyond_ascii_is_read_by_characters() {
        check("é \"é\" 'é' // é\né", "é é");
    }
}
