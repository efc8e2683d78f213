//! The properties of the core, each shown on random sequences of operations against an exact oracle.
//!
//! What the numbers in the tests' names mean:
//!
//! 1. All or nothing: a request is charged in every dimension or in none.
//! 2. Never over: in no interval is more admitted than the burst and what comes back in it.
//! 3. Tight: at the instant that is answered the request fits; one nanosecond earlier it does not.
//! 4. Not now is not never: only what is certain to be too large is refused.
//! 5. Fair: nobody overtakes inside a priority, and whoever may overtake is bounded.
//! 6. Settled once: a reservation ends once, and nothing is left of it.
//! 7. Truth from the server: its word replaces what was counted, and no word does harm.
//!
//! Each test runs some hundred sequences; `PROPTEST_CASES` sets another number for all of them:
//!
//! ```text
//! PROPTEST_CASES=100000 cargo test --release --package limiter-core --test properties
//! ```
//!
//! A sequence that failed once is kept beside its test in a file that ends in `.regressions`, and is run first ever
//! after. Those files belong to the repository.
#![cfg(feature = "alloc")]
#![cfg(test)] // so that the exemptions of clippy.toml hold for helpers, too

mod bucket;
mod hostile;
mod inputs;
mod learning;
mod limiter;
mod never_over;
mod observation;
mod once;
mod oracle;
mod provider;
mod queue;
mod quota;
mod retry;
mod robust;
mod settling;
mod world;

use proptest::test_runner::{Config, FileFailurePersistence};

/// As many sequences as `PROPTEST_CASES` says, or else `cases`.
fn sequences(cases: u32) -> Config {
    let asked_for = std::env::var_os("PROPTEST_CASES").is_some();
    let default = Config::default();
    Config {
        cases: if asked_for { default.cases } else { cases },
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..default
    }
}
