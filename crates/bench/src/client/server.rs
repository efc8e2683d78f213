//! The simulator in a process of its own, so that what this one uses is the client's alone.

use std::io::{BufRead as _, BufReader};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use simulator::{Config, Simulator};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

use crate::console;

/// Limits that nobody reaches, and answers that are as long as they are asked to be and take no time.
pub(super) fn config() -> Config {
    Config::default()
        .with_requests_per_minute(1_000_000_000)
        .with_tokens_per_minute(1_000_000_000_000)
        .with_latency(Duration::ZERO)
        .with_output_tokens(100_000, 100_000)
}

/// Serves until standard input ends, as it does when the program that started this one ends, however it ends.
///
/// # Errors
///
/// It cannot listen on loopback.
pub(crate) fn serve() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("cannot listen on loopback")?;
        console::line(&listener.local_addr()?.to_string());
        let mut input = tokio::io::stdin();
        let end = async move { while input.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {} };
        Ok(Simulator::new(config())?.serve(listener, end).await?)
    })
}

/// A server that runs.
pub(super) struct Server {
    process: Child,
    base_url: String,
}

impl Server {
    /// Starts this program again as the server.
    ///
    /// # Errors
    ///
    /// It cannot be started, or names no address.
    pub(super) fn start() -> anyhow::Result<Self> {
        let this = std::env::current_exe().context("the path of this program is not known")?;
        let mut command = Command::new(this);
        command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start the server")?;
        let mut address = String::new();
        let output = process.stdout.take().context("the server has no output")?;
        let read = BufReader::new(output).read_line(&mut address);
        let server = Self { process, base_url: format!("http://{}/v1", address.trim()) };
        ensure!(read.is_ok_and(|read| read > 0), "the server names no address");
        Ok(server)
    }

    /// Where it is, with the version.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its input is its end.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
