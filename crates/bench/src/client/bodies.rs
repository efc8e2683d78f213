//! Requests of a size, and the answer to one.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use chat_limiter::transport::{Body, HyperTransport, Timeouts, Transport as _, from_fn};
use http::HeaderMap;
use serde_json::json;
use simulator::Simulator;

use super::server;

/// English prose that stays as it is. A word list would be cut into tokens faster than people's texts are.
const PROSE: &str = include_str!("../../../../LICENSE-APACHE");

/// What a request has beside its prompt, and an answer beside its text, in bytes.
const AROUND_THE_PROMPT: usize = 150;
const AROUND_THE_TEXT: usize = 550;
/// A token of the simulator's answers is a word of about so many bytes.
const BYTES_PER_TOKEN: usize = 6;

/// So many differ, so that no cache knows the next one.
const COUNT: usize = 64;

/// Chat requests of about so many bytes, which ask for answers of about as many.
pub(crate) fn requests(bytes: usize) -> Vec<Bytes> {
    let prose: Vec<&str> = PROSE.split_inclusive(' ').collect();
    (0..COUNT).map(|number| request(bytes, prose.iter().copied().cycle().skip(number * prose.len() / COUNT))).collect()
}

fn request<'a>(bytes: usize, mut words: impl Iterator<Item = &'a str>) -> Bytes {
    let mut prompt = String::new();
    while prompt.len() + AROUND_THE_PROMPT < bytes
        && let Some(word) = words.next()
    {
        prompt.push_str(word);
    }
    let messages = json!([{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": prompt}]);
    let max_tokens = bytes.saturating_sub(AROUND_THE_TEXT) / BYTES_PER_TOKEN;
    Bytes::from(json!({"model": "gpt-4o-mini", "messages": messages, "max_tokens": max_tokens}).to_string())
}

/// An answer, whole.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What the simulator answers to `request`, without a socket.
pub(super) fn answer(request: Bytes) -> anyhow::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let simulator = Simulator::new(server::config())?;
        let connector = from_fn(move |_| std::future::ready(Ok::<_, std::io::Error>(simulator.connect())));
        let transport = HyperTransport::with_connector(connector, Timeouts::default());
        let request = http::Request::post("http://simulator/v1/chat/completions").body(Body::from_bytes(request))?;
        let (head, body) = transport.send(request).await?.into_parts();
        ensure!(head.status.is_success(), "the simulator answers {}", head.status);
        let body = body.collect_bounded(usize::MAX).await.context("an answer broke off")?;
        Ok(Answer { headers: head.headers, body })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_answers_are_about_as_large_as_asked_for_and_no_two_requests_are_the_same() {
        for bytes in [1_000, 20_000] {
            let mut requests = requests(bytes);
            let about = bytes * 9 / 10..bytes * 6 / 5;
            assert!(requests.iter().all(|request| about.contains(&request.len())), "{}", requests[0].len());
            let answer = answer(requests[0].clone()).unwrap();
            assert!(about.contains(&answer.body.len()), "{}", answer.body.len());
            requests.sort();
            requests.dedup();
            assert_eq!(requests.len(), COUNT);
        }
    }
}
