//! Sends the questions of `providers::discovery` and reads the answers, page by page.

use anyhow::Context;
use chat_limiter::providers::discovery::{DiscoveryError, DiscoveryRequest, Page};
use chat_limiter::{ChatLimiter, Error, Request};

use crate::say;

/// So many pages of one list are read: no list is as long, and a server that always has another one comes to an end.
const MOST_PAGES: usize = 100;

/// One question.
pub(super) async fn ask<T>(
    client: &ChatLimiter,
    question: DiscoveryRequest,
    read: impl Fn(&[u8]) -> Result<T, DiscoveryError>,
) -> anyhow::Result<T> {
    let path = question.path.split('?').next().unwrap_or_default().to_owned();
    let mut request = Request::get(question.path);
    (request.method, request.headers) = (question.method, question.headers);
    let answer = client.request(request).await.with_context(|| format!("cannot ask {path}"))?;
    read(&answer.body).with_context(|| format!("cannot read the answer of {path}"))
}

/// All pages of a list. `question` takes what the page before ended with.
pub(super) async fn ask_all<T>(
    client: &ChatLimiter,
    question: impl Fn(Option<&str>) -> DiscoveryRequest,
    read: impl Fn(&[u8]) -> Result<Page<T>, DiscoveryError>,
) -> anyhow::Result<Vec<T>> {
    let (mut items, mut last) = (Vec::new(), None);
    for _ in 0..MOST_PAGES {
        let page = ask(client, question(last.as_deref()), &read).await?;
        items.extend(page.items);
        // A page that leads to itself would be read again and again.
        if page.next.is_none() || page.next == last {
            return Ok(items);
        }
        last = page.next;
    }
    say(&format!("the list has more than {MOST_PAGES} pages: the rest of it is left out"));
    Ok(items)
}

/// Whether the key is not one that may ask this.
pub(super) fn is_refusal_of_key(error: &anyhow::Error) -> bool {
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Error>());
    refusal.is_some_and(|error| matches!(error.code(), "authentication" | "permission"))
}
