//! Resources: listed, read, subscribed to.

use std::sync::Arc;

use mcp_everything_features::{LocalSession, SessionState as _};
use rmcp::{
    ServiceError, ServiceExt as _,
    model::{
        ErrorCode, PaginatedRequestParams, ReadResourceRequestParams, SubscribeRequestParams,
        UnsubscribeRequestParams,
    },
};
use serde_json::{Value, json};

use crate::support::{Answering, REVISIONS, Raw, everything};

#[tokio::test]
async fn a_hundred_resources_come_in_pages_of_ten_and_what_else_there_is_behind_them() {
    for version in REVISIONS {
        let client = Answering::new(version.clone(), json!({})).connect(&everything()).await;
        let (mut cursor, mut seen) = (None, Vec::new());
        for number in 1..=10 {
            let params = PaginatedRequestParams::default().with_cursor(cursor.take());
            let page = client.list_resources(Some(params)).await.unwrap();
            assert_eq!(page.resources.len(), 10, "{version}, page {number}");
            seen.extend(page.resources);
            cursor = page.next_cursor;
            assert!(cursor.is_some(), "{version}, page {number}");
        }
        let params = PaginatedRequestParams::default().with_cursor(cursor);
        let page = client.list_resources(Some(params)).await.unwrap();
        assert_eq!(page.next_cursor, None);
        let uris: Vec<&str> = page.resources.iter().map(|resource| resource.uri.as_str()).collect();
        let documents = ["architecture", "extension", "features", "how-it-works", "instructions"];
        let documents = documents.into_iter().chain(["startup", "structure"]);
        let documents = documents.map(|name| format!("demo://resource/static/document/{name}.md"));
        let app = "ui://hello-world/app.html".to_owned();
        // What is the caller's own comes last.
        let own = "demo://document/notes".to_owned();
        assert_eq!(uris, documents.chain([app, own]).collect::<Vec<_>>());
        for (index, resource) in seen.into_iter().enumerate() {
            let id = index + 1;
            assert_eq!(resource.uri, format!("test://static/resource/{id}"));
            assert_eq!(resource.name, format!("Resource {id}"));
            let read = ReadResourceRequestParams::new(&resource.uri);
            let contents = json!(client.read_resource(read).await.unwrap().contents);
            assert_eq!(contents.as_array().unwrap().len(), 1);
            assert_eq!(contents[0]["uri"], resource.uri);
            assert_eq!(contents[0]["mimeType"], resource.mime_type.unwrap());
        }
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_resource_is_an_error_that_names_it() {
    for (version, code) in REVISIONS.into_iter().zip([-32002, -32002, -32002, -32602]) {
        let client = Answering::new(version.clone(), json!({})).connect(&everything()).await;
        let uri = "test://static/resource/101";
        let answer = client.read_resource(ReadResourceRequestParams::new(uri)).await;
        let Err(ServiceError::McpError(error)) = answer else { panic!("{answer:?}") };
        assert_eq!(error.code, ErrorCode(code), "{version}");
        assert_eq!(error.data, Some(json!({ "uri": uri })), "{version}");
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn subscriptions_are_kept_by_the_session_and_ask_the_client_nothing() {
    let (client, server) = tokio::io::duplex(4096);
    let session = Arc::new(LocalSession::new());
    let everything = everything().with_session(Arc::clone(&session) as _);
    tokio::spawn(async move { everything.serve(server).await.unwrap().waiting().await });
    let answering =
        Answering::new(rmcp::model::ProtocolVersion::V_2025_11_25, crate::support::all());
    let asked = Arc::clone(&answering.asked);
    let client = answering.serve(client).await.unwrap();

    let (one, two) = ("test://static/resource/1", "test://static/resource/2");
    for uri in [one, two, one] {
        client.subscribe(SubscribeRequestParams::new(uri)).await.unwrap();
    }
    let kept = session.subscriptions().await.unwrap();
    assert_eq!(kept.into_iter().collect::<Vec<_>>(), [one, two]);
    client.unsubscribe(UnsubscribeRequestParams::new(one)).await.unwrap();
    client.unsubscribe(UnsubscribeRequestParams::new(one)).await.unwrap();
    let kept = session.subscriptions().await.unwrap();
    assert_eq!(kept.into_iter().collect::<Vec<_>>(), [two]);

    let nowhere = client.subscribe(SubscribeRequestParams::new("test://nowhere")).await;
    let Err(ServiceError::McpError(error)) = nowhere else { panic!("{nowhere:?}") };
    assert_eq!(error.code, ErrorCode::RESOURCE_NOT_FOUND);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_subscribe_with() {
    let (client, server) = tokio::io::duplex(4096);
    tokio::spawn(async move { everything().serve(server).await.unwrap().waiting().await });
    let answering = Answering::new(rmcp::model::ProtocolVersion::V_2025_11_25, json!({}));
    let client = answering.serve(client).await.unwrap();
    let uri = "test://static/resource/1";
    let answer = client.subscribe(SubscribeRequestParams::new(uri)).await;
    let Err(ServiceError::McpError(error)) = answer else { panic!("{answer:?}") };
    assert_eq!(error.code, ErrorCode::INVALID_REQUEST);
}

#[tokio::test]
async fn there_are_templates_of_every_kind() {
    let mut client = Raw::stateful(&everything(), "2025-06-18", json!({})).await;
    let pages = client.pages("resources/templates/list").await;
    let listed = pages.iter().map(|page| page["resourceTemplates"].as_array().unwrap());
    let listed: Vec<Vec<Value>> = listed.cloned().collect();
    assert_eq!(listed.iter().map(Vec::len).collect::<Vec<_>>(), [5, 1]);
    assert_eq!(
        json!(listed.concat()),
        json!([
                {
                    "uriTemplate": "test://static/resource/{id}",
                    "name": "Static Resource",
                    "title": "Static resource",
                    "description": "A static resource with a numeric ID",
                },
                {
                    "uriTemplate": "demo://resource/dynamic/text/{resourceId}",
                    "name": "Dynamic Text Resource",
                    "title": "Dynamic text resource",
                    "description":
                        "A text that is made when it is read, for any positive integer",
                    "mimeType": "text/plain",
                },
                {
                    "uriTemplate": "demo://resource/dynamic/blob/{resourceId}",
                    "name": "Dynamic Blob Resource",
                    "title": "Dynamic blob resource",
                    "description":
                        "Bytes that are made when they are read, for any positive integer",
                    "mimeType": "application/octet-stream",
                },
                {
                    "uriTemplate": "demo://directory/{department}/{name}",
                    "name": "Directory Entry",
                    "title": "Directory entry",
                    "description":
                        "Somebody of a department; whom there is depends on the department",
                    "mimeType": "application/json",
                },
                {
                    "uriTemplate": "demo://directory/{department}",
                    "name": "Directory Department",
                    "title": "Department of the directory",
                    "description": "Everybody of a department",
                    "mimeType": "application/json",
                },
                {
                    "uriTemplate": "demo://directory{?department,name}",
                    "name": "Directory Search",
                    "title": "Search of the directory",
                    "description":
                        "Those of a department whose names begin like this; without either, \
                         everybody",
                    "mimeType": "application/json",
                },
        ])
    );
    let uri = "demo://resource/dynamic/text/7";
    let answer = client.request("resources/read", json!({ "uri": uri })).await;
    assert_eq!(
        answer["result"]["contents"],
        json!([{
            "uri": uri,
            "mimeType": "text/plain",
            "text": "Resource 7: This is a plaintext resource created at 2026-01-01T00:00:00.000Z",
        }])
    );
}

#[tokio::test]
async fn what_templates_lead_to_can_be_read() {
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", json!({})).await,
        Raw::stateless(&everything(), json!({})),
    ] {
        for (uri, found) in [
            ("demo://directory/Support/Kim", json!(["Kim"])),
            ("demo://directory/Support", json!(["John", "Kim", "Lee"])),
            ("demo://directory?department=Support&name=k", json!(["Kim"])),
        ] {
            let mut answer = client.request("resources/read", json!({ "uri": uri })).await;
            let contents = answer["result"]["contents"][0].take();
            assert_eq!(
                (&contents["uri"], &contents["mimeType"]),
                (&json!(uri), &json!("application/json"))
            );
            let read: Value = serde_json::from_str(contents["text"].as_str().unwrap()).unwrap();
            let people = read["people"].as_array().cloned().unwrap_or_else(|| vec![read]);
            let names: Vec<&Value> = people.iter().map(|person| &person["name"]).collect();
            assert_eq!(json!(names), found, "{uri}");
        }
    }
}
