//! The resources the suite reads and subscribes to.

use rmcp::model::{Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

use super::content::PNG;
use crate::{
    Glyph,
    freshness::Freshness,
    resources::{Collection, Entry, Reading, Template, Wanted},
};

pub(crate) fn all() -> Collection {
    let text = |content: &str, uri: &str| ResourceContents::text(content, uri);
    let (plain, watched) = ("test://static-text", "test://watched-resource");
    let binary = "test://static-binary";
    let entries = vec![
        Entry {
            resource: resource(plain, "Static Text", "A text that stays", "text/plain"),
            reading: Reading {
                contents: text("This is the content of the static text resource.", plain),
                fresh: Freshness::FIXED,
            },
        },
        Entry {
            resource: resource(binary, "Static Binary", "An image that stays", "image/png"),
            reading: Reading {
                contents: ResourceContents::blob(PNG, binary).with_mime_type("image/png"),
                fresh: Freshness::FIXED,
            },
        },
        Entry {
            resource: resource(watched, "Watched Resource", "A text to subscribe to", "text/plain"),
            reading: Reading {
                contents: text("Watched resource content", watched),
                fresh: Freshness::NONE,
            },
        },
    ];
    Collection { entries, templates: vec![Box::new(Data)] }
}

fn resource(uri: &str, name: &str, description: &str, mime_type: &str) -> Resource {
    Resource::new(uri, name)
        .with_title(name)
        .with_description(description)
        .with_mime_type(mime_type)
        .with_icons(Glyph::Check.icons())
}

struct Data;

impl Template for Data {
    fn definition(&self) -> ResourceTemplate {
        ResourceTemplate::new("test://template/{id}/data", "Template Data")
            .with_title("Template Data")
            .with_description("Data for any ID")
            .with_mime_type("application/json")
            .with_icons(Glyph::Check.icons())
    }

    fn read(&self, Wanted { uri, values, .. }: &Wanted<'_>) -> Option<Reading> {
        let id = values.get("id")?;
        let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
        let contents = ResourceContents::text(data.to_string(), *uri);
        Some(Reading {
            contents: contents.with_mime_type("application/json"),
            fresh: Freshness::FIXED,
        })
    }
}
