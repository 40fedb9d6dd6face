//! Lists: one page or several, and how long they may be kept.

use serde_json::json;

use crate::support::{Raw, conformance, everything};

#[tokio::test]
async fn results_of_2026_07_28_say_how_long_they_may_be_kept() {
    let mut client = Raw::stateless(&everything(), json!({}));
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/list", json!({ "cursor": "MTA=" })),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "test://static/resource/1" })),
    ] {
        let result = client.request(method, params).await["result"].take();
        assert_eq!(result["ttlMs"], 300_000, "{method}");
        assert_eq!(result["cacheScope"], "public", "{method}");
        assert_eq!(result["resultType"], "complete", "{method}");
    }
}

#[tokio::test]
async fn fixtures_stand_on_the_first_page_of_each_list() {
    let mut client = Raw::stateless(&conformance(), json!({}));
    let tools = client.request("tools/list", json!({})).await["result"].take();
    assert_eq!(tools["tools"][0]["name"], "test_simple_text");
    assert_eq!(tools.get("nextCursor"), None);
    let prompts = client.request("prompts/list", json!({})).await["result"].take();
    assert_eq!(prompts["prompts"][0]["name"], "test_simple_prompt");
    assert_eq!(prompts["prompts"].as_array().unwrap().len(), 8);

    let page = client.request("resources/list", json!({})).await["result"].take();
    let uris: Vec<&str> = page["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| resource["uri"].as_str().unwrap())
        .collect();
    let fixtures = ["test://static-text", "test://static-binary", "test://watched-resource"];
    assert_eq!(uris[..3], fixtures);
    assert_eq!(
        uris[3..],
        (1..=10).map(|n| format!("test://static/resource/{n}")).collect::<Vec<_>>()
    );
    assert_eq!(page["nextCursor"], "MTA=");
    let next = client.request("resources/list", json!({ "cursor": "MTA=" })).await;
    assert_eq!(next["result"]["resources"].as_array().unwrap().len(), 10);
    assert_eq!(next["result"]["resources"][0]["uri"], "test://static/resource/11");
    let templates = client.request("resources/templates/list", json!({})).await["result"].take();
    let uris = ["test://template/{id}/data", "test://static/resource/{id}"];
    for (index, uri) in uris.into_iter().enumerate() {
        assert_eq!(templates["resourceTemplates"][index]["uriTemplate"], uri);
    }
}
