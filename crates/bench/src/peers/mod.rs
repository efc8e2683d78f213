//! The limiters that ours is measured beside, set up as their documentation says.

mod governor_pair;
mod leaky_bucket_pair;

pub(crate) use governor_pair::{GovernorPair, fake_clock};
pub(crate) use leaky_bucket_pair::LeakyBucketPair;
