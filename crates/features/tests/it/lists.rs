//! Lists: in pages, with icons for those who know them, and how long they may be kept.

use mcp_everything_features::{
    Call, CallError, Definition, Everything, Glyph, NoInput, Options, Tool, text,
};
use rmcp::model::CallToolResult;
use serde_json::{Value, json};

use crate::support::{Raw, conformance, everything, options};

const LISTS: [(&str, &str); 4] = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
];

/// A tool of an embedding server.
struct Extra(&'static str);

impl Tool for Extra {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(self.0, self.0, "One of many").icon(Glyph::Check)
    }

    async fn call(&self, _: NoInput, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        Ok(text(self.0))
    }
}

const EXTRA: [&str; 30] = [
    "x01", "x02", "x03", "x04", "x05", "x06", "x07", "x08", "x09", "x10", "x11", "x12", "x13",
    "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26",
    "x27", "x28", "x29", "x30",
];

fn with_many_tools(conformance: bool) -> Everything {
    let options = Options { conformance, ..options() };
    Everything::new(EXTRA.into_iter().fold(options, |all, name| all.with_tool(Extra(name))))
        .unwrap()
}

fn names(page: &Value) -> Vec<&str> {
    page["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn tools_come_in_pages_of_twenty_and_the_known_ones_first() {
    let everything = with_many_tools(false);
    for mut client in [
        Raw::stateful(&everything, "2025-11-25", json!({})).await,
        Raw::stateless(&everything, json!({})),
    ] {
        let pages = client.pages("tools/list").await;
        let names: Vec<Vec<&str>> = pages.iter().map(names).collect();
        let (last, full) = names.split_last().unwrap();
        assert!(full.len() > 1 && full.iter().all(|page| page.len() == 20), "{names:?}");
        assert!((1..=20).contains(&last.len()), "{names:?}");
        let all = names.concat();
        let known = [
            "echo",
            "add",
            "longRunningOperation",
            "sampleLLM",
            "getTinyImage",
            "annotatedMessage",
            "getResourceReference",
        ];
        assert_eq!(all[..7], known);
        assert!(all.ends_with(&EXTRA), "{all:?}");
        // Found whatever page it is on.
        let answer = client.call("x30", json!({})).await;
        assert_eq!(answer["result"]["content"][0]["text"], "x30");
    }
}

#[tokio::test]
async fn fixtures_are_no_part_of_the_size_of_a_page() {
    let mut client = Raw::stateless(&with_many_tools(true), json!({}));
    let fixed = client.pages("tools/list").await;
    let mut client = Raw::stateless(&with_many_tools(false), json!({}));
    let plain = client.pages("tools/list").await;
    assert!(names(&fixed[0]).ends_with(&names(&plain[0])));
    assert!(names(&fixed[0]).len() > 40);
    assert_eq!(fixed.len(), plain.len());
    for (fixed, plain) in fixed.iter().zip(&plain).skip(1) {
        assert_eq!(names(fixed), names(plain));
    }
}

#[tokio::test]
async fn cursors_that_no_list_handed_out_are_refused_by_each() {
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", json!({})).await,
        Raw::stateless(&everything(), json!({})),
    ] {
        for (method, _) in LISTS {
            for cursor in ["", "nope", "MA==", "LTE=", "OTk5OQ=="] {
                let answer = client.request(method, json!({ "cursor": cursor })).await;
                assert_eq!(answer["error"]["code"], -32602, "{method} {cursor}");
                let said = answer["error"]["message"].as_str().unwrap();
                assert!(said.contains("cursor"), "{said}");
            }
        }
    }
}

#[tokio::test]
async fn each_item_has_a_title_a_description_and_for_recent_clients_an_icon() {
    for (recent, mut client) in [
        (false, Raw::stateful(&everything(), "2025-06-18", json!({})).await),
        (true, Raw::stateful(&everything(), "2025-11-25", json!({})).await),
        (true, Raw::stateless(&everything(), json!({}))),
    ] {
        for (method, member) in LISTS {
            for page in client.pages(method).await {
                for item in page[member].as_array().unwrap() {
                    assert!(item["title"].is_string() && item["description"].is_string(), "{item}");
                    assert_eq!(item["icons"].is_array(), recent, "{item}");
                    if recent {
                        let icon = &item["icons"][0];
                        assert_eq!(
                            (&icon["mimeType"], &icon["sizes"]),
                            (&json!("image/png"), &json!(["48x48"]))
                        );
                        let src = icon["src"].as_str().unwrap();
                        assert!(src.starts_with("data:image/png;base64,"), "{src}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn results_of_2026_07_28_say_how_long_they_may_be_kept() {
    let (own, all) = ("private", "public");
    let (minute, hour, day) = (60_000, 3_600_000, 86_400_000);
    let mut client = Raw::stateless(&everything(), json!({}));
    for (method, params, kept, by) in [
        ("server/discover", json!({}), hour, all),
        ("tools/list", json!({}), minute, own),
        ("prompts/list", json!({}), minute, own),
        ("resources/list", json!({}), minute, own),
        ("resources/list", json!({ "cursor": "MTA=" }), minute, own),
        ("resources/templates/list", json!({}), hour, all),
        ("resources/read", json!({ "uri": "test://static/resource/1" }), day, all),
        ("resources/read", json!({ "uri": "demo://document/notes" }), minute, own),
    ] {
        let result = client.request(method, params).await["result"].take();
        assert_eq!(result["ttlMs"], kept, "{method}");
        assert_eq!(result["cacheScope"], by, "{method}");
        assert_eq!(result["resultType"], "complete", "{method}");
    }
}

#[tokio::test]
async fn fixtures_stand_on_the_first_page_of_each_list() {
    let mut client = Raw::stateless(&conformance(), json!({}));
    let tools = client.request("tools/list", json!({})).await["result"].take();
    assert_eq!(tools["tools"][0]["name"], "test_simple_text");
    let prompts = client.request("prompts/list", json!({})).await["result"].take();
    assert_eq!(prompts["prompts"][0]["name"], "test_simple_prompt");
    assert_eq!(prompts["prompts"].as_array().unwrap().len(), 5 + 5);

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
