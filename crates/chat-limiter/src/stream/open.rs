//! How a stream begins: attempts until a first event has come.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use providers::Usage;
use transport::Body;

use super::found::{End, Found};
use super::meter::{Held, Meter};
use super::reader::Reader;
use super::timer::Patience;
use super::{AnswerStream, Head};
use crate::client::Shared;
use crate::error::{Error, Kind, Response};
use crate::exchange::{Begun, Prepared, Trace, settle};
use crate::scope::Permit;

/// A stream whose first event has come, or that has ended without one.
struct Opened {
    head: Head,
    reader: Reader,
    /// None where it has ended.
    permit: Option<Permit>,
}

/// The form in which the content type says that an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Events,
    /// It does not say: events, or else a whole answer.
    Unlabelled,
    /// Bytes that are nobody's affair here: sound, say.
    Pieces,
    Whole,
}

impl Shared {
    /// Sends a request until its answer has begun with an event, or nothing more is worth trying.
    pub(super) async fn open(self: &Arc<Self>, mut prepared: Prepared) -> Result<AnswerStream, Error> {
        let mut trace = Trace::new(prepared.asked_at);
        loop {
            let (permit, slot) = self.admit(&prepared, &mut trace).await?;
            let timeouts = self.timeouts_of_stream(&prepared);
            // Boxed, so that those who wait do not each keep room for it.
            let attempt = Box::pin(async {
                match self.begin(&prepared, permit, timeouts, &mut trace).await {
                    Ok(begun) => self.first_event(&prepared, begun, &mut trace).await,
                    Err(kind) => Err(kind),
                }
            });
            let outcome = self.within(&prepared, attempt).await;
            match outcome {
                Ok(Opened { head, reader, permit }) => {
                    trace.answered(head.status, self.clock.now());
                    self.attempted(&prepared, &trace);
                    if let Some(event) = reader.found.events.front() {
                        prepared.span.named(&event.data);
                    }
                    // One that has ended is over, however long it is kept.
                    let inside = prepared.inside.take();
                    let held = permit.map(|permit| Held { permit, slot, inside });
                    // What was sent is not needed any more, and may be large.
                    prepared.request.body = Bytes::new();
                    let meter = Meter::new(Arc::clone(self), prepared, held);
                    return Ok(AnswerStream::new(head, reader, meter, trace));
                }
                Err(kind) => {
                    drop(slot);
                    self.before_another(&prepared, kind, &mut trace).await?;
                }
            }
        }
    }

    async fn first_event(&self, prepared: &Prepared, begun: Begun, trace: &mut Trace) -> Result<Opened, Kind> {
        let form = form_of(&begun.head.headers);
        let found = match form {
            Form::Events | Form::Unlabelled => Found::events(self.answer_limit),
            Form::Pieces => Found::pieces(),
            Form::Whole => {
                let (response, usage) = self.finish(prepared, begun, trace).await?;
                return Ok(self.whole(prepared, response, usage));
            }
        };
        let Begun { permit, head, body } = begun;
        let mut reader = self.reader(prepared, body, found);
        let end = loop {
            if !reader.found.events.is_empty() {
                break None;
            }
            if let Some(end) = poll_fn(|context| Pin::new(&mut reader).poll_read(context, &prepared.mask)).await {
                break Some(end);
            }
        };
        let response = |body| Response { status: head.status, headers: head.headers.clone(), body };
        match end {
            None => {}
            Some(End::Failed(failure, data)) => {
                return Err(self.refused(prepared, permit, failure, response(data), trace));
            }
            Some(End::Transport(error)) => return Err(settle::broke_off(permit, error, trace)),
            Some(End::Broken(why)) => return Err(settle::broken(permit, why, response(Bytes::new()), trace)),
            Some(End::Complete) if form == Form::Unlabelled && !reader.found.tally.is_complete() => {
                let (response, usage) = self.judge(prepared, permit, response(reader.found.take_bytes()), trace)?;
                return Ok(self.whole(prepared, response, usage));
            }
            Some(End::Complete) if reader.found.tally.is_complete() || !reader.found.is_events() => {}
            Some(End::Complete) => {
                let why = "the stream ended before its first event".to_owned();
                return Err(settle::broken(permit, why, response(Bytes::new()), trace));
            }
        }
        Ok(Opened { head: Head { status: head.status, headers: head.headers }, reader, permit: Some(permit) })
    }

    /// An answer that came whole, though a stream was asked for. It is settled.
    fn whole(&self, prepared: &Prepared, response: Response, usage: Option<Usage>) -> Opened {
        let Response { status, headers, body } = response;
        let reader = self.reader(prepared, Body::empty(), Found::whole(body, usage));
        Opened { head: Head { status, headers }, reader, permit: None }
    }

    fn reader(&self, prepared: &Prepared, body: Body, found: Found) -> Reader {
        let patience = Patience { end: None, idle: self.timeouts.idle, silence: self.longest_answer() };
        let patience = Patience { end: prepared.deadline().map(|end| (end.at, end.within)), ..patience };
        Reader::new(body, prepared.uri.clone(), found, patience, self.clock)
    }
}

fn form_of(headers: &HeaderMap) -> Form {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "text/event-stream" => Form::Events,
        "" | "text/plain" => Form::Unlabelled,
        "application/octet-stream" | "application/vnd.amazon.eventstream" => Form::Pieces,
        "application/x-ndjson" | "application/jsonl" | "application/stream+json" => Form::Pieces,
        other if other.starts_with("audio/") || other.starts_with("video/") || other.starts_with("image/") => {
            Form::Pieces
        }
        _ => Form::Whole,
    }
}
