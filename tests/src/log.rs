//! What a program logs, all of it, for tests that search it.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

/// Everything logged on this thread since it was made, at every level: events, spans, and their fields.
#[derive(Debug)]
pub struct Log {
    lines: Arc<Mutex<String>>,
    _guard: DefaultGuard,
}

impl Log {
    /// Listens from now on.
    #[must_use]
    pub fn listen() -> Self {
        let lines = Arc::<Mutex<String>>::default();
        let listener = Listener { lines: Arc::clone(&lines), spans: AtomicU64::new(1) };
        Self { lines, _guard: tracing::subscriber::set_default(listener) }
    }

    /// What was logged so far.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Listener {
    lines: Arc<Mutex<String>>,
    spans: AtomicU64,
}

impl Listener {
    fn line(&self, metadata: Option<&Metadata<'_>>, record: impl FnOnce(&mut Fields<'_>)) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string does not fail.
        let _ = metadata.map_or(Ok(()), |it| write!(lines, "{} {} {}", it.level(), it.target(), it.name()));
        record(&mut Fields(&mut lines));
        lines.push('\n');
    }
}

impl Subscriber for Listener {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.line(Some(span.metadata()), |fields| span.record(fields));
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.line(None, |fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.line(Some(event.metadata()), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}
