//! Texts to be counted: what people write, and what is slow.

/// English prose.
const ENGLISH: &str = include_str!("../../data/english.txt");
/// Chinese and Japanese prose.
const CJK: &str = include_str!("../../data/chinese_japanese.txt");
/// Code of this workspace.
const CODE: [&str; 6] = [
    include_str!("../../../limiter-core/src/limiter.rs"),
    include_str!("../../../limiter-core/src/bucket.rs"),
    include_str!("../../../limiter-core/src/learn/charge.rs"),
    include_str!("../../../chat-limiter/src/exchange/attempt.rs"),
    include_str!("../../../chat-limiter/src/scopes.rs"),
    include_str!("../../../providers/src/headers/mod.rs"),
];

/// The length of a hostile text, in bytes: a megabyte takes tiktoken-rs a second.
const HOSTILE: usize = 200_000;

/// A text and what it is.
pub(super) struct Text {
    pub(super) name: &'static str,
    pub(super) make: fn() -> String,
    /// How many times faster than tiktoken-rs is good enough, where that is asked for.
    pub(super) times: Option<f64>,
}

pub(super) const NATURAL: [Text; 4] = [
    Text { name: "English", make: || ENGLISH.to_owned(), times: Some(5.0) },
    Text { name: "code", make: || CODE.concat(), times: Some(5.0) },
    Text { name: "Chinese and Japanese", make: || CJK.to_owned(), times: Some(2.0) },
    Text { name: "mixed, line by line, as JSON", make: mixed, times: None },
];

pub(super) const SLOW: [Text; 14] = [
    Text { name: "one letter", make: || repeated("a"), times: None },
    Text { name: "spaces", make: || repeated(" "), times: None },
    Text { name: "line breaks", make: || repeated("\n"), times: None },
    Text { name: "exclamation marks", make: || repeated("!"), times: None },
    Text { name: "one Chinese character", make: || repeated("漢"), times: None },
    Text { name: "Chinese characters at random", make: || at_random(chinese), times: None },
    Text { name: "base64", make: || at_random(base64), times: None },
    Text { name: "letters at random", make: || at_random(letter), times: None },
    Text { name: "characters of all of Unicode", make: || at_random(any), times: None },
    // The slowest that a search at random through texts of long tokens and of a few characters has found.
    Text { name: "runs of signs at random", make: || mixed_of(&RUNS), times: None },
    Text {
        name: "long words of Thai and Russian",
        make: || mixed_of(&["เติมเงินไทยฟรี", "воспользоваться"]),
        times: None,
    },
    Text {
        name: "long words of Telugu and Kannada", make: || mixed_of(&["ుకున్నారు", "ಸಲಾಗಿದೆ"]), times: None
    },
    Text { name: "letters and signs at random", make: || at_random(letter_or_sign), times: None },
    Text { name: "Arabic letters at random", make: || at_random(arabic), times: None },
];

fn repeated(unit: &str) -> String {
    unit.repeat(HOSTILE / unit.len())
}

/// Characters that are drawn, the same each time.
fn at_random(draw: fn(&mut fastrand::Rng) -> char) -> String {
    let mut random = fastrand::Rng::with_seed(7);
    let mut text = String::new();
    while text.len() < HOSTILE {
        text.push(draw(&mut random));
    }
    text
}

/// Runs of a sign that are tokens, and what stands between them in comments.
const RUNS: [&str; 4] = ["********************************", "----------------------------", "/", "================"];

/// Units that are drawn, the same each time.
fn mixed_of(units: &[&str]) -> String {
    let mut random = fastrand::Rng::with_seed(7);
    let mut text = String::new();
    while text.len() < HOSTILE {
        text.extend(random.choice(units.iter().copied()));
    }
    text
}

fn chinese(random: &mut fastrand::Rng) -> char {
    random.char('\u{4E00}'..'\u{5E00}')
}

fn base64(random: &mut fastrand::Rng) -> char {
    if random.u8(0..64) < 62 { random.alphanumeric() } else { '/' }
}

fn letter(random: &mut fastrand::Rng) -> char {
    random.lowercase()
}

fn letter_or_sign(random: &mut fastrand::Rng) -> char {
    random.char('?'..'o')
}

fn arabic(random: &mut fastrand::Rng) -> char {
    random.char('\u{620}'..'\u{650}')
}

fn any(random: &mut fastrand::Rng) -> char {
    random.char(..)
}

/// Lines of all, in turn, as the messages of a request are written.
fn mixed() -> String {
    let code = CODE.concat();
    let (mut english, mut cjk) = (ENGLISH.lines(), CJK.lines());
    let lines = code.lines().map(|line| format!("{line}\n{}\n", english.next().unwrap_or_default()));
    let lines = lines.enumerate().map(|(number, line)| {
        let more = if number % 8 == 0 { cjk.next().unwrap_or_default() } else { "" };
        format!("{{\"role\":\"user\",\"content\":{:?}}},", format!("{line}{more}"))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_long_and_the_same_each_time() {
        for text in NATURAL.iter().chain(&SLOW) {
            let made = (text.make)();
            assert!(made.len() > 60_000, "{}: {}", text.name, made.len());
            assert_eq!(made, (text.make)());
        }
    }
}
