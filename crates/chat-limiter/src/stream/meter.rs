//! What a stream holds, and how it is settled.

use std::fmt;
use std::sync::Arc;

use limiter_core::{Amounts, Cost, Dimension};
use providers::Failure;

use super::tally::Tally;
use crate::client::Shared;
use crate::exchange::Prepared;
use crate::gate::Inside;
use crate::mask::Mask;
use crate::observe::RequestSpan;
use crate::scope::Permit;
use crate::slots::Slot;

/// The capacity and the slot of a stream, given back once: when it ends, breaks, or is dropped.
pub(super) struct Meter {
    pub(super) shared: Arc<Shared>,
    prepared: Prepared,
    held: Option<Held>,
}

pub(super) struct Held {
    pub(super) permit: Permit,
    /// Dropped with it.
    #[expect(dead_code, reason = "it is held")]
    pub(super) slot: Slot,
    #[expect(dead_code, reason = "it is held")]
    pub(super) inside: Option<Inside>,
}

impl Meter {
    pub(super) const fn new(shared: Arc<Shared>, prepared: Prepared, held: Option<Held>) -> Self {
        Self { shared, prepared, held }
    }

    /// The stream came to its end: it took what it says, else what can be told of what came, else what was reserved.
    pub(super) fn end(&mut self, tally: &Tally) {
        self.span().used(tally.usage());
        let Some(Held { permit, .. }) = self.held.take() else { return };
        match tally.usage() {
            Some(usage) => permit.settle(Some(&self.shared.taken(&self.prepared, &usage))),
            None => permit
                .settle(tally.produced().filter(|produced| *produced > 0).map(|it| self.so_far(tally, it)).as_ref()),
        }
    }

    /// The stream broke off, or nobody reads it any more: it took the prompt, and what was produced so far.
    pub(super) fn cut(&mut self, tally: &Tally) {
        if tally.is_complete() {
            return self.end(tally);
        }
        self.span().used(tally.usage());
        let Some(Held { permit, .. }) = self.held.take() else { return };
        permit.settle(tally.produced().map(|produced| self.so_far(tally, produced)).as_ref());
    }

    /// The stream ended with an error of the provider's.
    pub(super) fn fail(&mut self, tally: &Tally, failure: &Failure) {
        if !failure.kind.is_limit() {
            return self.cut(tally);
        }
        let Some(Held { permit, .. }) = self.held.take() else { return };
        permit.refuse(failure.retry_after, &failure.message);
    }

    /// The span of its request.
    pub(super) const fn span(&self) -> &RequestSpan {
        &self.prepared.span
    }

    /// What is masked in it.
    pub(super) fn mask(&self) -> &Mask {
        &self.prepared.mask
    }

    /// The prompt, and an estimate of what was produced.
    fn so_far(&self, tally: &Tally, produced: u64) -> Amounts {
        let size = &self.prepared.size;
        let usage = tally.usage();
        let input = usage.map_or(size.input_tokens, |usage| usage.input);
        let most = size.max_output_tokens.unwrap_or(u64::MAX);
        let output = produced.min(most).max(usage.map_or(0, |usage| usage.output));
        let images = Amounts::ZERO.with(Dimension::Images, size.images);
        *Cost::of_request(input, output).with_certain(&images).expected()
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("is_held", &self.held.is_some()).finish_non_exhaustive()
    }
}
