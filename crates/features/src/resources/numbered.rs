//! `test://static/resource/1` to `/100`: text where the number is odd, bytes where it is even.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::{Annotations, Resource, ResourceContents, ResourceTemplate, Role};

use super::{Entry, Reading, Template, Wanted};
use crate::{Glyph, completions::Completing, freshness::Freshness};

/// How many there are.
pub(crate) const COUNT: u32 = 100;

const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";

/// The numbers suggested to somebody who looks for one.
pub(crate) const SUGGESTED: [&str; 5] = ["1", "2", "3", "4", "5"];

/// When what is in them was decided.
const WRITTEN: &str = "2026-11-23T17:27:45Z";

/// The URI of the resource `id`.
pub(crate) fn uri(id: u32) -> String {
    format!("test://static/resource/{id}")
}

/// What is in the resource `id`.
pub(crate) fn contents(id: u32) -> ResourceContents {
    if is_text(id) {
        ResourceContents::text(plain(id), uri(id)).with_mime_type(TEXT)
    } else {
        ResourceContents::blob(STANDARD.encode(plain(id)), uri(id)).with_mime_type(BYTES)
    }
}

pub(crate) fn all() -> Vec<Entry> {
    (1..=COUNT)
        .map(|id| Entry {
            resource: resource(id),
            reading: Reading { contents: contents(id), fresh: Freshness::FIXED },
        })
        .collect()
}

fn resource(id: u32) -> Resource {
    let name = format!("Resource {id}");
    let resource = Resource::new(uri(id), &name).with_title(name);
    // A model can make nothing of bytes.
    let (resource, audience, priority) = if is_text(id) {
        let resource = resource
            .with_description("A text that never changes")
            .with_mime_type(TEXT)
            .with_icons(Glyph::Document.icons());
        (resource, vec![Role::User, Role::Assistant], 0.5)
    } else {
        let resource = resource
            .with_description("Bytes that never change")
            .with_mime_type(BYTES)
            .with_icons(Glyph::Data.icons());
        (resource, vec![Role::User], 0.25)
    };
    let mut annotations = Annotations::default().with_audience(audience).with_priority(priority);
    annotations.last_modified = Some(WRITTEN.to_owned());
    resource.with_annotations(annotations).with_size(plain(id).len() as u64)
}

pub(crate) struct Numbered;

impl Template for Numbered {
    fn definition(&self) -> ResourceTemplate {
        ResourceTemplate::new("test://static/resource/{id}", "Static Resource")
            .with_title("Static resource")
            .with_description("A static resource with a numeric ID")
            .with_icons(Glyph::Document.icons())
    }

    /// Each of them is listed.
    fn read(&self, _: &Wanted<'_>) -> Option<Reading> {
        None
    }

    fn complete(&self, asked: &Completing<'_>) -> Vec<String> {
        asked.exactly(SUGGESTED)
    }
}

fn is_text(id: u32) -> bool {
    id % 2 == 1
}

/// The content before it is encoded.
fn plain(id: u32) -> String {
    let kind = if is_text(id) { "plaintext resource" } else { "base64 blob" };
    format!("Resource {id}: This is a {kind}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn odd_numbers_are_text_and_even_ones_bytes() {
        assert_eq!(
            json!(contents(7)),
            json!({
                "uri": "test://static/resource/7",
                "mimeType": "text/plain",
                "text": "Resource 7: This is a plaintext resource",
            })
        );
        assert_eq!(
            json!(contents(8)),
            json!({
                "uri": "test://static/resource/8",
                "mimeType": "application/octet-stream",
                "blob": STANDARD.encode("Resource 8: This is a base64 blob"),
            })
        );
    }

    #[test]
    fn the_list_has_no_contents() {
        let all = all();
        assert_eq!(all.len(), 100);
        assert_eq!(
            json!(all[7].resource),
            json!({
                "uri": "test://static/resource/8",
                "name": "Resource 8",
                "title": "Resource 8",
                "description": "Bytes that never change",
                "mimeType": "application/octet-stream",
                "size": 33,
                "icons": Glyph::Data.icons(),
                "annotations": {
                    "audience": ["user"],
                    "priority": 0.25,
                    "lastModified": "2026-11-23T17:27:45Z",
                },
            })
        );
    }
}
