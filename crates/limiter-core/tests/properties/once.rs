//! Settled once, shown by the compiler: every end takes the reservation away, and nothing makes two of one.

use limiter_core::{Amounts, Bucket, Cost, Limiter, Nanos, Quota, Reservation, Taken};

/// Which of two implementations is meant is only clear for a type that is not `Clone`: naming it does not compile for
/// one that is (and so for none that is `Copy`).
trait IsMeantUnlessClone<Which> {
    fn is_meant() -> bool {
        true
    }
}

struct Always;
struct ForClone;
impl<T> IsMeantUnlessClone<Always> for T {}
impl<T: Clone> IsMeantUnlessClone<ForClone> for T {}

#[test]
fn property_6_a_reservation_cannot_be_ended_twice() {
    // By value, each of them.
    let _: fn(&mut Limiter, Reservation, &Amounts, Nanos) = Limiter::settle;
    let _: fn(&mut Limiter, Reservation, Nanos) = Limiter::release;
    let _: fn(&mut Limiter, Reservation, Option<Nanos>, Nanos, u64) = Limiter::refuse;
    let _: fn(&mut Limiter, Reservation, bool, Nanos, u64) = Limiter::fail;
    let _: fn(&mut Limiter, Reservation, Nanos) = Limiter::forfeit;
    let _: fn(&mut Bucket, Taken, u64, u64, Nanos) = Bucket::settle;
    let _: fn(&mut Quota<Vec<Bucket>>, Taken, &Cost, &Amounts, Nanos) = Quota::settle;
    assert!(<Reservation as IsMeantUnlessClone<_>>::is_meant() && <Taken as IsMeantUnlessClone<_>>::is_meant());
}
