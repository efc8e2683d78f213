//! Tokens of an image by its size, for people who have no request yet.

use super::PayloadKind;
use super::image::ImageRule;
use super::image_size::Size;
use super::media::Prices;

/// Counts the tokens of images for one model, by the rules that [`count_payload`](crate::count_payload) uses.
///
/// ```
/// let calculator = tokenizer::ImageTokenCalculator::new("gpt-4o");
/// assert_eq!(calculator.calculate(1_024, 1_024, false), 765);
/// assert_eq!(calculator.calculate(1_024, 1_024, true), 85);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[doc(alias = "OpenAIImageTokenCalculator")]
pub struct ImageTokenCalculator {
    rule: ImageRule,
}

impl ImageTokenCalculator {
    /// A calculator for `model`. The rule of `gpt-4o` holds for models that are not known.
    #[must_use]
    pub fn new(model: &str) -> Self {
        Self { rule: Prices::of(PayloadKind::Chat, model).image() }
    }

    /// Tokens of an image of so many pixels, where `low_detail` is OpenAI's `"detail": "low"`. A side of zero is taken for
    /// one pixel.
    #[must_use]
    pub fn calculate(&self, width: u32, height: u32, low_detail: bool) -> u64 {
        self.rule.tokens(Some(Size { width: width.max(1), height: height.max(1) }), low_detail)
    }

    /// Tokens of a PNG, JPEG, GIF or WebP in base64. An image whose size cannot be read is taken to measure 1,024 by 1,024
    /// pixels.
    #[must_use]
    pub fn calculate_base64(&self, image: &str, low_detail: bool) -> u64 {
        self.rule.tokens(Size::of_base64(image), low_detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_costs_what_its_model_counts() {
        let check = |model, (width, height), expected| {
            assert_eq!(ImageTokenCalculator::new(model).calculate(width, height, false), expected, "{model}");
        };
        check("gpt-4o", (1_024, 1_024), 765);
        check("gpt-4o-mini", (1, 1), 8_500);
        check("o1", (512, 512), 225);
        check("claude-sonnet-4-5", (1, 1), 5);
        check("gemini-2.5-pro", (300, 300), 258);
        check("gpt-4o", (0, 0), 255);
    }

    #[test]
    fn tiles_are_counted_up_and_not_down() {
        // 513 pixels take two tiles each way where the specified library counted one.
        assert_eq!(ImageTokenCalculator::new("gpt-4o").calculate(513, 513, false), 85 + 4 * 170);
    }

    #[test]
    fn what_is_no_image_costs_as_one_of_common_size() {
        let calculator = ImageTokenCalculator::new("gpt-4o");
        assert_eq!(calculator.calculate_base64("bm90IGFuIGltYWdl", false), 765);
        assert_eq!(calculator.calculate_base64("\u{0}\u{ffff}", true), 85);
    }
}
