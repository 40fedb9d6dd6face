//! MCP Apps (`io.modelcontextprotocol/ui`, SEP-1865): pages that a host shows beside a tool's result.

use rmcp::model::{
    ClientCapabilities, ExtensionCapabilities, JsonObject, MetaObject, Resource, ResourceContents,
    Tool,
};
use serde_json::{Value, json};

use crate::{
    Glyph,
    freshness::Freshness,
    resources::{Entry, Reading},
    wire::Wire,
};

/// The extension, as capabilities name it.
const EXTENSION: &str = "io.modelcontextprotocol/ui";
/// The kind of page that this revision of the extension has.
const PAGE: &str = "text/html;profile=mcp-app";
/// The key of the extension in `_meta`.
const UI: &str = "ui";

/// The app of `mcp_apps_hello_world`.
pub(crate) const HELLO_WORLD: &str = "ui://hello-world/app.html";
const HELLO_WORLD_PAGE: &str = include_str!("../assets/hello_world_app.html");

/// Declares what kind of page there is.
pub(crate) fn declare(extensions: &mut ExtensionCapabilities) {
    let settings = JsonObject::from_iter([("mimeTypes".to_owned(), json!([PAGE]))]);
    extensions.insert(EXTENSION.to_owned(), settings);
}

/// The pages.
pub(crate) fn all() -> Vec<Entry> {
    // It loads nothing, connects to nothing, frames nothing and asks for no permission; each list
    // that is empty is none (SEP-1865, UI Resource Format).
    let ui = json!({
        "csp": {
            "connectDomains": [],
            "resourceDomains": [],
            "frameDomains": [],
            "baseUriDomains": [],
        },
        "prefersBorder": true,
    });
    let meta = meta(ui);
    vec![Entry {
        resource: Resource::new(HELLO_WORLD, "Hello World MCP App")
            .with_title("Hello world app")
            .with_icons(Glyph::Window.icons())
            .with_description("Interactive UI for the mcp_apps_hello_world tool")
            .with_mime_type(PAGE)
            .with_size(HELLO_WORLD_PAGE.len() as u64)
            .with_meta(meta.clone()),
        reading: Reading {
            contents: ResourceContents::text(HELLO_WORLD_PAGE, HELLO_WORLD)
                .with_mime_type(PAGE)
                .with_meta(meta),
            fresh: Freshness::WITH_VERSION,
        },
    }]
}

/// What links a tool to its page.
pub(crate) fn link(page: &str) -> MetaObject {
    meta(json!({ "resourceUri": page }))
}

/// A tool as this client is to see it: without its page where the client declared with the
/// handshake that it shows none (SEP-1865, Server Behavior).
///
/// On 2026-07-28 there is no handshake, and a list may be kept for all clients of a user together,
/// so that it is the same for all of them (Tools, Capabilities; Caching). A client without the extension takes no
/// notice of the page.
pub(crate) fn shown(mut tool: Tool, wire: Wire, client: &ClientCapabilities) -> Tool {
    if wire == Wire::Stateful
        && !shows_pages(client)
        && let Some(meta) = &mut tool.meta
    {
        meta.remove(UI);
        tool.meta = tool.meta.filter(|meta| !meta.is_empty());
    }
    tool
}

fn shows_pages(client: &ClientCapabilities) -> bool {
    let settings = client.extensions.as_ref().and_then(|extensions| extensions.get(EXTENSION));
    let kinds = settings.and_then(|settings| settings.get("mimeTypes")).and_then(Value::as_array);
    kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == PAGE))
}

fn meta(ui: Value) -> MetaObject {
    let mut meta = MetaObject::default();
    meta.insert(UI.to_owned(), ui);
    meta
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_shows_pages_when_it_says_of_which_kind() {
        for (settings, shows) in [
            (json!({ "mimeTypes": [PAGE] }), true),
            (json!({ "mimeTypes": ["text/uri-list", PAGE] }), true),
            (json!({ "mimeTypes": ["text/html"] }), false),
            (json!({ "mimeTypes": PAGE }), false),
            (json!({}), false),
        ] {
            let client = json!({ "extensions": { EXTENSION: settings } });
            let client: ClientCapabilities = serde_json::from_value(client).unwrap();
            assert_eq!(shows_pages(&client), shows, "{settings}");
        }
        assert!(!shows_pages(&ClientCapabilities::default()));
    }

    #[test]
    fn a_page_loads_nothing_from_anywhere() {
        assert!(HELLO_WORLD_PAGE.starts_with("<!doctype html>"));
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "fetch(", "<form"] {
            assert!(!HELLO_WORLD_PAGE.contains(outside), "{outside}");
        }
    }
}
