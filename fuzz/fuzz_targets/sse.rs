//! Streams of any bytes: the first byte says how long the pieces are that they come in.
#![no_main]

use libfuzzer_sys::fuzz_target;
use providers::StreamUsage;
use providers::sse::Decoder;

const LIMIT: usize = 4_096;

fuzz_target!(|bytes: &[u8]| {
    let Some((length, stream)) = bytes.split_first() else { return };
    let decode = |length: usize| {
        let mut events = Vec::new();
        let mut decoder = Decoder::with_limit(LIMIT);
        let pushed = stream
            .chunks(length.max(1))
            .try_for_each(|piece| decoder.push(piece, |event| events.push((event.name.to_owned(), event.data.to_owned()))));
        let ended = pushed.and_then(|()| decoder.finish(|event| events.push((event.name.to_owned(), event.data.to_owned()))));
        (events, ended.is_err())
    };
    let whole = decode(stream.len());
    assert_eq!(whole, decode(1));
    assert_eq!(whole, decode(usize::from(*length)));
    let mut follower = StreamUsage::with_limit(LIMIT);
    let _ = follower.push(stream).and_then(|()| follower.finish());
    let _ = (follower.usage(), follower.failure().cloned(), follower.is_complete());
});
