//! The icons of this server (2025-11-25, Base Protocol, `icons`).
//!
//! They are sent as `data:` URIs: clients must refuse anything but `https:` and `data:`, and a
//! server on loopback or over stdio has no `https:` address to give. Each is a PNG, which every
//! client that shows icons can read, and has two colours only, so that a list with an icon on each
//! item stays small. The colour stands out from light and dark backgrounds.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::Icon;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Glyph {
    /// A tick: something to test with.
    Check,
    /// A clock: something that takes a while.
    Clock,
    /// Braces: data for programs.
    Data,
    /// A page: something to read.
    Document,
    /// A folder: files of the client.
    Folder,
    /// A form: questions to the user.
    Form,
    /// Links of a chain: an address instead of what is there.
    Link,
    /// A speech bubble: something said.
    Message,
    /// A spark: a model that is asked.
    Model,
    /// Signs of arithmetic: numbers.
    Number,
    /// A head and shoulders: people.
    Person,
    /// A landscape in a frame: an image.
    Picture,
    /// A pin on a map: somewhere.
    Place,
    /// A core and what goes round it: this server.
    Server,
    /// A loudspeaker: something to hear.
    Sound,
    /// A switch: something to turn on and off.
    Switch,
    /// A triangle: something that goes wrong.
    Warning,
    /// A window: something to look at and use.
    Window,
}

impl Glyph {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 18] = [
        Self::Check,
        Self::Clock,
        Self::Data,
        Self::Document,
        Self::Folder,
        Self::Form,
        Self::Link,
        Self::Message,
        Self::Model,
        Self::Number,
        Self::Person,
        Self::Picture,
        Self::Place,
        Self::Server,
        Self::Sound,
        Self::Switch,
        Self::Warning,
        Self::Window,
    ];

    /// It as a PNG of 48 by 48 pixels.
    pub fn png(self) -> &'static [u8] {
        match self {
            Self::Check => include_bytes!("../assets/icons/check.png"),
            Self::Clock => include_bytes!("../assets/icons/clock.png"),
            Self::Data => include_bytes!("../assets/icons/data.png"),
            Self::Document => include_bytes!("../assets/icons/document.png"),
            Self::Folder => include_bytes!("../assets/icons/folder.png"),
            Self::Form => include_bytes!("../assets/icons/form.png"),
            Self::Link => include_bytes!("../assets/icons/link.png"),
            Self::Message => include_bytes!("../assets/icons/message.png"),
            Self::Model => include_bytes!("../assets/icons/model.png"),
            Self::Number => include_bytes!("../assets/icons/number.png"),
            Self::Person => include_bytes!("../assets/icons/person.png"),
            Self::Picture => include_bytes!("../assets/icons/picture.png"),
            Self::Place => include_bytes!("../assets/icons/place.png"),
            Self::Server => include_bytes!("../assets/icons/server.png"),
            Self::Sound => include_bytes!("../assets/icons/sound.png"),
            Self::Switch => include_bytes!("../assets/icons/switch.png"),
            Self::Warning => include_bytes!("../assets/icons/warning.png"),
            Self::Window => include_bytes!("../assets/icons/window.png"),
        }
    }

    /// What an item of a list carries.
    pub(crate) fn icons(self) -> Vec<Icon> {
        vec![self.into()]
    }
}

impl From<Glyph> for Icon {
    fn from(glyph: Glyph) -> Self {
        Self::new(format!("data:image/png;base64,{}", STANDARD.encode(glyph.png())))
            .with_mime_type("image/png")
            .with_sizes(vec!["48x48".to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another_small_png_of_48_by_48_pixels() {
        let mut seen = Vec::new();
        for glyph in Glyph::ALL {
            let icon = Icon::from(glyph);
            let data = icon.src.strip_prefix("data:image/png;base64,").unwrap();
            let bytes = STANDARD.decode(data).unwrap();
            assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n", "{glyph:?}");
            assert_eq!(&bytes[12..16], b"IHDR", "{glyph:?}");
            let size = 48_u32.to_be_bytes();
            assert_eq!((&bytes[16..20], &bytes[20..24]), (&size[..], &size[..]), "{glyph:?}");
            assert!(bytes.ends_with(b"IEND\xaeB`\x82"), "{glyph:?}");
            assert!(bytes.len() < 200, "{glyph:?} has {} bytes", bytes.len());
            assert!(!seen.contains(&bytes), "{glyph:?}");
            seen.push(bytes);
        }
    }
}
