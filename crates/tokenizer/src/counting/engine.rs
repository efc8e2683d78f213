//! The engine of each encoding.

use std::fmt;
use std::sync::OnceLock;

use super::asset::Tokens;
use super::classes::Classes;
use super::long;
use super::memo::Memos;
use super::merge::Window;
use super::pieces::Pieces;
use super::ranks::{Ranks, packed};
use crate::Encoding;

/// What counts the tokens of texts.
pub(crate) trait CountTokens: fmt::Debug + Sync {
    /// How many tokens `text` has, all of it taken as ordinary text.
    fn count(&self, text: &str) -> usize;
}

/// Pieces up to these lengths have windows of their own, in bytes: parts of words, and up to sentences of
/// scripts without spaces.
const SYLLABLE: usize = 16;
const WORD: usize = 32;
const CLAUSE: usize = 96;
const SENTENCE: usize = 256;

/// A text up to this length is not worth a memo, in bytes.
const TINY: usize = 16;

/// A vocabulary and the rules that cut texts into its pieces.
#[derive(Debug)]
pub(super) struct Engine {
    ranks: Ranks,
    pieces: Pieces,
    classes: &'static Classes,
    memos: Memos,
}

impl Engine {
    fn new(pieces: Pieces, file: &[u8], ranks: usize) -> Self {
        let ranks = Ranks::of(&Tokens::read(file, ranks));
        Self { ranks, pieces, classes: Classes::all(), memos: Memos::default() }
    }

    /// The sum of what `count` says of each piece, by where it starts and ends.
    #[inline]
    fn sum(&self, text: &str, mut count: impl FnMut(usize, usize) -> usize) -> usize {
        let (mut sum, mut at) = (0, 0);
        while at < text.len() {
            // A piece is never empty; if one were, this must still end.
            let end = self.pieces.end(self.classes, text, at).max(at + 1);
            sum += count(at, end);
            at = end;
        }
        sum
    }

    fn count_piece(&self, text: &[u8], from: usize, to: usize) -> usize {
        if self.ranks.has(text, from, to) {
            return 1;
        }
        let piece = text.get(from..to).unwrap_or_default();
        let length = piece.len();
        if length <= SYLLABLE {
            Window::<SYLLABLE, 1, 16>::new(&self.ranks, piece).count()
        } else if length <= WORD {
            Window::<WORD, 2, 16>::new(&self.ranks, piece).count()
        } else if length <= CLAUSE {
            Window::<CLAUSE, 6, 16>::new(&self.ranks, piece).count()
        } else if length <= SENTENCE {
            Window::<SENTENCE, 16, 16>::new(&self.ranks, piece).count()
        } else {
            long::count(&self.ranks, piece)
        }
    }

    #[cfg(test)]
    pub(super) fn ranks(&self) -> &Ranks {
        &self.ranks
    }
}

impl CountTokens for Engine {
    fn count(&self, text: &str) -> usize {
        let bytes = text.as_bytes();
        let memo = if text.len() > TINY { self.memos.free() } else { None };
        match memo {
            Some(mut memo) => self.sum(text, |from, to| match packed(bytes, from, to) {
                Some(key) => memo.count(key, || self.count_piece(bytes, from, to)),
                None => self.count_piece(bytes, from, to),
            }),
            None => self.sum(text, |from, to| self.count_piece(bytes, from, to)),
        }
    }
}

/// Ranks of r50k: p50k goes on where it ends.
const R50K_RANKS: usize = 50_256;

macro_rules! asset {
    ($name:literal) => {
        include_bytes!(concat!("../../assets/", $name, ".merges"))
    };
}

/// An engine, made when first asked for.
struct Lazy {
    engine: OnceLock<Engine>,
    make: fn() -> Engine,
}

impl Lazy {
    const fn new(make: fn() -> Engine) -> Self {
        Self { engine: OnceLock::new(), make }
    }
}

static R50K: Lazy = Lazy::new(|| Engine::new(Pieces::R50k, asset!("p50k_base"), R50K_RANKS));
static P50K: Lazy = Lazy::new(|| Engine::new(Pieces::R50k, asset!("p50k_base"), usize::MAX));
static CL100K: Lazy = Lazy::new(|| Engine::new(Pieces::Cl100k, asset!("cl100k_base"), usize::MAX));
static O200K: Lazy = Lazy::new(|| Engine::new(Pieces::O200k, asset!("o200k_base"), usize::MAX));

/// The engine of an encoding, made when first asked for. Encodings that differ in their control tokens share one.
pub(crate) fn engine(encoding: Encoding) -> &'static dyn CountTokens {
    concrete(encoding)
}

/// Whether the engine of an encoding was made.
pub(crate) fn is_made(encoding: Encoding) -> bool {
    lazy(encoding).engine.get().is_some()
}

pub(super) fn concrete(encoding: Encoding) -> &'static Engine {
    let lazy = lazy(encoding);
    lazy.engine.get_or_init(lazy.make)
}

fn lazy(encoding: Encoding) -> &'static Lazy {
    match encoding {
        Encoding::R50kBase => &R50K,
        Encoding::P50kBase | Encoding::P50kEdit => &P50K,
        Encoding::Cl100kBase => &CL100K,
        Encoding::O200kBase | Encoding::O200kHarmony => &O200K,
    }
}
