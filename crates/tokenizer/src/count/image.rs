//! What an image costs, by its size.

use super::image_size::Size;

/// How a model's images are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ImageRule {
    /// OpenAI: so much, and so much for each tile of 512 pixels after the image was made to fit into 2048 pixels and its
    /// shorter side into 768 (<https://platform.openai.com/docs/guides/images-vision#calculating-costs>).
    Tiles { base: u64, tile: u64 },
    /// OpenAI's newer small models: patches of 32 pixels, times a factor of so many hundredths (same page). An image of
    /// more than 1,536 of them is made smaller until it has no more, with a whole number of them along one side.
    Patches { hundredths: u64 },
    /// Anthropic: the page says width x height / 750 after the longer side was made to fit into 1,568 pixels
    /// (<https://docs.claude.com/en/docs/build-with-claude/vision>). Recorded requests are charged patches of 28 pixels,
    /// which is nearly the same, and three or four around them.
    Claude,
    /// Gemini: 258 for an image of at most 384 pixels a side, else for each tile of 768 pixels
    /// (<https://ai.google.dev/gemini-api/docs/tokens>).
    Gemini,
    /// Gemini 3: the same for an image of any size (<https://ai.google.dev/gemini-api/docs/media-resolution>, 1,120 at the
    /// most by default; a recorded one was charged 1,090).
    Flat(u64),
}

/// What an image is taken to measure whose size is not known, because it is elsewhere.
const COMMON: Size = Size { width: 1_024, height: 1_024 };

impl ImageRule {
    /// Tokens of an image.
    pub(super) fn tokens(self, size: Option<Size>, low_detail: bool) -> u64 {
        let Size { width, height } = size.unwrap_or(COMMON);
        match self {
            Self::Flat(tokens) => tokens,
            Self::Tiles { base, .. } if low_detail => base,
            Self::Tiles { base, tile } => {
                let (width, height) = fit(f64::from(width), f64::from(height), 2_048.0, 768.0);
                base + tile * tiles(width, 512.0) * tiles(height, 512.0)
            }
            Self::Patches { hundredths } => (patches(f64::from(width), f64::from(height)) * hundredths).div_ceil(100),
            Self::Claude => {
                let (width, height) = fit(f64::from(width), f64::from(height), 1_568.0, 1_568.0);
                (tiles(width, 28.0) * tiles(height, 28.0)).min(1_600) + 4
            }
            // Recorded images whose size could not be seen were charged one tile.
            Self::Gemini if size.is_none() || width.max(height) <= 384 => 258,
            Self::Gemini => 258 * tiles(f64::from(width), 768.0) * tiles(f64::from(height), 768.0),
        }
    }
}

/// Both sides made smaller, if need be, until the longer one is at most `longer`, and the shorter one `shorter`.
fn fit(width: f64, height: f64, longer: f64, shorter: f64) -> (f64, f64) {
    let scale = (longer / width.max(height)).min(shorter / width.min(height)).min(1.0);
    (width * scale, height * scale)
}

/// How many patches of 32 pixels cover an image, after it was made to fit into the most that it may have.
fn patches(width: f64, height: f64) -> u64 {
    const SIDE: f64 = 32.0;
    const MOST: f64 = 1_536.0;
    let covering = tiles(width, SIDE).saturating_mul(tiles(height, SIDE));
    if covering as f64 <= MOST {
        return covering;
    }
    let area = (SIDE * SIDE * MOST / (width * height)).sqrt();
    let (columns, rows) = (width * area / SIDE, height * area / SIDE);
    // As far again as makes one side a whole number of patches. A side of less than one patch has one all the same.
    let whole = (columns.floor().max(1.0) / columns).min(rows.floor().max(1.0) / rows).min(1.0);
    tiles(columns * whole, 1.0).saturating_mul(tiles(rows * whole, 1.0)).min(MOST as u64)
}

/// How many tiles cover a side.
fn tiles(side: f64, tile: f64) -> u64 {
    // A part of a pixel that only rounding left does not take a tile.
    (side / tile - 1e-6).ceil().max(1.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPT_4O: ImageRule = ImageRule::Tiles { base: 85, tile: 170 };

    fn check(rule: ImageRule, (width, height): (u32, u32), expected: u64) {
        assert_eq!(rule.tokens(Some(Size { width, height }), false), expected, "{rule:?} {width} x {height}");
    }

    #[test]
    fn tiles_are_counted_as_in_the_examples_of_the_page() {
        check(GPT_4O, (1_024, 1_024), 765);
        check(GPT_4O, (2_048, 4_096), 1_105);
        check(GPT_4O, (1, 1), 255);
        assert_eq!(GPT_4O.tokens(Some(Size { width: 4_096, height: 8_192 }), true), 85);
        assert_eq!(GPT_4O.tokens(None, false), 765);
    }

    #[test]
    fn patches_are_counted_as_in_the_examples_of_the_page() {
        check(ImageRule::Patches { hundredths: 100 }, (1_024, 1_024), 1_024);
        check(ImageRule::Patches { hundredths: 100 }, (1_800, 2_400), 1_452);
        check(ImageRule::Patches { hundredths: 162 }, (1_800, 2_400), 2_353);
        check(ImageRule::Patches { hundredths: 100 }, (1_536, 1_024), 1_536);
        check(ImageRule::Patches { hundredths: 162 }, (166, 282), 88);
    }

    #[test]
    fn images_cost_what_recorded_requests_were_charged() {
        check(ImageRule::Tiles { base: 2_833, tile: 5_667 }, (1, 1), 8_500);
        check(ImageRule::Tiles { base: 70, tile: 140 }, (1, 1), 210);
        check(ImageRule::Claude, (1, 1), 5);
        check(ImageRule::Claude, (166, 282), 70);
        check(ImageRule::Gemini, (1, 1), 258);
    }

    #[test]
    fn an_image_of_any_size_costs_something_that_fits() {
        for rule in [GPT_4O, ImageRule::Patches { hundredths: 246 }, ImageRule::Claude, ImageRule::Gemini] {
            for size in [(1, u32::MAX), (u32::MAX, u32::MAX), (1, 1)] {
                let size = Size { width: size.0, height: size.1 };
                assert!(rule.tokens(Some(size), false) > 0, "{rule:?} {size:?}");
            }
        }
    }
}
