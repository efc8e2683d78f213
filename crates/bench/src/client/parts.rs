//! What the client does beside sending and reading, each part alone, on the bodies that are sent.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use chat_limiter::limiter_core::{Admission, Amounts, Cost, Limiter, Nanos, Observation, Priority};
use chat_limiter::providers::{Provider, Registry, UnixTime};
use chat_limiter::tokenizer::{self, Encoding, PayloadKind};
use http::StatusCode;
use serde_json::Value;

use super::bodies::{self, Answer};
use crate::measure::{Candidate, Group};
use crate::operation::{Operation, Repeated};

const PATH: &str = "/v1/chat/completions";

/// The parts for bodies of about so many bytes.
pub(super) fn group<const BYTES: usize>(key: &'static str) -> Group {
    Group {
        key,
        title: if BYTES < 10_000 {
            "parts of it alone, for 1,000 of about 1 KB"
        } else {
            "parts of it alone, for 1,000 of about 20 KB"
        },
        batch: if BYTES < 10_000 { 256 } else { 64 },
        rounds: 40,
        counts_instructions: true,
        candidates: vec![
            Candidate { name: "request: JSON parsed", build: parse::<BYTES> },
            Candidate { name: "request: tokens counted", build: count::<BYTES> },
            Candidate { name: "request: its size in all, parsed before", build: size::<BYTES> },
            Candidate { name: "limiter-core: enqueued, admitted, observed, settled", build: limit::<BYTES> },
            Candidate { name: "answer: headers read", build: headers::<BYTES> },
            Candidate { name: "answer: usage read, failure looked for", build: read::<BYTES> },
        ],
        comparisons: Vec::new(),
    }
}

/// Each of the bodies in turn.
fn in_turn<T: 'static>(items: Vec<T>, mut once: impl FnMut(&T) -> bool + 'static) -> Box<dyn Operation> {
    let mut next = 0;
    Box::new(Repeated(move || {
        next = (next + 1) % items.len().max(1);
        items.get(next).is_some_and(|item| once(black_box(item)))
    }))
}

fn values<const BYTES: usize>() -> Vec<Value> {
    bodies::requests(BYTES).iter().filter_map(|body| serde_json::from_slice(body).ok()).collect()
}

fn parse<const BYTES: usize>() -> Box<dyn Operation> {
    in_turn(bodies::requests(BYTES), |body: &Bytes| black_box(serde_json::from_slice::<Value>(body)).is_ok())
}

fn count<const BYTES: usize>() -> Box<dyn Operation> {
    in_turn(values::<BYTES>(), |body| tokenizer::count_payload_as(body, PayloadKind::Chat, Encoding::DEFAULT).input > 0)
}

fn size<const BYTES: usize>() -> Box<dyn Operation> {
    let provider = provider();
    in_turn(values::<BYTES>(), move |body| {
        provider.as_ref().is_some_and(|provider| provider.cost(PATH, body).input_tokens > 0)
    })
}

fn provider() -> Option<Arc<dyn Provider>> {
    Registry::standard().by_name("openai").ok()
}

/// One answer, as often as it is asked for; none where the simulator gave none.
fn answers<const BYTES: usize>() -> Vec<Answer> {
    let requests = bodies::requests(BYTES).into_iter();
    requests.take(4).filter_map(|request| bodies::answer(request).ok()).collect()
}

fn headers<const BYTES: usize>() -> Box<dyn Operation> {
    let provider = provider();
    in_turn(answers::<BYTES>(), move |answer| {
        provider.as_ref().is_some_and(|provider| !observation(provider, answer).is_empty())
    })
}

fn observation(provider: &Arc<dyn Provider>, answer: &Answer) -> Observation {
    provider.observe(StatusCode::OK, &answer.headers, UnixTime::from_secs(1_800_000_000))
}

fn read<const BYTES: usize>() -> Box<dyn Operation> {
    let provider = provider();
    in_turn(answers::<BYTES>(), move |answer| {
        let Some(provider) = &provider else { return false };
        provider.usage(&answer.body).is_some() && provider.failure_in_success(&answer.body).is_none()
    })
}

/// The limiter of a client that was told its limits by answers such as these, and has one request on its way.
fn limit<const BYTES: usize>() -> Box<dyn Operation> {
    let cost = Cost::estimate(Amounts::ZERO, *Cost::of_request(BYTES as u64 / 4, BYTES as u64 / 6).expected());
    let actual = *cost.expected();
    let (mut limiter, mut now) = (Limiter::new(), Nanos::ZERO);
    let provider = provider();
    let read = |answer: &Answer| provider.as_ref().map(|provider| observation(provider, answer));
    in_turn(answers::<BYTES>().iter().filter_map(read).collect(), move |observation| {
        now = now.saturating_add(Nanos::from_millis(1));
        let joined = limiter.enqueue(&cost, Priority::NORMAL, now);
        let Admission::Granted(_, mut reservation) = limiter.admit(now) else { return false };
        now = now.saturating_add(Nanos::from_millis(1));
        let _ = limiter.observe(&mut reservation, observation, now);
        limiter.settle(reservation, &actual, now);
        joined.is_ok() && matches!(limiter.admit(now), Admission::Idle)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_does_what_is_measured() {
        for group in [group::<1_000>("small"), group::<20_000>("large")] {
            for candidate in &group.candidates {
                assert_eq!((candidate.build)().run(3).succeeded, 3, "{}, {}", group.key, candidate.name);
            }
        }
    }
}
