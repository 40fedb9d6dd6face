//! `mcp_apps_hello_world`: a result with a page that shows it (MCP Apps, SEP-1865).

use std::sync::atomic::{AtomicU64, Ordering};

use rmcp::model::{CallToolResult, ContentBlock, MetaObject};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, apps, time::rfc3339};

/// For whoever sees no page.
const TEXT: &str =
    "If this client supports MCP Apps, an interactive UI should have rendered for the user.";

#[derive(Default)]
pub(super) struct McpAppsHelloWorld {
    /// How often it was called.
    calls: AtomicU64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Output {
    /// What to greet the user with
    greeting: &'static str,
    /// When this was made, as RFC 3339 writes it
    timestamp: String,
    /// What the page shows
    features: [&'static str; 3],
    /// Of the server
    stats: Stats,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Stats {
    /// The version of the server
    version: &'static str,
    /// How often the instance that answered was called for this
    #[schemars(with = "f64")]
    request_count: u64,
}

impl Tool for McpAppsHelloWorld {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "mcp_apps_hello_world",
            "MCP Apps hello world",
            "Demonstrates MCP Apps: returns an interactive UI that runs in the client",
        )
        .read_only()
        .icon(Glyph::Window)
        .open_world(false)
        .output::<Output>()
        .page(apps::HELLO_WORLD)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let output = json!(Output {
            greeting: "Hello from MCP Apps!",
            timestamp: rfc3339(call.now()),
            features: ["interactive UI", "bidirectional communication", "theme support"],
            stats: Stats {
                version: env!("CARGO_PKG_VERSION"),
                request_count: self.calls.fetch_add(1, Ordering::Relaxed) + 1,
            },
        });
        // For clients that do not read structured content (2025-06-18, Tools).
        let mut result = CallToolResult::success(vec![
            ContentBlock::text(TEXT),
            ContentBlock::text(output.to_string()),
        ]);
        result.structured_content = Some(output);
        let mut meta = MetaObject::default();
        meta.insert("exampleKey".to_owned(), json!("exampleValue"));
        meta.insert("processed".to_owned(), json!(true));
        result.meta = Some(meta);
        Ok(result)
    }
}
