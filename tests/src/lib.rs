//! Helpers shared by the tests that cross crates.
//!
//! Everything runs in one process: the client speaks HTTP with hyper to a server at the other end of a
//! [`tokio::io::duplex`] pipe. On a paused clock minutes of traffic then take milliseconds, and every instant is exact.
//!
//! * [`Face`]: the APIs of the simulator, with a client and a request for each.
//! * [`wire`]: transports whose connections are pipes.
//! * [`Scripted`]: a server that answers what a test wrote down.
//! * [`ceiling`]: how close the client comes to what is possible, with every kind of provider.
//! * [`corpus`]: what is read of answers that providers really gave.
//! * [`Load`]: many requests at once, and what became of them.
//! * [`Log`]: everything that is logged.
//! * [`Stopwatch`]: virtual time.

pub mod ceiling;
mod clock;
pub mod corpus;
mod face;
mod load;
mod log;
mod scripted;
pub mod wire;

pub use clock::Stopwatch;
pub use face::Face;
pub use load::{End, Load, in_flight, waiting};
pub use log::Log;
pub use scripted::{Part, Reply, Scripted};

/// Makes what is drawn at random on this thread (the jitter of retries) the same in every run.
pub fn same_random_numbers() {
    fastrand::seed(0);
}
