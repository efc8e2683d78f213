//! Counting tokens without making them, exactly as tiktoken does and many times faster.
//!
//! The engine cuts a text into pieces (`pieces/`), looks each one up whole (`memo.rs`, `ranks.rs`), and merges the bytes
//! of those that are no token themselves (`merge.rs`; `long.rs` for what is longer than a window). Nothing is allocated
//! for a count but for hostile pieces. Time is linear in the text.
//!
//! The vocabularies are those of tiktoken-rs, written in the compact form of `asset.rs`; the tests compare them token by
//! token, and the counts with the lengths of what tiktoken-rs encodes. `docs/TOKENS.md` says why this engine is here and
//! what others cost.

mod asset;
mod classes;
mod engine;
mod heap;
mod long;
mod memo;
mod merge;
mod pieces;
mod ranks;
mod table;

pub(crate) use engine::{engine, is_made};

#[cfg(test)]
mod tests;
