//! Recorded answers of real providers, read. Skipped, and says so, where the recordings are not there.
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

use chat_limiter_tests::corpus::{Outcome, default_directory, report};

#[test]
fn recorded_answers_are_read_as_they_were_noted() {
    let directory = default_directory();
    if !directory.is_dir() {
        eprintln!("skipped: there is no {}", directory.display());
        return;
    }
    let outcome = Outcome::of(&directory).unwrap();
    assert!(outcome.providers.values().map(|counts| counts.answers).sum::<u64>() > 0);
    assert_eq!(report::missed(&outcome), Vec::<String>::new(), "{}", outcome.examples.join("\n"));
}
