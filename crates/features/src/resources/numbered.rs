//! `test://static/resource/1` to `/100`: text where the number is odd, bytes where it is even.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::{Resource, ResourceContents, ResourceTemplate};

use super::{Entry, Template};

/// How many there are.
pub(crate) const COUNT: u32 = 100;

const TEXT: &str = "text/plain";
const BYTES: &str = "application/octet-stream";

/// The numbers suggested to somebody who looks for one.
pub(crate) const SUGGESTED: &[&str] = &["1", "2", "3", "4", "5"];

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
            resource: Resource::new(uri(id), format!("Resource {id}"))
                .with_mime_type(if is_text(id) { TEXT } else { BYTES })
                .with_size(plain(id).len() as u64),
            contents: contents(id),
        })
        .collect()
}

pub(crate) fn template() -> Template {
    Template {
        definition: ResourceTemplate::new("test://static/resource/{id}", "Static Resource")
            .with_description("A static resource with a numeric ID"),
        expand: |_, _| None,
        candidates: |variable| (variable == "id").then_some(SUGGESTED),
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
                "mimeType": "application/octet-stream",
                "size": 33,
            })
        );
    }
}
