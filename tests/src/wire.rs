//! Transports whose connections are pipes inside the process.

use std::io;
use std::sync::Arc;

use chat_limiter::transport::{HyperTransport, Timeouts, Transport, from_fn};
use simulator::Simulator;
use tokio::io::{AsyncReadExt, DuplexStream};

/// The bytes that a pipe holds in each direction.
const PIPE: usize = 64 * 1024;

/// A transport whose every connection ends at `simulator`.
#[must_use]
pub fn to(simulator: &Simulator) -> Arc<dyn Transport> {
    let simulator = simulator.clone();
    dialing(move || Ok(simulator.connect()))
}

/// A transport whose every connection is a pipe with `serve` at its other end.
pub fn piped<Serving>(serve: impl Fn(DuplexStream) -> Serving + Send + Sync + 'static) -> Arc<dyn Transport>
where
    Serving: Future<Output = ()> + Send + 'static,
{
    dialing(move || {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        tokio::spawn(serve(theirs));
        Ok(ours)
    })
}

/// A transport that gets its connections from `dial`, or its errors.
pub fn dialing(dial: impl Fn() -> io::Result<DuplexStream> + Send + Sync + 'static) -> Arc<dyn Transport> {
    let dial = Arc::new(dial);
    let connector = from_fn(move |_| std::future::ready(dial()));
    Arc::new(HyperTransport::with_connector(connector, Timeouts::default()))
}

/// Reads the head of a request. `false` where the connection ended before.
pub async fn read_head(pipe: &mut DuplexStream) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match pipe.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    true
}
