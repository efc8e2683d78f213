//! What this process used, and whether other programs were in its way.
//!
//! Two threads that have to take turns on one processor do not contend, and a batch that was interrupted measures the
//! other program. Linux tells how long a thread was ready to run and did not; elsewhere nothing is known of it.

use std::fs;
use std::time::Duration;

/// The time that all threads of this process have spent on a processor so far, in the program and in the kernel.
#[cfg(unix)]
pub(crate) fn used() -> anyhow::Result<Duration> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::try_from(used)?)
}

/// The standard library does not tell, and this program has been run on Unix only.
#[cfg(not(unix))]
pub(crate) fn used() -> anyhow::Result<Duration> {
    anyhow::bail!("how to ask for the processor time of a process is known on Unix only")
}

/// How long this thread has waited for a processor so far; nothing where that is not told.
pub(crate) fn waited() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(second_number(&text).unwrap_or_default())
}

/// `schedstat` has three numbers: nanoseconds on a processor, nanoseconds of waiting for one, turns.
fn second_number(text: &str) -> Option<u64> {
    text.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_number_is_read_where_there_is_one() {
        assert_eq!(second_number("116277 2158332 2\n"), Some(2_158_332));
        assert_eq!(second_number(""), None);
        assert_eq!(second_number("1 x 3"), None);
    }
}
