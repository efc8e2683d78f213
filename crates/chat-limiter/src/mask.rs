//! Takes the credentials of a client out of what a server sends, which may quote them: answers go to logs and files.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use memchr::memmem::Finder;

/// A shorter key is a placeholder such as `none`, and a word that may occur in any answer.
const SHORTEST_SECRET: usize = 8;

/// What finds the credentials. It is made once, because a search takes less time than its preparation.
pub(crate) struct Mask {
    credentials: Vec<Finder<'static>>,
}

impl Mask {
    /// Masks what is marked sensitive in the headers of every request.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let sensitive = headers.values().filter(|value| value.is_sensitive());
        let credentials = sensitive.filter_map(|value| value.to_str().ok()?.split_whitespace().last());
        let long = credentials.filter(|credential| credential.len() >= SHORTEST_SECRET);
        Self { credentials: long.map(|credential| Finder::new(credential).into_owned()).collect() }
    }

    /// A body without them.
    pub(crate) fn body(&self, body: Bytes) -> Bytes {
        self.masked(&body).map_or(body, Bytes::from)
    }

    /// The same for headers.
    pub(crate) fn headers(&self, headers: &mut HeaderMap) {
        for value in headers.values_mut() {
            if let Some(masked) = self.masked(value.as_bytes()) {
                *value = HeaderValue::try_from(masked).unwrap_or(HeaderValue::from_static("***"));
            }
        }
    }

    /// How many of the last bytes of a text may be the beginning of a credential.
    fn unfinished(&self, text: &[u8]) -> usize {
        let begins = |credential: &Finder<'static>| {
            let longest = text.len().min(credential.needle().len().saturating_sub(1));
            let is_end = |len: &usize| credential.needle().get(..*len).is_some_and(|start| text.ends_with(start));
            (1..=longest).rev().find(is_end).unwrap_or_default()
        };
        self.credentials.iter().map(begins).max().unwrap_or_default()
    }

    /// The text with stars in their places; `None` where there is none of them, as in nearly every text.
    fn masked(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut masked: Option<Vec<u8>> = None;
        for credential in &self.credentials {
            let so_far = masked.as_deref().unwrap_or(text);
            // Nearly every header is shorter, and in nearly every text there is none: no iterator is made for those.
            if so_far.len() < credential.needle().len() || credential.find(so_far).is_none() {
                continue;
            }
            let places: Vec<usize> = credential.find_iter(so_far).collect();
            for place in places {
                let text = masked.get_or_insert_with(|| text.to_vec());
                text.iter_mut().skip(place).take(credential.needle().len()).for_each(|byte| *byte = b'*');
            }
        }
        masked
    }
}

/// Masks a body that comes in chunks, wherever they are cut.
#[derive(Default)]
pub(crate) struct MaskedChunks {
    /// What may be the beginning of a credential, and is held back until more has come.
    held: Bytes,
}

impl MaskedChunks {
    /// The next bytes without credentials. What may be the beginning of one is in those after them.
    pub(crate) fn push(&mut self, mask: &Mask, chunk: Bytes) -> Bytes {
        let text = match self.held.is_empty() {
            true => chunk,
            false => Bytes::from([&std::mem::take(&mut self.held)[..], &chunk[..]].concat()),
        };
        let mut masked = mask.body(text);
        self.held = masked.split_off(masked.len() - mask.unfinished(&masked));
        masked
    }

    /// What was held back, where no more comes.
    pub(crate) fn finish(&mut self) -> Bytes {
        std::mem::take(&mut self.held)
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mask").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask of a key and of another credential, which the key ends with.
    fn mask() -> Mask {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("authorization", "Bearer sk-secret-key"), ("x-gateway", "secret-key"), ("x-none", "none")]
        {
            let mut value = HeaderValue::from_static(value);
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        headers.insert("user-agent", HeaderValue::from_static("an-agent-that-anybody-may-know"));
        Mask::new(&headers)
    }

    #[test]
    fn every_credential_is_masked_wherever_it_stands() {
        #[track_caller]
        fn check(text: &'static str, expected: &str) {
            assert_eq!(mask().body(Bytes::from_static(text.as_bytes())), expected);
        }
        check("", "");
        check("an-agent-that-anybody-may-know, none", "an-agent-that-anybody-may-know, none");
        check("sk-secret-key", "*************");
        check("not sk-secret-key, and not secret-key", "not *************, and not **********");
        check("secret-keysecret-key", "********************");
    }

    #[test]
    fn a_body_without_credentials_is_not_copied() {
        let body = Bytes::from(vec![b'a'; 100]);
        assert_eq!(mask().body(body.clone()).as_ptr(), body.as_ptr());
    }

    #[test]
    fn headers_are_masked_and_the_others_stay_as_they_are() {
        let mut headers = HeaderMap::new();
        headers.insert("x-quoted", HeaderValue::from_static("Bearer sk-secret-key"));
        headers.insert("x-other", HeaderValue::from_static("Bearer"));
        mask().headers(&mut headers);
        assert_eq!(
            (headers["x-quoted"].as_bytes(), headers["x-other"].as_bytes()),
            (&b"Bearer *************"[..], &b"Bearer"[..])
        );
    }

    #[test]
    fn a_credential_is_masked_wherever_the_chunks_are_cut() {
        let text = "s sk-secret-key, sk-secret-ksecret-key secret-ke";
        let whole = mask().body(Bytes::from_static(text.as_bytes()));
        assert!(whole.ends_with(b"********** secret-ke"));
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let (mask, mut chunks, mut masked) = (mask(), MaskedChunks::default(), Vec::new());
                for part in [&text[..first], &text[first..second], &text[second..]] {
                    masked.extend_from_slice(&chunks.push(&mask, Bytes::copy_from_slice(part.as_bytes())));
                }
                masked.extend_from_slice(&chunks.finish());
                assert_eq!(masked, whole, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_chunk_that_ends_like_no_credential_begins_is_handed_on_at_once() {
        let chunk = Bytes::from_static(b"data: a secret\n\n");
        let passed = MaskedChunks::default().push(&mask(), chunk.clone());
        assert_eq!((passed.as_ptr(), passed.len()), (chunk.as_ptr(), chunk.len()));
    }

    #[test]
    fn it_does_not_show_them() {
        assert!(!format!("{:?}", mask()).contains("secret"));
    }
}
