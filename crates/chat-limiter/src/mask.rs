//! Takes the credentials of a client out of what a server sends, which may quote them: answers go to logs and files.

mod escapes;

use std::fmt;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memmem::Finder;
use providers::Failure;

/// A shorter key is a placeholder such as `none`, and a word that may occur in any answer.
const SHORTEST_SECRET: usize = 8;

/// Headers that hold a credential, whether they are marked as sensitive or not.
const CREDENTIALS: [&str; 8] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
    "cookie",
    "set-cookie",
];

/// Headers that hold none. What is in them stands in nearly every answer.
const HARMLESS: [HeaderName; 6] =
    [ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT];

/// Whether a header's value is a credential, or may be one.
pub(crate) fn is_secret(name: &HeaderName, value: &HeaderValue) -> bool {
    CREDENTIALS.contains(&name.as_str()) || value.is_sensitive() && !HARMLESS.contains(name)
}

/// The server that an address names, as it may be shown: without a password, a path and a query, which may be a key.
pub(crate) fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.trim().split_once("://") else { return "***".to_owned() };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    format!("{scheme}://{}", authority.rsplit('@').next().unwrap_or_default())
}

/// What of a header's value may be a credential on its own: its words, and what `=` gives a name.
fn secrets_of(value: &str) -> impl Iterator<Item = &str> {
    let is_quote = |c: char| matches!(c, '"' | '\'' | ',' | ';' | '=');
    value
        .split_whitespace()
        .flat_map(|word| std::iter::once(word).chain(word.split([',', ';'])))
        .flat_map(|part| {
            let named = part.split_once('=').map(|(_, value)| value);
            std::iter::once(part).chain(named)
        })
        .map(move |part| part.trim_matches(is_quote))
        .filter(|part| part.len() >= SHORTEST_SECRET)
}

/// What finds the credentials. It is made once, because a search takes less time than its preparation.
#[derive(Clone)]
pub(crate) struct Mask {
    /// The longest first: one may be part of another.
    credentials: Vec<Finder<'static>>,
}

