//! What all tests share: the command under test, a directory for its files, servers to send to.

mod command;
mod directory;
mod server;

pub(crate) use command::{Running, chat_limiter};
pub(crate) use directory::{Directory, Results, requests};
pub(crate) use server::{Gate, Reply, Request, Server, completion};

/// A credential that must not show up anywhere but in the requests.
pub(crate) const KEY: &str = "sk-test-4f9a1c7e2b8d6035";

/// Waits for a condition, up to half a minute: longer than anything here takes on a busy machine.
#[track_caller]
pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let pause = std::time::Duration::from_millis(10);
    for _ in 0..3_000 {
        if condition() {
            return;
        }
        std::thread::park_timeout(pause);
    }
    panic!("waited too long until {what}");
}
