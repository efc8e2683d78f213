//! The end of a client.

use std::time::Duration;

use super::ChatLimiter;

impl ChatLimiter {
    /// Sends nothing any more: requests that wait fail ([`Error::is_closed`](crate::Error::is_closed)), those in flight go
    /// on to their end and are not tried again.
    pub fn close(&self) {
        self.shared.gate.shut();
        self.shared.scopes.close();
        self.shared.slots.close();
        self.shared.closed.send_replace(true);
    }

    /// Takes no new requests ([`Error::is_closed`](crate::Error::is_closed)), lets all that have begun come to their end,
    /// and then [closes](Self::close). Those that wait go on waiting and are sent; those that fail are tried again as
    /// always. Resolves when nobody waits, nothing is in flight, and every [`Permit`](crate::Permit) and stream has ended.
    ///
    /// Dropped before, it leaves the client as it is then: nothing new is taken, and what has begun goes on.
    ///
    /// ```no_run
    /// # async fn example(limiter: chat_limiter::ChatLimiter) {
    /// use std::time::Duration;
    ///
    /// if !limiter.shutdown_within(Duration::from_secs(30)).await {
    ///     println!("what still waited was not sent");
    /// }
    /// # }
    /// ```
    pub async fn shutdown(&self) {
        self.shared.gate.shut();
        self.shared.gate.emptied().await;
        self.close();
    }

    /// As [`shutdown`](Self::shutdown), for as long as `patience` at most: then it closes, so that what still waits fails
    /// and what is in flight goes on. Whether all had come to its end.
    pub async fn shutdown_within(&self, patience: Duration) -> bool {
        let is_done = tokio::time::timeout(patience, self.shutdown()).await.is_ok();
        self.close();
        is_done
    }
}