impl Mask {
    /// Masks what is marked sensitive in the headers of every request, and what such headers hold by their names.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let secret = headers.iter().filter(|(name, value)| is_secret(name, value));
        let mut credentials: Vec<&str> =
            secret.filter_map(|(_, value)| std::str::from_utf8(value.as_bytes()).ok()).flat_map(secrets_of).collect();
        credentials.sort_unstable_by_key(|credential| (std::cmp::Reverse(credential.len()), *credential));
        credentials.dedup();
        Self { credentials: credentials.into_iter().map(|credential| Finder::new(credential).into_owned()).collect() }
    }

    /// The same with the credentials in the headers of one request; `None` where it has none of its own.
    pub(crate) fn with(&self, headers: &HeaderMap) -> Option<Self> {
        let mut both = Self::new(headers);
        if both.credentials.is_empty() {
            return None;
        }
        both.credentials.extend(self.credentials.iter().cloned());
        both.credentials.sort_by_key(|credential| std::cmp::Reverse(credential.needle().len()));
        Some(both)
    }

    /// A body without them.
    pub(crate) fn body(&self, body: Bytes) -> Bytes {
        self.masked(&body).map_or(body, Bytes::from)
    }

    /// What was read from a body, where escapes may have hidden them.
    pub(crate) fn failure(&self, failure: &mut Failure) {
        for text in std::iter::once(&mut failure.message).chain(failure.code.as_mut()) {
            if let Some(masked) = self.masked(text.as_bytes()) {
                *text = String::from_utf8_lossy(&masked).into_owned();
            }
        }
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
        let plain = self.unfinished_plain(text);
        let longest = self.credentials.first().map_or(0, |credential| credential.needle().len());
        // As many bytes as the longest takes where each of its characters is escaped.
        let tail = text.get(text.len().saturating_sub(longest * escapes::LONGEST)..).unwrap_or_default();
        if !tail.contains(&b'\\') {
            return plain;
        }
        let (whole, cut) = escapes::split_unfinished(tail);
        let decoded = escapes::decode(whole);
        let begun = self.unfinished_plain(&decoded);
        plain.max(cut.len() + escapes::length_of_last(whole, begun))
    }

    fn unfinished_plain(&self, text: &[u8]) -> usize {
        let begins = |credential: &Finder<'static>| {
            let longest = text.len().min(credential.needle().len().saturating_sub(1));
            let is_end = |len: &usize| credential.needle().get(..*len).is_some_and(|start| text.ends_with(start));
            (1..=longest).rev().find(is_end).unwrap_or_default()
        };
        self.credentials.iter().map(begins).max().unwrap_or_default()
    }

    /// The text with stars in their places; `None` where there is none of them, as in nearly every text.
    fn masked(&self, text: &[u8]) -> Option<Vec<u8>> {
        let plain = self.masked_plain(text);
        let known = plain.as_deref().unwrap_or(text);
        if self.credentials.is_empty() || memchr::memchr(b'\\', known).is_none() {
            return plain;
        }
        // As JSON may write them: with `\/`, or with the numbers of characters.
        let decoded = escapes::decode(known);
        let places: Vec<_> = self
            .credentials
            .iter()
            .flat_map(|credential| {
                credential.find_iter(&decoded).map(|place| place..place + credential.needle().len()).collect::<Vec<_>>()
            })
            .collect();
        if places.is_empty() {
            return plain;
        }
        let mut masked = known.to_vec();
        for (number, span) in escapes::characters(known).enumerate() {
            if places.iter().any(|place| place.contains(&number)) {
                masked.get_mut(span).into_iter().flatten().for_each(|byte| *byte = b'*');
            }
        }
        Some(masked)
    }

    fn masked_plain(&self, text: &[u8]) -> Option<Vec<u8>> {
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

    /// A mask of one header that is a credential by its name.
    fn mask_of(name: &'static str, value: &'static str) -> Mask {
        Mask::new(&HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]))
    }

    #[test]
    fn every_word_of_a_credential_is_masked_and_every_value_that_has_a_name() {
        let parts = "Bearer sk-first-key, sk-second-key session=crumbs-of-it; other=\"quoted-crumbs\" cGFkZGVkLWtleQ==";
        for name in ["authorization", "x-api-key", "api-key", "cookie", "proxy-authorization", "x-goog-api-key"] {
            for secret in ["sk-first-key", "sk-second-key", "crumbs-of-it", "quoted-crumbs", "cGFkZGVkLWtleQ"] {
                let masked = mask_of(name, parts).body(Bytes::from(format!("a {secret} b")));
                assert_eq!(masked, format!("a {} b", "*".repeat(secret.len())));
            }
        }
        let harmless = "session, Bearer: nothing";
        assert_eq!(mask_of("cookie", parts).body(Bytes::from_static(harmless.as_bytes())), harmless);
        assert!(
            Mask::new(&HeaderMap::from_iter([(ACCEPT, "application/json".parse().unwrap())])).credentials.is_empty()
        );
    }

    #[test]
    fn escapes_of_json_hide_no_credential_and_the_text_stays_json() {
        let mask = mask_of("x-api-key", "gw/ab+cd/\u{5c}ef==gh");
        for form in ["gw\\/ab+cd\\/\\\\ef==gh", "gw/ab\\u002Bcd/\\u005cef\\u003d\\u003Dgh", "\\u0067w/ab+cd/\\\\ef==gh"]
        {
            let text = format!("{{\"a\":\"x\\n {form}\\u00e9\"}}");
            let masked = mask.body(Bytes::from(text.clone()));
            let shown: serde_json::Value = serde_json::from_slice(&masked).unwrap();
            let shown = shown["a"].as_str().unwrap();
            assert!(shown.starts_with("x\n ***") && shown.ends_with("**\u{e9}") && !shown.contains("gw"), "{shown}");
            // Wherever a stream is cut.
            for cut in 0..=text.len() {
                let (mut chunks, mut passed) = (MaskedChunks::default(), Vec::new());
                for part in [&text[..cut], &text[cut..]] {
                    passed.extend_from_slice(&chunks.push(&mask, Bytes::copy_from_slice(part.as_bytes())));
                }
                passed.extend_from_slice(&chunks.finish());
                assert_eq!(passed, masked, "{form} cut at {cut}");
            }
        }
    }

    #[test]
    fn of_an_address_the_host_is_shown() {
        let shown = ["http://u:hunter2@h:1/secret?key=hunter2", "https://h?key=hunter2", "hunter2"].map(host_of);
        assert_eq!(shown, ["http://h:1", "https://h", "***"]);
    }

    #[test]
    fn it_does_not_show_them() {
        assert!(!format!("{:?}", mask()).contains("secret"));
    }
}
