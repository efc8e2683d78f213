//! What servers do that no large provider documents: gateways, inference servers, free tiers.

use super::Config;
use crate::{HiddenLimit, ReadAt, Resets};

impl Config {
    /// How the OpenAI face tells when a limit is full again.
    #[must_use]
    pub const fn with_resets(mut self, resets: Resets) -> Self {
        self.telling.resets = resets;
        self
    }

    /// When the levels are read that an answer tells. A refusal always tells those it was decided by.
    #[must_use]
    pub const fn with_levels_read_at(mut self, read_at: ReadAt) -> Self {
        self.telling.read_at = read_at;
        self
    }

    /// Limits that no header tells, beside the others. None by default.
    #[must_use]
    pub fn with_hidden_limits(mut self, limits: Vec<HiddenLimit>) -> Self {
        self.hidden_limits = limits;
        self
    }
}
