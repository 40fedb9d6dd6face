//! Documents about the server.

use rmcp::model::{ProtocolVersion, ReadResourceRequestParams};
use serde_json::json;

use crate::support::{Answering, REVISIONS, everything};

const ALL: &str = "demo://resource/static/document/";

#[tokio::test]
async fn each_is_markdown_of_the_size_it_says() {
    for version in REVISIONS {
        let client = Answering::new(version, json!({})).connect(&everything()).await;
        let resources = client.list_all_resources().await.unwrap();
        let documents: Vec<_> =
            resources.iter().filter(|resource| resource.uri.starts_with(ALL)).collect();
        assert_eq!(documents.len(), 7);
        for document in documents {
            assert_eq!(document.uri, format!("{ALL}{}", document.name));
            assert!(document.title.is_some() && document.description.is_some());
            let read = ReadResourceRequestParams::new(&document.uri);
            let contents = json!(client.read_resource(read).await.unwrap().contents);
            assert_eq!(contents[0]["mimeType"], "text/markdown");
            let text = contents[0]["text"].as_str().unwrap();
            assert!(text.starts_with("# "), "{}", document.uri);
            assert_eq!(document.size, Some(text.len() as u64), "{}", document.uri);
        }
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn features_names_everything_there_is() {
    let client = Answering::new(ProtocolVersion::V_2025_11_25, json!({}));
    let client = client.connect(&everything()).await;
    let read = ReadResourceRequestParams::new(format!("{ALL}features.md"));
    let text = json!(client.read_resource(read).await.unwrap().contents)[0]["text"].take();
    let text = text.as_str().unwrap();
    let tools = client.list_all_tools().await.unwrap().into_iter();
    let prompts = client.list_all_prompts().await.unwrap().into_iter();
    let templates = client.list_all_resource_templates().await.unwrap().into_iter();
    let names = tools
        .map(|tool| tool.name.into_owned())
        .chain(prompts.map(|prompt| prompt.name))
        .chain(templates.map(|template| template.uri_template));
    for name in names {
        assert!(text.contains(&format!("\n- `{name}`: ")), "{name} is not in {text}");
    }
    let read = ReadResourceRequestParams::new(format!("{ALL}instructions.md"));
    let told = json!(client.read_resource(read).await.unwrap().contents)[0]["text"].take();
    let instructions = client.peer_info().unwrap().instructions.clone().unwrap();
    assert_eq!(told, format!("# Instructions\n\n{instructions}\n"));
}
