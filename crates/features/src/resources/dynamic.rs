//! `demo://resource/dynamic/text/{resourceId}` and `…/blob/{resourceId}`: made when they are read,
//! for every positive integer.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::{ResourceContents, ResourceTemplate};

use super::{Reading, Template, Wanted, numbered::SUGGESTED};
use crate::{Glyph, completions::Completing, freshness::Freshness, time::rfc3339};

const TEXTS: &str = "demo://resource/dynamic/text/";
const BLOBS: &str = "demo://resource/dynamic/blob/";

pub(crate) const TEXT: &str = "text/plain";
pub(crate) const BYTES: &str = "application/octet-stream";

/// The URI of a text.
pub(crate) fn text_uri(id: u32) -> String {
    format!("{TEXTS}{id}")
}

/// The URI of bytes.
pub(crate) fn blob_uri(id: u32) -> String {
    format!("{BLOBS}{id}")
}

/// What is in the text `id` at this time, in milliseconds since the Unix epoch.
pub(crate) fn text(id: &str, now: u64) -> ResourceContents {
    let made = rfc3339(now);
    let text = format!("Resource {id}: This is a plaintext resource created at {made}");
    ResourceContents::text(text, format!("{TEXTS}{id}")).with_mime_type(TEXT)
}

fn blob(id: &str, now: u64) -> ResourceContents {
    let made = rfc3339(now);
    let text = format!("Resource {id}: This is a base64 blob created at {made}");
    let blob = STANDARD.encode(text);
    ResourceContents::blob(blob, format!("{BLOBS}{id}")).with_mime_type(BYTES)
}

/// The texts.
pub(crate) struct Texts;

impl Template for Texts {
    fn definition(&self) -> ResourceTemplate {
        ResourceTemplate::new(format!("{TEXTS}{{resourceId}}"), "Dynamic Text Resource")
            .with_title("Dynamic text resource")
            .with_description("A text that is made when it is read, for any positive integer")
            .with_mime_type(TEXT)
            .with_icons(Glyph::Document.icons())
    }

    fn read(&self, wanted: &Wanted<'_>) -> Option<Reading> {
        read(wanted, text)
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        complete(asked)
    }
}

/// The bytes.
pub(crate) struct Blobs;

impl Template for Blobs {
    fn definition(&self) -> ResourceTemplate {
        ResourceTemplate::new(format!("{BLOBS}{{resourceId}}"), "Dynamic Blob Resource")
            .with_title("Dynamic blob resource")
            .with_description("Bytes that are made when they are read, for any positive integer")
            .with_mime_type(BYTES)
            .with_icons(Glyph::Data.icons())
    }

    fn read(&self, wanted: &Wanted<'_>) -> Option<Reading> {
        read(wanted, blob)
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        complete(asked)
    }
}

fn read(wanted: &Wanted<'_>, make: fn(&str, u64) -> ResourceContents) -> Option<Reading> {
    let id = positive(wanted.values.get("resourceId")?)?;
    Some(Reading { contents: make(id, wanted.now), fresh: Freshness::NONE })
}

/// A number that was typed is a good one whatever it is.
fn complete(asked: &Completing<'_>) -> Vec<String> {
    match positive(asked.typed) {
        Some(id) => vec![id.to_owned()],
        None => asked.exactly(SUGGESTED),
    }
}

/// A positive integer, of which there is one way to write each.
fn positive(id: &str) -> Option<&str> {
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !id.starts_with('0')).then_some(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::seen;

    fn read(uri: &str) -> Option<ResourceContents> {
        seen().read(uri).ok().map(|reading| reading.contents)
    }

    #[test]
    fn every_positive_integer_is_there_as_text_and_as_bytes() {
        let large = "9".repeat(40);
        for id in ["1", "7", "101", &large] {
            let uri = format!("demo://resource/dynamic/text/{id}");
            let said = "This is a plaintext resource created at 2026-01-01T00:00:00.000Z";
            let text = format!("Resource {id}: {said}");
            let expected = json!({ "uri": uri, "mimeType": "text/plain", "text": text });
            assert_eq!(json!(read(&uri).unwrap()), expected);

            let uri = format!("demo://resource/dynamic/blob/{id}");
            let said = "This is a base64 blob created at 2026-01-01T00:00:00.000Z";
            let blob = STANDARD.encode(format!("Resource {id}: {said}"));
            let bytes = "application/octet-stream";
            let expected = json!({ "uri": uri, "mimeType": bytes, "blob": blob });
            assert_eq!(json!(read(&uri).unwrap()), expected);
        }
    }

    #[test]
    fn nothing_else_is() {
        for id in ["", "0", "-1", "+1", "01", "1.5", "1/2", "1?", "one", "١", "{resourceId}"] {
            for kind in ["text", "blob"] {
                let uri = format!("demo://resource/dynamic/{kind}/{id}");
                assert!(read(&uri).is_none(), "{uri}");
            }
        }
        assert!(read("demo://resource/dynamic/sound/1").is_none());
    }
}
