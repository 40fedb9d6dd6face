//! What tools and resources show is for everybody to see.

use serde_json::{Value, json};

use crate::support::{Deployment, Mcp};

on_every_deployment!(get_env_shows_settings_and_no_secret);
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
