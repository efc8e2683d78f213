//! The engine of each encoding.

use std::fmt;
use std::sync::LazyLock;

use super::asset::Tokens;
use super::classes::Classes;
use super::long;
use super::merge::{LARGEST, Window};
use super::pieces::Pieces;
use super::ranks::Ranks;
use crate::Encoding;

/// What counts the tokens of texts.
pub(crate) trait CountTokens: fmt::Debug + Sync {
    /// How many tokens `text` has, all of it taken as ordinary text.
    fn count(&self, text: &str) -> usize;
}

/// Pieces up to this length have a window of their own, in bytes: most words.
const SMALL: usize = 32;

/// A vocabulary and the rules that cut texts into its pieces.
#[derive(Debug)]
pub(super) struct Engine {
    ranks: Ranks,
    pieces: Pieces,
    classes: &'static Classes,
}

impl Engine {
    fn new(pieces: Pieces, file: &[u8], ranks: usize) -> Self {
        Self { ranks: Ranks::of(&Tokens::read(file, ranks)), pieces, classes: Classes::all() }
    }

    fn count_piece(&self, text: &str, from: usize, to: usize) -> usize {
        if to - from <= 1 || self.ranks.of_range(text.as_bytes(), from, to) != Ranks::NONE {
            return 1;
        }
        let piece = text.as_bytes().get(from..to).unwrap_or_default();
        match piece.len() {
            ..=SMALL => Window::<SMALL, { SMALL / 16 }>::new(&self.ranks, piece).count(),
            ..=LARGEST => Window::<LARGEST, { LARGEST / 16 }>::new(&self.ranks, piece).count(),
            _ => long::count(&self.ranks, piece),
        }
    }

    #[cfg(test)]
    pub(super) fn ranks(&self) -> &Ranks {
        &self.ranks
    }
}

impl CountTokens for Engine {
    fn count(&self, text: &str) -> usize {
        let (mut count, mut at) = (0, 0);
        while at < text.len() {
            // A piece is never empty; if one were, this must still end.
            let end = self.pieces.end(self.classes, text, at).max(at + 1);
            count += self.count_piece(text, at, end);
            at = end;
        }
        count
    }
}

/// Ranks of r50k: p50k goes on where it ends.
const R50K_RANKS: usize = 50_256;

macro_rules! asset {
    ($name:literal) => {
        include_bytes!(concat!("../../assets/", $name, ".merges"))
    };
}

static R50K: LazyLock<Engine> = LazyLock::new(|| Engine::new(Pieces::R50k, asset!("p50k_base"), R50K_RANKS));
static P50K: LazyLock<Engine> = LazyLock::new(|| Engine::new(Pieces::R50k, asset!("p50k_base"), usize::MAX));
static CL100K: LazyLock<Engine> = LazyLock::new(|| Engine::new(Pieces::Cl100k, asset!("cl100k_base"), usize::MAX));
static O200K: LazyLock<Engine> = LazyLock::new(|| Engine::new(Pieces::O200k, asset!("o200k_base"), usize::MAX));

/// The engine of an encoding, made when first asked for. Encodings that differ in their control tokens share one.
pub(crate) fn engine(encoding: Encoding) -> &'static dyn CountTokens {
    concrete(encoding)
}

pub(super) fn concrete(encoding: Encoding) -> &'static Engine {
    match encoding {
        Encoding::R50kBase => &R50K,
        Encoding::P50kBase | Encoding::P50kEdit => &P50K,
        Encoding::Cl100kBase => &CL100K,
        Encoding::O200kBase | Encoding::O200kHarmony => &O200K,
    }
}
