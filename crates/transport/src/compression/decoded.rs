//! A body that is decoded as it is read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use async_compression::zstd::DParameter;
use bytes::{Bytes, BytesMut};
use http_body::Frame;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::Coding;
use super::source::Source;
use crate::error::Fault;
use crate::{Body, Error};

/// The most that is decoded at a time, so that a small chunk which stands for a large text does not fill the memory.
const PIECE: usize = 16 << 10;

/// Below this, room for the next piece is made.
const LEAST_ROOM: usize = 1 << 10;

/// How far back zstd may refer to, as a power of two: what HTTP allows (RFC 9659).
const ZSTD_WINDOW: u32 = 23;

/// A body that is decoded as it is read.
pub(crate) struct Decoded {
    coding: Coding,
    state: State,
    /// Where the next piece goes.
    room: BytesMut,
}

enum State {
    /// Nothing has come yet: an answer without a body has no form either.
    Start(Source),
    Reading(Pin<Box<dyn AsyncRead + Send>>),
    End,
}

impl Decoded {
    pub(super) fn new(body: Body, coding: Coding) -> Self {
        Self { coding, state: State::Start(Source::new(body)), room: BytesMut::new() }
    }

    fn fault(&self, cause: io::Error) -> Fault {
        match cause.downcast::<Error>() {
            // Of the body that is decoded.
            Ok(error) => Fault::Failed(error.into()),
            Err(cause) => Fault::Undecodable { coding: self.coding.name(), cause },
        }
    }
}

/// A decoder of `source`, whose first byte is `first`.
fn decoder(coding: Coding, first: u8, source: Source) -> Pin<Box<dyn AsyncRead + Send>> {
    // Of each, what follows its end is read as another one: so the end of the body is seen, and what else comes is an error.
    macro_rules! boxed {
        ($decoder:expr) => {{
            let mut decoder = $decoder;
            decoder.multiple_members(true);
            Box::pin(decoder)
        }};
    }
    match coding {
        Coding::Gzip => boxed!(GzipDecoder::new(source)),
        Coding::Brotli => boxed!(BrotliDecoder::new(source)),
        Coding::Zstd => boxed!(ZstdDecoder::with_params(source, &[DParameter::window_log_max(ZSTD_WINDOW)])),
        // It should be in zlib's wrapping, which begins with an 8, and from some servers is not.
        Coding::Deflate if first & 0x0f == 8 => boxed!(ZlibDecoder::new(source)),
        Coding::Deflate => boxed!(DeflateDecoder::new(source)),
    }
}

impl http_body::Body for Decoded {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let this = self.get_mut();
        if let State::Start(source) = &mut this.state {
            let first = match ready!(Pin::new(source).poll_fill_buf(cx)) {
                Ok(first) => first.first().copied(),
                Err(cause) => {
                    this.state = State::End;
                    return Poll::Ready(Some(Err(this.fault(cause))));
                }
            };
            this.state = match std::mem::replace(&mut this.state, State::End) {
                State::Start(source) => {
                    first.map_or(State::End, |first| State::Reading(decoder(this.coding, first, source)))
                }
                other => other,
            };
        }
        let State::Reading(reader) = &mut this.state else { return Poll::Ready(None) };
        if this.room.len() < LEAST_ROOM {
            this.room = BytesMut::zeroed(PIECE);
        }
        let mut buffer = ReadBuf::new(&mut this.room);
        let read = ready!(reader.as_mut().poll_read(cx, &mut buffer));
        let length = buffer.filled().len();
        match read {
            Ok(()) if length > 0 => Poll::Ready(Some(Ok(Frame::data(this.room.split_to(length).freeze())))),
            Ok(()) => {
                this.state = State::End;
                Poll::Ready(None)
            }
            Err(cause) => {
                this.state = State::End;
                Poll::Ready(Some(Err(this.fault(cause))))
            }
        }
    }
}
