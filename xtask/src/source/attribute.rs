//! Attributes, and the items they stand on.

/// One attribute.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attribute<'a> {
    /// The line it starts on, from 1.
    pub(crate) line: usize,
    /// Whether it is `#![...]`: about what it stands in.
    pub(crate) inner: bool,
    /// What is between the brackets, without blanks and without the contents of strings.
    pub(crate) text: String,
    /// The line it ends on.
    last_line: usize,
    /// The code after it.
    after: &'a str,
}

impl Attribute<'_> {
    /// The line on which the item ends that this attribute stands on.
    pub(crate) fn last_line_of_item(&self) -> usize {
        let mut line = self.last_line;
        let mut depth = 0_usize;
        for character in self.after.chars() {
            match character {
                '\n' => line += 1,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth > 1 => depth -= 1,
                ')' | ']' if depth == 1 => depth = 0,
                // The end of the item's body, or of what the item stands in.
                ')' | ']' | '}' => break,
                ';' if depth == 0 => break,
                _ => {}
            }
        }
        line
    }
}

/// Every attribute of `code`, in which comments and literals are blank.
pub(super) fn attributes_of(code: &str) -> Vec<Attribute<'_>> {
    let mut attributes = Vec::new();
    let mut line = 1;
    let mut rest = code;
    while let Some((before, hashed)) = rest.split_once('#') {
        line += newlines(before);
        rest = hashed;
        let inner = hashed.strip_prefix('!');
        let Some(body) = inner.unwrap_or(hashed).strip_prefix('[') else { continue };
        let (body, after) = split_at_closing_bracket(body);
        let last_line = line + newlines(body);
        let text = body.split_whitespace().collect();
        attributes.push(Attribute { line, inner: inner.is_some(), text, last_line, after });
        line = last_line;
        rest = after;
    }
    attributes
}

/// What stands before the bracket that closes, and what after it.
fn split_at_closing_bracket(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '[' => depth += 1,
            ']' if depth == 0 => {
                let (body, closed) = text.split_at_checked(at).unwrap_or((text, ""));
                return (body, closed.strip_prefix(']').unwrap_or_default());
            }
            ']' => depth -= 1,
            _ => {}
        }
    }
    (text, "")
}

fn newlines(text: &str) -> usize {
    text.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_with_their_lines() {
        fn check(code: &str, expected: &[(usize, bool, &str)]) {
            let found = attributes_of(code);
            let found: Vec<_> = found.iter().map(|it| (it.line, it.inner, it.text.as_str())).collect();
            assert_eq!(found, expected, "{code}");
        }
        check("fn a() {}", &[]);
        check("#![no_std]\n\n#[test]\nfn a() {}", &[(1, true, "no_std"), (3, false, "test")]);
        check("#[derive(Clone, Debug)] #[a] struct B;", &[(1, false, "derive(Clone,Debug)"), (1, false, "a")]);
        check("#[cfg_attr(\n    a,\n    b[0],\n)]\n#[c]", &[(1, false, "cfg_attr(a,b[0],)"), (5, false, "c")]);
        check("# a #! b #", &[]);
        check("#[never closed", &[(1, false, "neverclosed")]);
    }

    #[test]
    fn an_item_ends_with_its_body_or_its_semicolon() {
        fn check(code: &str, expected: usize) {
            let found = attributes_of(code);
            assert_eq!(found.first().unwrap().last_line_of_item(), expected, "{code}");
        }
        check("#[a]\nmod b {\n    c();\n}\nd", 4);
        check("#[a]\nuse b;\nd", 2);
        check("#[a]\n#[c(d)]\nfn b(e: [u8; 3])\nwhere\n    F: G,\n{\n}\nh", 7);
        check("struct S {\n    #[a]\n    b: (u8, u8),\n}\nc", 4);
    }
}
