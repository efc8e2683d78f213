//! Pools of connections: one, and another where that has as many requests as one HTTP/2 connection should carry.
//!
//! A pool has one HTTP/2 connection to each host, and what is beyond the streams that the host allows waits in it unseen, while the
//! wait for its first byte is counted. Whoever is to drive traffic at the ceiling of a large quota has more in flight than that.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use http::{Request, Uri};
use hyper::rt::{Read, Write};
use hyper_util::client::legacy::connect::Connection;
use hyper_util::client::legacy::{self, Client, ResponseFuture};
use tower_service::Service;

use crate::Body;
use crate::connector::Bounded;

/// How many requests a pool has at once: what the standard asks every server to allow on a connection (RFC 9113, 6.5.2).
pub(crate) const REQUESTS_PER_CONNECTION: usize = 100;

/// Pools, of which the first with room is taken: so the later ones fall idle when there is less to do.
pub(crate) struct Pools<C>(Arc<Inner<C>>);

struct Inner<C> {
    settings: legacy::Builder,
    connector: C,
    most: usize,
    pools: RwLock<Vec<Pool<C>>>,
}

struct Pool<C> {
    client: Client<Bounded<C>, Body>,
    load: Arc<AtomicUsize>,
}

/// The place of a request in a pool, from before it has a connection until the end of its answer.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<C> Pools<C>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Read + Write + Connection + Unpin + Send + 'static,
    C::Error: Into<Box<dyn StdError + Send + Sync>>,
    C::Future: Send + 'static,
{
    /// No pool gets more than `most` requests at once.
    pub(crate) fn new(settings: legacy::Builder, connector: C, most: usize) -> Self {
        Self(Arc::new(Inner { settings, connector, most: most.max(1), pools: RwLock::default() }))
    }

    /// Hands the request to a pool with room for it, or to a new one.
    pub(crate) fn send(&self, request: Request<Body>) -> (ResponseFuture, Place) {
        let inner = &*self.0;
        {
            let pools = inner.pools.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((pool, place)) = inner.first_with_room(&pools) {
                return (pool.client.request(request), place);
            }
        }
        let mut pools = inner.pools.write().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have been quicker.
        if let Some((pool, place)) = inner.first_with_room(&pools) {
            return (pool.client.request(request), place);
        }
        let client = inner.settings.build(Bounded(inner.connector.clone()));
        let load = Arc::new(AtomicUsize::new(1));
        let sent = (client.request(request), Place(Arc::clone(&load)));
        pools.push(Pool { client, load });
        sent
    }
}

impl<C> Inner<C> {
    fn first_with_room<'a>(&self, pools: &'a [Pool<C>]) -> Option<(&'a Pool<C>, Place)> {
        let room = |load| (load < self.most).then(|| load + 1);
        let has_room = |pool: &&Pool<C>| pool.load.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_ok();
        pools.iter().find(has_room).map(|pool| (pool, Place(Arc::clone(&pool.load))))
    }
}

impl<C> Clone for Pools<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tokio::io::DuplexStream;

    use super::*;
    use crate::{builder, from_fn};

    fn request() -> Request<Body> {
        Request::get("http://host/").body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn a_pool_is_made_when_the_others_are_full_and_a_place_is_free_when_it_is_dropped() {
        let connector = from_fn(|_uri| std::future::pending::<io::Result<DuplexStream>>());
        let pools = Pools::new(builder::client(), connector, 2);
        let count = || pools.0.pools.read().unwrap().len();
        let mut sent: Vec<_> = (0..5).map(|_| pools.send(request())).collect();
        assert_eq!(count(), 3);
        // Of the second pool, and of the first.
        drop((sent.remove(3), sent.remove(0)));
        sent.extend((0..3).map(|_| pools.send(request())));
        assert_eq!(count(), 3);
        sent.push(pools.send(request()));
        assert_eq!(count(), 4);
    }

    #[tokio::test]
    async fn a_pool_takes_one_request_where_it_should_take_none() {
        let pools = Pools::new(builder::client(), from_fn(|_uri| async { Err::<DuplexStream, _>("no") }), 0);
        for _ in 0..3 {
            let (response, _place) = pools.send(request());
            assert!(response.await.is_err());
        }
        assert_eq!(pools.0.pools.read().unwrap().len(), 1);
    }
}
