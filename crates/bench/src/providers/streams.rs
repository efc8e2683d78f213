//! Streams of events, in the form of three providers and as they were recorded.

use std::fmt::Write as _;
use std::hint::black_box;

use anyhow::ensure;
use chat_limiter::providers::StreamUsage;
use chat_limiter::providers::sse::Decoder;

use super::recorded;
use crate::ALLOCATOR;
use crate::measure::{Candidate, Group};
use crate::operation::{Operation, Repeated};
use crate::report::{Goal, Row, Section};

pub(super) const EVENTS: &str = "events";

/// As much as a read from a connection brings.
const PIECE: usize = 16 * 1024;
/// Events of text in each stream.
const TEXTS: usize = 2_000;

pub(super) fn events() -> Group {
    let mut group = written();
    if recorded::are_there() {
        group.candidates.push(Candidate { name: recorded::NAME, build: || decode(&recorded::streams()) });
    }
    group
}

/// Those that are written here.
fn written() -> Group {
    Group {
        key: EVENTS,
        title: "server-sent events decoded",
        batch: 4,
        rounds: 60,
        // A whole stream at a time: their number says nothing.
        counts_instructions: false,
        candidates: vec![
            Candidate { name: OPENAI, build: || decode(&openai()) },
            Candidate { name: ANTHROPIC, build: || decode(&anthropic()) },
            Candidate { name: GEMINI, build: || decode(&gemini()) },
        ],
        comparisons: Vec::new(),
    }
}

pub(super) fn followed() -> Group {
    Group {
        key: "followed",
        title: "streams followed for usage, end and errors",
        candidates: vec![
            Candidate { name: OPENAI, build: || follow(&openai()) },
            Candidate { name: ANTHROPIC, build: || follow(&anthropic()) },
            Candidate { name: GEMINI, build: || follow(&gemini()) },
        ],
        ..written()
    }
}

const OPENAI: &str = "chat completion chunks";
const ANTHROPIC: &str = "Anthropic's messages";
const GEMINI: &str = "Gemini's answers, CRLF";

/// Nanoseconds for a whole stream are turned into the speed at which it is read.
pub(super) fn in_megabytes_a_second(section: &mut Section) {
    for row in &mut section.rows {
        let bytes = match row.name.as_str() {
            OPENAI => openai().len(),
            ANTHROPIC => anthropic().len(),
            recorded::NAME => recorded::streams().len(),
            _ => gemini().len(),
        };
        (row.value, row.unit) = (row.value.map(|nanos| bytes as f64 * 1_000.0 / nanos), "MB/s");
    }
}

/// What is allocated for the events of a stream, once the decoder has room for an unfinished one.
pub(super) fn allocations() -> anyhow::Result<Section> {
    let mut section = Section::new("allocated for each event decoded");
    for (name, stream) in [(OPENAI, openai()), (ANTHROPIC, anthropic()), (GEMINI, gemini())] {
        let mut decoder = Decoder::new();
        let mut run = || {
            let mut count = 0_u64;
            let decoded = stream
                .chunks(PIECE)
                .try_for_each(|piece| decoder.push(piece, |event| count += u64::from(!event.data.is_empty())));
            decoded.map(|()| count)
        };
        run()?;
        let before = ALLOCATOR.total_allocated();
        let count = run()?;
        let allocated = ALLOCATOR.total_allocated().saturating_sub(before);
        ensure!(count as usize > TEXTS, "only {count} events in the stream");
        section.rows.push(Row {
            name: name.to_owned(),
            value: Some(allocated as f64 / count as f64),
            unit: "bytes",
            goal: Some(Goal::ValueAtMost(0.0)),
            ..Row::default()
        });
    }
    Ok(section)
}

fn decode(stream: &[u8]) -> Box<dyn Operation> {
    let stream = stream.to_vec();
    let mut decoder = Decoder::new();
    Box::new(Repeated(move || {
        let mut count = 0;
        let decoded = black_box(&stream).chunks(PIECE).try_for_each(|piece| {
            decoder.push(piece, |event| {
                black_box(event.data);
                count += 1;
            })
        });
        decoded.is_ok() && count > TEXTS
    }))
}

fn follow(stream: &[u8]) -> Box<dyn Operation> {
    let stream = stream.to_vec();
    Box::new(Repeated(move || {
        let mut follower = StreamUsage::new();
        let followed = black_box(&stream).chunks(PIECE).try_for_each(|piece| follower.push(piece));
        followed.is_ok() && follower.usage().is_some_and(|usage| usage.output == TEXTS as u64)
    }))
}

/// A word in turn, one of them with characters of several bytes.
fn word(number: usize) -> &'static str {
    const WORDS: [&str; 7] = [" the", " quota", " ceiling", ",", " Grüße", " request", " window"];
    WORDS.get(number % WORDS.len()).copied().unwrap_or_default()
}

fn openai() -> Vec<u8> {
    let mut stream = String::new();
    let start = "data: {\"id\":\"chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz\",\"object\":\"chat.completion.chunk\",\"created\":1800000000,\
                 \"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",";
    for number in 0..TEXTS {
        let text = word(number);
        let _ = write!(
            stream,
            "{start}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"logprobs\":null,\"finish_reason\":null}}],\
             \"usage\":null,\"obfuscation\":\"aB3dE5\"}}\n\n"
        );
    }
    let total = TEXTS + 12;
    let _ = write!(
        stream,
        "{start}\"choices\":[],\"usage\":{{\"prompt_tokens\":12,\"completion_tokens\":{TEXTS},\"total_tokens\":{total}}}}}\n\n\
         data: [DONE]\n\n"
    );
    stream.into_bytes()
}

fn anthropic() -> Vec<u8> {
    let mut stream =
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01\",\"type\":\"message\",\
                      \"role\":\"assistant\",\"usage\":{\"input_tokens\":12,\"output_tokens\":1}}}\n\n"
            .to_owned();
    for number in 0..TEXTS {
        let text = word(number);
        let _ = write!(
            stream,
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\
             \"text\":\"{text}\"}}             }}\n\n"
        );
    }
    let _ = write!(
        stream,
        "event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":{{\"stop_reason\":\"end_turn\"}},\
         \"usage\":{{\"output_tokens\":{TEXTS}}}}}\n\nevent: message_stop\ndata: {{\"type\":\"message_stop\"}}\n\n"
    );
    stream.into_bytes()
}

fn gemini() -> Vec<u8> {
    let mut stream = String::new();
    for number in 0..=TEXTS {
        let text: String = (0..12).map(|next| word(number + next)).collect();
        let total = number + 12;
        let _ = write!(
            stream,
            "data: {{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \"{text}\"}}],\"role\": \"model\"}},\"index\": 0}}],\
             \"usageMetadata\": {{\"promptTokenCount\": 12,\"candidatesTokenCount\": {number},\"totalTokenCount\": {total}}},\
             \"modelVersion\": \"gemini-2.5-flash\",\"responseId\": \"abc\"}}\r\n\r\n"
        );
    }
    stream.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_does_what_is_measured() {
        for group in [events(), followed()] {
            for candidate in &group.candidates {
                assert_eq!((candidate.build)().run(2).succeeded, 2, "{}, {}", group.key, candidate.name);
            }
        }
    }

    #[test]
    fn a_stream_that_is_read_a_second_time_allocates_nothing() {
        // The counter is the program's: another test may allocate at the same time, so only the count of events is sure.
        assert_eq!(allocations().unwrap().rows.len(), 3);
    }
}
