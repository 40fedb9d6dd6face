//! The resources the suite reads and subscribes to.

use rmcp::model::{Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

use super::content::PNG;
use crate::resources::{Entry, Template};

pub(crate) fn all() -> Vec<Entry> {
    let text = |content: &str, uri: &str| ResourceContents::text(content, uri);
    let (plain, watched) = ("test://static-text", "test://watched-resource");
    let binary = "test://static-binary";
    vec![
        Entry {
            resource: Resource::new(plain, "Static Text").with_mime_type("text/plain"),
            contents: text("This is the content of the static text resource.", plain),
        },
        Entry {
            resource: Resource::new(binary, "Static Binary").with_mime_type("image/png"),
            contents: ResourceContents::blob(PNG, binary).with_mime_type("image/png"),
        },
        Entry {
            resource: Resource::new(watched, "Watched Resource").with_mime_type("text/plain"),
            contents: text("Watched resource content", watched),
        },
    ]
}

pub(crate) fn templates() -> Vec<Template> {
    vec![Template {
        definition: ResourceTemplate::new("test://template/{id}/data", "Template Data")
            .with_description("Data for any ID")
            .with_mime_type("application/json"),
        expand: |uri, _| expand(uri),
        candidates: |variable| (variable == "id").then_some(&[]),
    }]
}

/// One path segment between the fixed parts (RFC 6570, Simple String Expansion).
fn expand(uri: &str) -> Option<ResourceContents> {
    let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
    if id.is_empty() || id.contains(['/', '?', '#']) {
        return None;
    }
    let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
    Some(ResourceContents::text(data.to_string(), uri).with_mime_type("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_takes_one_segment() {
        assert!(expand("test://template/123/data").is_some());
        for uri in ["test://template//data", "test://template/a/b/data", "test://template/1", "x"] {
            assert!(expand(uri).is_none(), "{uri}");
        }
    }
}
