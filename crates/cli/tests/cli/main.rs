//! The command as its users meet it: arguments, files, signals, exit codes, and servers of every temper.
//!
//! The servers are written by hand on [`std::net::TcpListener`], so that nothing the command is built from is on the
//! other side too.
// `test`, so that clippy.toml's exemptions hold for the helpers too.
#![cfg(test)]
#![cfg(unix)]

mod bad_lines;
mod bad_usage;
mod cost;
mod count;
mod failing_servers;
mod interrupt;
mod learned;
mod limits;
mod odd_servers;
mod output;
mod resume;
mod run;
mod simulate;
mod support;
mod wire;
