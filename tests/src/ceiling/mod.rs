//! How close the client comes to what is possible, with every kind of provider.
//!
//! A matrix of cells: how a provider meters, charges and tells, how full it is, how deep, how slow, what is asked of it
//! and what goes wrong meanwhile ([`Cell`]). The base cell, everything that deviates from it in one value, and in two.
//! Each is run ([`run`]) with the real client against the simulator, on virtual time, and compared with the least time
//! that anybody needs; what is good enough is in [`Goal`].
//!
//! The provider gives 600 requests and 60,000 tokens a minute (48,000 of input and 12,000 of output where they are
//! metered apart; 120 requests where that limit is to bind). The client is told none of it. It gets all requests at
//! once, for two and a half minutes of work, or four where something happens in the course of it.
//!
//! Beside them stand servers that these axes do not describe ([`Server`]), with numbers of their own.

mod axes;
mod cell;
mod cost;
mod evidence;
mod foreign;
mod goal;
mod least;
mod minimum;
mod outcome;
mod overdue;
mod provider;
pub mod report;
mod run;
mod seeded;
mod typed_in;
mod workers;
mod workload;

pub use axes::{Charge, Depth, Disturbance, Fill, Headers, Latency, Metering, Server, Workload};
pub use cell::{Cell, Deviation};
pub use goal::{Class, Goal};
pub use outcome::Outcome;
pub use run::{prepare, run, run_with};
pub use workers::run_all;
