//! Connections: over TCP until told to stop, or over any other byte stream.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::account::Account;
use crate::exchange;

/// How long connections may finish what they are doing after the end was asked for.
const GRACE: Duration = Duration::from_secs(5);
/// How often in a row accepting may fail before it is given up: 50 times, over five seconds.
const MAX_ACCEPT_FAILURES: u32 = 50;
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves one connection, HTTP/1.1 or HTTP/2, until it ends.
pub(crate) async fn connection<I>(account: Arc<Account>, io: I, watcher: Watcher)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| exchange::answer(Arc::clone(&account), request));
    let mut builder = Builder::new(TokioExecutor::new());
    // An idle connection stays open: nothing is to happen on a quiet one that the client did not cause.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
    builder.http2().timer(TokioTimer::new());
    // How a connection ends is the client's affair or a fault that was asked for; either way there is no one to tell.
    let _ = watcher.watch(builder.serve_connection(TokioIo::new(io), service)).await;
}

/// Accepts and serves connections until `shutdown`, then lets the open ones finish for a few seconds.
pub(crate) async fn listen(
    account: Arc<Account>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(account.config.most_connections.clamp(1, Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    let ended = loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break Ok(()),
            accepted = accept(&listener, &room) => accepted,
            // Reaps what has ended, so that the set does not grow with every connection there ever was.
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((stream, permit)) => {
                let connection = connection(Arc::clone(&account), stream, graceful.watcher());
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => break Err(error),
        }
    };
    drop(listener);
    // Whatever has not ended by then, a request that is never answered for one, is dropped with the set.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    ended
}

/// The next connection, and its place among those open.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.map_err(io::Error::other)?;
    let mut failures = 0;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers are to leave at once. Without it they still leave.
                let _ = stream.set_nodelay(true);
                return Ok((stream, permit));
            }
            // A client that left while it was waiting, or no file left for a moment: neither ends a server.
            Err(_) if failures < MAX_ACCEPT_FAILURES => {
                failures += 1;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}
