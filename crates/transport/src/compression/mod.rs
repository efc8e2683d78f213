//! Answers that come compressed: asked for, and decoded as they come.

mod decoded;
mod source;

#[cfg(test)]
mod tests;

use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, RANGE};
use http::{HeaderMap, HeaderValue, Response};

use crate::error::Fault;
use crate::peer::Peer;
use crate::{Body, Error, Stage};

pub(crate) use decoded::Decoded;

/// What is asked for: all that is understood, but for `deflate`, under which servers understand two things.
const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, br, zstd");

/// Nobody compresses more often than this in turn; every time costs memory.
const MOST_CODINGS: usize = 3;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// `None` of what is not known.
    fn parse(name: &str) -> Option<Self> {
        let known = [Self::Gzip, Self::Deflate, Self::Brotli, Self::Zstd];
        let name = if name.eq_ignore_ascii_case("x-gzip") { "gzip" } else { name };
        known.into_iter().find(|coding| coding.name().eq_ignore_ascii_case(name))
    }
}

/// Asks for a compressed answer. `false` where the caller has said himself what he wants, and gets it as it is; or where he
/// wants a part of something, which is a part of its compressed form where it is compressed.
pub(crate) fn ask(headers: &mut HeaderMap) -> bool {
    if headers.contains_key(ACCEPT_ENCODING) || headers.contains_key(RANGE) {
        return false;
    }
    headers.insert(ACCEPT_ENCODING, ACCEPTED);
    true
}

/// The answer with its body decoded, and without the headers that describe the form in which it came.
///
/// An answer in a form that is not known is left as it is, with the header that names it.
pub(crate) fn decode(mut response: Response<Body>, peer: &Peer) -> Response<Body> {
    let Some(codings) = codings(response.headers()) else { return response };
    if codings.is_empty() {
        return response;
    }
    if codings.len() > MOST_CODINGS {
        let fault = Fault::Invalid(format!("compressed {} times in turn, which nobody asked for", codings.len()));
        return response.map(|_| Body::failed(Error::at(Stage::Body, Some(peer.clone()), fault)));
    }
    response.headers_mut().remove(CONTENT_ENCODING);
    response.headers_mut().remove(CONTENT_LENGTH);
    response.map(|body| {
        // The last one was applied last.
        codings.into_iter().rev().fold(body, |body, coding| Body::decoded(Decoded::new(body, coding), peer.clone()))
    })
}

/// In which ways a body was compressed, one after the other. `None` where one of them is not known.
fn codings(headers: &HeaderMap) -> Option<Vec<Coding>> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.to_str().ok()?.split(',').map(str::trim) {
            if !name.is_empty() && !name.eq_ignore_ascii_case("identity") {
                codings.push(Coding::parse(name)?);
            }
        }
    }
    Some(codings)
}
