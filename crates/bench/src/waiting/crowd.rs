//! Many futures that wait.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use anyhow::{bail, ensure};

use crate::ALLOCATOR;
use crate::clock::Clock;

/// What one caller of a crowd takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    /// Bytes in all: the future in its box, and its place in the queue.
    pub(super) bytes: f64,
    /// Bytes of the future.
    pub(super) future_bytes: f64,
    /// Nanoseconds to join the queue.
    pub(super) join: f64,
    /// Nanoseconds to leave it.
    pub(super) leave: f64,
    /// Nanoseconds to be let through, when the one before is done, and to be done.
    pub(super) admit: f64,
}

/// Futures in the order in which they wait.
type Crowd<F> = Vec<Pin<Box<F>>>;

/// Measures crowds of futures that `ask` makes. They wait as long as somebody holds what `first` is; `done` ends what
/// one of them was given.
pub(super) fn measure<F: Future>(
    callers: usize,
    ask: impl Fn() -> F,
    mut hold: impl FnMut() -> anyhow::Result<F::Output>,
    done: impl Fn(F::Output) -> anyhow::Result<()>,
) -> anyhow::Result<Measured> {
    let each = |clock: &Clock| clock.elapsed().as_nanos() as f64 / callers as f64;
    let held = hold()?;
    let mut crowd: Crowd<F> = Vec::with_capacity(callers);
    let before = ALLOCATOR.allocated();
    let clock = Clock::start();
    gather(&mut crowd, callers, &ask)?;
    let join = each(&clock);
    let bytes = ALLOCATOR.allocated().saturating_sub(before) as f64 / callers as f64;
    fastrand::Rng::with_seed(7).shuffle(&mut crowd);
    let clock = Clock::start();
    crowd.clear();
    let leave = each(&clock);
    gather(&mut crowd, callers, &ask)?;
    let clock = Clock::start();
    let mut held = held;
    for mut caller in crowd.drain(..) {
        done(held)?;
        held = match poll(&mut caller) {
            Poll::Ready(given) => given,
            Poll::Pending => bail!("a caller was not let through in its turn"),
        };
    }
    done(held)?;
    let admit = each(&clock);
    Ok(Measured { bytes, future_bytes: size_of::<F>() as f64, join, leave, admit })
}

/// So many futures that have been polled once, and wait.
fn gather<F: Future>(crowd: &mut Crowd<F>, callers: usize, ask: impl Fn() -> F) -> anyhow::Result<()> {
    for _ in 0..callers {
        let mut caller = Box::pin(ask());
        ensure!(poll(&mut caller).is_pending(), "a caller did not have to wait");
        crowd.push(caller);
    }
    Ok(())
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crowds_wait_leave_and_are_let_through() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _inside = runtime.enter();
        for measured in [super::super::limiter::measure(100).unwrap(), super::super::semaphore::measure(100).unwrap()] {
            assert!(measured.future_bytes > 0.0 && measured.bytes >= measured.future_bytes, "{measured:?}");
        }
    }

    #[test]
    fn who_does_not_wait_is_an_error() {
        let measured = measure(3, || std::future::ready(()), || Ok(()), |()| Ok(()));
        assert!(measured.is_err());
    }
}
