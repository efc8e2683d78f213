//! The examples of `docs/COMPARE.md`, so that they are compiled and run. The program is in `main.rs`.

/// One that fails to compile or to hold is a failed documentation test.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/COMPARE.md")]
    struct Compare;
}
