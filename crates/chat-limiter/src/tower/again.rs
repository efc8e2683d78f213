//! Requests that were sent before.

/// Put into the [extensions](http::Request::extensions_mut) of a request that is sent again, for a retry layer above:
/// it waits in front of those that have not been sent yet, as the client's own retries do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again;
