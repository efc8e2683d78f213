//! Where requests go, remembered: an address is read and put together once for each path.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::Uri;
use providers::InvalidUrl;

/// So many paths are remembered. A client has few; those with identifiers in them are as many as are asked for.
const MOST: usize = 64;
/// A longer path is not remembered, in bytes.
const LONGEST: usize = 512;

/// The addresses at one base address, by the path that was asked for.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    known: Mutex<HashMap<Box<str>, Uri>>,
}

impl Addresses {
    /// As [`providers::join_url`], of which it remembers what it said. The base address is always the same one.
    ///
    /// # Errors
    ///
    /// As there.
    pub(crate) fn at(&self, base_url: &str, path: &str) -> Result<Uri, InvalidUrl> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(uri) = known.get(path) {
            return Ok(uri.clone());
        }
        let uri = providers::join_url(base_url, path)?;
        if path.len() <= LONGEST {
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(path.into(), uri.clone());
        }
        Ok(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_path_has_the_same_address_and_no_number_of_paths_is_kept() {
        let addresses = Addresses::default();
        let long = "x".repeat(LONGEST + 1);
        for round in 0..3 {
            for number in 0..2 * MOST {
                let path = format!("/v1/batches/{number}");
                let uri = addresses.at("http://h/v1", &path).unwrap();
                assert_eq!(uri.to_string(), format!("http://h/v1/batches/{number}"), "{round}");
                assert_eq!(addresses.at("http://h/v1", &path).unwrap(), uri);
            }
            assert!(addresses.at("http://h/v1", &long).is_ok());
            let known = addresses.known.lock().unwrap();
            assert!(known.len() <= MOST && !known.contains_key(long.as_str()), "{}", known.len());
        }
    }

    #[test]
    fn what_leads_elsewhere_is_refused_every_time() {
        let addresses = Addresses::default();
        for _ in 0..2 {
            assert!(addresses.at("http://h/v1", "http://other/v1/x").is_err());
        }
        assert!(addresses.known.lock().unwrap().is_empty());
    }
}
