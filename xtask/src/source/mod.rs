//! Rust source as the checks read it: what is code, what is an attribute, what is a test.
//!
//! Not a parser. Enough of the lexical grammar to know a comment, a string and a character from code, so that a check for
//! a word does not stumble over its own message. Any text is accepted; what is not Rust yields nonsense, never a panic.

mod attribute;
mod lexer;

pub(crate) use attribute::Attribute;
use attribute::attributes_of;

/// The text of one file, read for its code.
pub(crate) struct Source {
    /// The text with comments and literals blanked out, line for line.
    code: String,
}

impl Source {
    /// Reads any text.
    pub(crate) fn new(text: &str) -> Self {
        Self { code: lexer::blank_comments_and_literals(text) }
    }

    /// The text with comments and literals blanked out, line for line.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// Every attribute, in order.
    pub(crate) fn attributes(&self) -> Vec<Attribute<'_>> {
        attributes_of(&self.code)
    }

    /// How many lines are no tests: all but the items under `#[cfg(test)]`, or none where the whole file is under it.
    pub(crate) fn lines_without_tests(&self) -> usize {
        let lines = self.code.lines().count();
        let mut tests = 0;
        let mut counted_to = 0;
        for attribute in self.attributes().iter().filter(|attribute| attribute.text == "cfg(test)") {
            if attribute.inner {
                return 0;
            }
            // What lies inside an item that was counted is counted.
            if attribute.line > counted_to {
                counted_to = attribute.last_line_of_item();
                tests += counted_to + 1 - attribute.line;
            }
        }
        lines.saturating_sub(tests)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_tests_are_not_counted() {
        fn check(text: &str, expected: usize) {
            assert_eq!(Source::new(text).lines_without_tests(), expected, "{text}");
        }
        check("", 0);
        check("//! Docs.\n\nfn main() {}\n", 3);
        check("fn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() {}\n}\n", 1);
        check("fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n", 2);
        check("#[cfg(test)]\nextern crate std;\nmod a;\n", 1);
        check("#[cfg(test)]\n#[path = \"x.rs\"]\nfn a(b: [u8; 2]) {\n}\nfn b() {}\n", 1);
        check("#[cfg(test)]\nmod tests {\n    const A: &str = \"}\"; // }\n    fn b() {}\n}\nfn c() {}\n", 1);
        check("#[cfg(test)]\nmod tests {\n    #[cfg(test)]\n    fn b() {}\n}\nfn c() {}\n", 1);
        check("#[cfg(not(test))]\nfn a() {}\n", 2);
        check("//! Docs.\n#![cfg(test)]\nfn a() {}\n", 0);
        check("struct A {\n    #[cfg(test)]\n    b: u8,\n}\nfn c() {}\n", 2);
        check("#[cfg(test)]\nmod never_closed {\n", 0);
    }
}
