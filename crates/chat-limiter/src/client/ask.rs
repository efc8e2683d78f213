//! Questions about the account and the models: outside of all limits, once, and without trying again.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use providers::discovery::{DiscoveryError, DiscoveryRequest, KeyKind, Page};
use transport::Body;

use super::{Shared, needs_runtime};
use crate::Error;
use crate::error::{Kind, Response};
use crate::exchange::Trace;
use crate::mask::Mask;

/// A question is answered within this time, or not at all.
const LONGEST_ANSWER: Duration = Duration::from_secs(60);
/// The largest answer: the list of a router's models takes a tenth of it.
const LARGEST_ANSWER: usize = 16 << 20;
/// So many pages of one list are read: no list is as long, and a server that always has another one comes to an end.
const MOST_PAGES: usize = 100;

impl Shared {
    /// Asks. `key` takes the place of the client's own headers of the same names.
    pub(super) async fn ask(&self, question: DiscoveryRequest, key: Option<&HeaderMap>) -> Result<Bytes, Error> {
        needs_runtime()?;
        let uri = providers::join_url(&self.base_url, &question.path).map_err(Error::request)?;
        let request =
            http::Request::builder().method(question.method).uri(uri.clone()).body(Body::from_bytes(Bytes::new()));
        let mut request = request.map_err(Error::request)?;
        let mut headers = self.headers.clone();
        headers.extend(question.headers);
        if let Some(key) = key.filter(|_| question.key != KeyKind::None) {
            headers.extend(key.clone());
        }
        *request.headers_mut() = headers;
        request.extensions_mut().insert(self.timeouts);
        let failed = |error| Error::new(Kind::Transport(error), Trace::default());
        let own = Mask::new(&key.cloned().unwrap_or_default());
        let exchange = async {
            let (mut head, body) = self.transport.send(request).await?.into_parts();
            self.mask.headers(&mut head.headers);
            let body = self.mask.body(body.collect_bounded(LARGEST_ANSWER).await?);
            own.headers(&mut head.headers);
            Ok::<_, transport::Error>((head, own.body(body)))
        };
        let (head, body) = match tokio::time::timeout(LONGEST_ANSWER, exchange).await {
            Ok(answer) => answer.map_err(failed)?,
            Err(_) => {
                return Err(failed(transport::Error::timed_out(transport::Stage::Response, &uri, LONGEST_ANSWER)));
            }
        };
        if head.status.is_success() {
            return Ok(body);
        }
        let mut failure = self.provider.classify(head.status, &head.headers, &body, self.clock.wall());
        self.mask.failure(&mut failure);
        own.failure(&mut failure);
        let response = Response { status: head.status, headers: head.headers, body };
        let kind = Kind::Refused { failure: Box::new(failure), response: Box::new(response) };
        Err(Error::new(kind, Trace::default()))
    }

    /// All pages of a list. `question` takes what the page before ended with.
    pub(super) async fn ask_all<T>(
        &self,
        question: impl Fn(Option<&str>) -> Option<DiscoveryRequest>,
        read: impl Fn(&[u8]) -> Result<Page<T>, DiscoveryError>,
    ) -> Result<Vec<T>, Error> {
        let (mut items, mut last) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let Some(question) = question(last.as_deref()) else { break };
            let page = read(&self.ask(question, None).await?).map_err(unreadable)?;
            items.extend(page.items);
            // A page that leads to itself would be read again and again.
            if page.next.is_none() || page.next == last {
                break;
            }
            last = page.next;
        }
        Ok(items)
    }
}

/// The answer to a question is of another shape.
pub(super) fn unreadable(error: DiscoveryError) -> Error {
    Error::request(format!("the provider's answer cannot be read: {error}"))
}
