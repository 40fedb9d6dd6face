//! What tools and resources show is for everybody to see.

use serde_json::{Value, json};

use crate::support::{Deployment, Mcp};

on_every_deployment!(
    get_env_shows_settings_and_no_secret,
    a_page_is_offered_to_whoever_shows_it,
    a_dynamic_resource_is_made_when_it_is_read,
);
on_separate_deployments!(get_env_shows_settings_and_no_secret);

/// Settings and variables whose values are nobody's business.
const SECRETS: [(&str, &str); 5] = [
    ("SECRET_KEYS", "a-key-of-the-operator-that-get-env-never-shows"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI-hush"),
    ("DATABASE_URL", "postgres://me:hush@database.internal/all"),
    ("SSH_AUTH_SOCK", "/run/hush/agent"),
    ("TRUSTED_PROXIES", "192.0.2.0/24"),
];

async fn get_env_shows_settings_and_no_secret(on: &Deployment) {
    let settings: Vec<_> = SECRETS.into_iter().chain([("SESSION_TTL", "250s")]).collect();
    let server = on.with(&settings);
    let mcp = Mcp::of(&server, "ada").await;
    for _ in 0..server.instances.len() {
        let result = mcp.call("getEnv", json!({})).await.body["result"].take();
        let shown = &result["structuredContent"];
        assert_eq!(shown["SESSION_TTL"], "250s");
        assert_eq!(shown["BASE_URI"], server.url(""));
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), *shown);
        let all = result.to_string();
        for (variable, secret) in SECRETS {
            assert!(!all.contains(secret) && !all.contains(variable), "{variable} is in {all}");
        }
        assert!(!all.contains("hush") && !all.contains("redis:"), "{all}");
    }
}

/// What the client declared when the session began is known at every instance.
async fn a_page_is_offered_to_whoever_shows_it(on: &Deployment) {
    let server = on.open();
    let page = "text/html;profile=mcp-app";
    let shows = json!({ "extensions": { "io.modelcontextprotocol/ui": { "mimeTypes": [page] } } });
    let linked = json!({ "ui": { "resourceUri": "ui://hello-world/app.html" } });
    for (can, meta) in [(shows, linked), (json!({}), Value::Null)] {
        let mut mcp = Mcp::new(&server);
        mcp.initialize(can).await;
        for _ in 0..server.instances.len() {
            let tool = listed(&mcp, "mcp_apps_hello_world").await;
            assert_eq!(tool["_meta"], meta);
        }
        let uri = "ui://hello-world/app.html";
        let read = mcp.post(&request("resources/read", &json!({ "uri": uri }))).await;
        assert_eq!(read.body["result"]["contents"][0]["mimeType"], page);
    }
}

async fn a_dynamic_resource_is_made_when_it_is_read(on: &Deployment) {
    let server = on.open();
    let mcp = Mcp::anonymous(&server).await;
    for id in ["1", "101", "9007199254740993"] {
        let uri = format!("demo://resource/dynamic/text/{id}");
        let read = mcp.post(&request("resources/read", &json!({ "uri": uri }))).await;
        let text = read.body["result"]["contents"][0]["text"].as_str().unwrap();
        let said = format!("Resource {id}: This is a plaintext resource created at 20");
        assert!(text.starts_with(&said) && text.ends_with('Z'), "{text}");
    }
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// A tool, from whichever page of the list it is on.
async fn listed(mcp: &Mcp, name: &str) -> Value {
    let mut params = json!({});
    loop {
        let page = mcp.post(&request("tools/list", &params)).await.body["result"].take();
        let tools = page["tools"].as_array().unwrap();
        if let Some(tool) = tools.iter().find(|tool| tool["name"] == name) {
            return tool.clone();
        }
        assert!(page["nextCursor"].is_string(), "{name} is not listed");
        params = json!({ "cursor": page["nextCursor"] });
    }
}
