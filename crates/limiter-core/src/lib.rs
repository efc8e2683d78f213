//! The arithmetic of several quotas at once, as a state machine without I/O.
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod cost;
mod dimension;
mod limit;
mod observation;
mod time;

pub use cost::Cost;
pub use dimension::{Amounts, Dimension};
pub use limit::{Limit, Refill};
pub use observation::{Observation, Reading};
pub use time::Nanos;
