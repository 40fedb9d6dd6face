//! A small picture, 20 by 20 pixels, for everything that shows how images are sent.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::ImageContent;

static DATA: LazyLock<String> =
    LazyLock::new(|| STANDARD.encode(include_bytes!("../assets/tiny_image.png")));

/// The picture as content.
pub(crate) fn content() -> ImageContent {
    ImageContent::new(DATA.as_str(), "image/png")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_png_of_20_by_20_pixels_with_transparency() {
        let bytes = STANDARD.decode(&content().data).unwrap();
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&bytes[12..16], b"IHDR");
        let (size, rgba) = (20_u32.to_be_bytes(), [8, 6]);
        assert_eq!(
            (&bytes[16..20], &bytes[20..24], &bytes[24..26]),
            (&size[..], &size[..], &rgba[..])
        );
    }
}
