//! How large an image is, read from the beginning of its file.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Width and height, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: u32,
    pub(super) height: u32,
}

/// So much of a file is looked at, in characters of base64: what cameras write in front of the size of a JPEG fits.
const LOOKED_AT: usize = 1 << 18;
/// And so much at first: nearly every file says it there.
const FIRST: usize = 1 << 10;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Size {
    /// The size of an image in base64, if it is a PNG, JPEG, GIF, or WebP.
    pub(super) fn of_base64(text: &str) -> Option<Self> {
        [FIRST, LOOKED_AT].iter().find_map(|most| {
            let beginning = text.as_bytes().get(..text.len().min(*most) / 4 * 4)?;
            Self::of_file(&BASE64.decode(beginning).ok()?)
        })
    }

    fn of_file(file: &[u8]) -> Option<Self> {
        let size = png(file).or_else(|| gif(file)).or_else(|| webp(file)).or_else(|| jpeg(file))?;
        (size.width > 0 && size.height > 0).then_some(size)
    }
}

/// <https://www.w3.org/TR/png-3/#11IHDR>
fn png(file: &[u8]) -> Option<Size> {
    let header = file.strip_prefix(b"\x89PNG\r\n\x1a\n")?.get(8..)?;
    let (width, rest) = header.split_first_chunk()?;
    Some(Size { width: u32::from_be_bytes(*width), height: u32::from_be_bytes(*rest.first_chunk()?) })
}

/// <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>, section 18.
fn gif(file: &[u8]) -> Option<Size> {
    let screen = file.strip_prefix(b"GIF87a").or_else(|| file.strip_prefix(b"GIF89a"))?;
    let (width, rest) = screen.split_first_chunk()?;
    let [width, height] = [*width, *rest.first_chunk()?].map(|side| u32::from(u16::from_le_bytes(side)));
    Some(Size { width, height })
}

/// <https://developers.google.com/speed/webp/docs/riff_container>
fn webp(file: &[u8]) -> Option<Size> {
    let chunk = file.strip_prefix(b"RIFF")?.get(4..)?.strip_prefix(b"WEBP")?;
    let (name, rest) = chunk.split_first_chunk::<4>()?;
    let data = rest.get(4..)?;
    let of_14_bits = |at: usize| {
        data.get(at..).and_then(<[u8]>::first_chunk).map(|side| u32::from(u16::from_le_bytes(*side) & 0x3FFF))
    };
    match name {
        b"VP8 " => Some(Size { width: of_14_bits(6)?, height: of_14_bits(8)? }),
        b"VP8L" => {
            let bits = u32::from_le_bytes(*data.get(1..)?.first_chunk()?);
            Some(Size { width: (bits & 0x3FFF) + 1, height: (bits >> 14 & 0x3FFF) + 1 })
        }
        b"VP8X" => {
            let sides = data.get(4..10)?;
            let of_24_bits =
                |bytes: &[u8]| bytes.iter().rev().fold(1, |side, byte| (side - 1) * 256 + u32::from(*byte) + 1);
            Some(Size { width: of_24_bits(sides.get(..3)?), height: of_24_bits(sides.get(3..)?) })
        }
        _ => None,
    }
}

/// The first frame header: <https://www.w3.org/Graphics/JPEG/itu-t81.pdf>, B.2.2.
fn jpeg(file: &[u8]) -> Option<Size> {
    let mut rest = file.strip_prefix(b"\xFF\xD8")?;
    loop {
        let [0xFF, marker, length @ ..] = rest else { return None };
        // Fill bytes.
        if *marker == 0xFF {
            rest = rest.get(1..)?;
            continue;
        }
        let segment = usize::from(u16::from_be_bytes(*length.first_chunk()?));
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let (height, rest) = length.get(3..)?.split_first_chunk()?;
            let [width, height] = [*rest.first_chunk()?, *height].map(|side| u32::from(u16::from_be_bytes(side)));
            return Some(Size { width, height });
        }
        // A segment is at least as long as its own length.
        rest = length.get(segment.max(2)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(file: &[u8], expected: Option<(u32, u32)>) {
        let expected = expected.map(|(width, height)| Size { width, height });
        assert_eq!(Size::of_file(file), expected, "{file:?}");
        assert_eq!(Size::of_base64(&BASE64.encode([file, &[0; 9][..]].concat())), expected);
    }

    #[test]
    fn the_size_stands_at_the_beginning_of_each_kind_of_file() {
        check(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x03\0", Some((1_024, 768)));
        check(b"GIF89a\x20\x03\x58\x02", Some((800, 600)));
        check(b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xFF\xC2\0\x11\x08\x02\x58\x03\x20", Some((800, 600)));
        check(b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\x20\x03\x58\x42", Some((800, 600)));
        check(b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x1f\xc3\x95\0", Some((800, 600)));
        check(b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0\x1f\x03\0\x57\x02\0", Some((800, 600)));
    }

    #[test]
    fn what_is_no_image_has_no_size() {
        for file in [&b""[..], b"%PDF-1.7", b"\xFF\xD8\xFF\xC4\0\0", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0"] {
            check(file, None);
        }
        assert_eq!(Size::of_base64("no base64 at all"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_to_an_end(
            start in prop::sample::select(vec![&b"\xFF\xD8\xFF"[..], b"RIFF\0\0\0\0WEBPVP8X", b"GIF89a", b"\x89PNG\r\n\x1a\n"]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = Size::of_file(&[start, &rest].concat());
        }
    }
}
