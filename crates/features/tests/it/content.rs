//! The tools that show each kind of content.

use std::collections::{BTreeMap, BTreeSet};

use mcp_everything_features::{Everything, Options};
use rmcp::model::{ProtocolVersion, ReadResourceRequestParams};
use serde_json::{Value, json};

use crate::support::{Answering, REVISIONS, Raw, call, everything, options, texts};

#[tokio::test]
async fn links_lead_to_resources_that_can_be_read() {
    for version in REVISIONS {
        let client = Answering::new(version.clone(), json!({})).connect(&everything()).await;
        for (given, count) in
            [(json!({}), 3), (json!({ "count": 1 }), 1), (json!({ "count": 10.0 }), 10)]
        {
            let answer = call(&client, "getResourceLinks", given).await;
            let said =
                format!("Here are {count} resource links to resources available in this server:");
            assert_eq!(texts(&answer)[0], said);
            assert_eq!(answer.content.len(), count + 1);
            if version < ProtocolVersion::V_2025_06_18 {
                let blob = "[Blob Resource 1: demo://resource/dynamic/blob/1]";
                assert_eq!(texts(&answer)[1], blob, "it has no links");
                continue;
            }
            for (index, block) in answer.content[1..].iter().enumerate() {
                let link = block.as_resource_link().unwrap();
                let id = index + 1;
                let (kind, what, mime) = if id % 2 == 0 {
                    ("Text", "plaintext resource", "text/plain")
                } else {
                    ("Blob", "binary blob resource", "application/octet-stream")
                };
                assert_eq!(link.name, format!("{kind} Resource {id}"));
                assert_eq!(link.description, Some(format!("Resource {id}: {what}")));
                let annotations = link.annotations.as_ref().unwrap();
                assert!(annotations.priority.is_some() && annotations.audience.is_some());
                let read = ReadResourceRequestParams::new(&link.uri);
                let contents = json!(client.read_resource(read).await.unwrap().contents);
                assert_eq!(contents[0]["uri"], link.uri);
                assert_eq!(contents[0]["mimeType"], mime);
                assert_eq!(link.mime_type.as_deref(), Some(mime));
            }
        }
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_structured_keeps_to_its_schema_and_is_told_as_text() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let tools = client.request("tools/list", json!({})).await["result"]["tools"].take();
    let promised: BTreeMap<&str, &Value> = tools
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tool| Some((tool["name"].as_str()?, tool.get("outputSchema")?)))
        .collect();
    for (name, arguments, expected) in [
        (
            "getStructuredContent",
            json!({ "location": "New York" }),
            json!({ "temperature": 33, "conditions": "Cloudy", "humidity": 82 }),
        ),
        (
            "getStructuredContent",
            json!({ "location": "Chicago" }),
            json!({ "temperature": 36, "conditions": "Light rain / drizzle", "humidity": 82 }),
        ),
        (
            "getStructuredContent",
            json!({ "location": "Los Angeles" }),
            json!({ "temperature": 73, "conditions": "Sunny / Clear", "humidity": 48 }),
        ),
        ("getEnv", json!({}), json!({})),
    ] {
        let result = client.call(name, arguments).await["result"].take();
        let structured = &result["structuredContent"];
        assert_eq!(*structured, expected);
        assert!(jsonschema::draft202012::is_valid(promised[name], structured), "{name}");
        let text = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expected);
    }
    let required = json!(["temperature", "conditions", "humidity"]);
    assert_eq!(promised["getStructuredContent"]["required"], required);
}

#[tokio::test]
async fn get_env_shows_what_it_was_given_and_nothing_else() {
    let settings = BTreeMap::from([("SESSION_TTL".to_owned(), "300s".to_owned())]);
    let everything = Everything::new(Options { settings, ..options() }).unwrap();
    for version in REVISIONS {
        let client = Answering::new(version, json!({})).connect(&everything).await;
        let answer = call(&client, "getEnv", json!({})).await;
        assert_eq!(texts(&answer), ["{\n  \"SESSION_TTL\": \"300s\"\n}"]);
        assert_eq!(answer.structured_content, Some(json!({ "SESSION_TTL": "300s" })));
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn one_tool_has_every_kind_of_content() {
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", json!({})).await,
        Raw::stateless(&everything(), json!({})),
    ] {
        let answer = client.call("getTinyAudio", json!({})).await;
        let sound = answer["result"]["content"][1].clone();
        assert_eq!(sound["type"], "audio");
        assert_eq!(sound["mimeType"], "audio/wav");

        let answer = client.call("getAllContent", json!({})).await;
        let content = answer["result"]["content"].as_array().unwrap();
        let kinds: BTreeSet<&str> =
            content.iter().map(|block| block["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, BTreeSet::from(["audio", "image", "resource", "resource_link", "text"]));
        assert!(content.contains(&sound));
        for uri in [&content[3]["resource"]["uri"], &content[4]["uri"]] {
            let read = client.request("resources/read", json!({ "uri": uri })).await;
            assert_eq!(read["result"]["contents"][0]["uri"], *uri);
        }
    }
}
