//! A real client, signed in through the pages, uses every feature.
#![expect(deprecated, reason = "2026-07-28 deprecates sampling, roots and logging (SEP-2577)")]

pub(crate) mod client;

use std::collections::{BTreeSet, HashMap};

use rmcp::{
    model::{
        ArgumentInfo, CallToolRequest, CallToolRequestParams, ClientRequest, CompleteRequestParams,
        CompletionContext, CompletionInfo, GetPromptRequestParams, LoggingLevel,
        PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams, Reference,
        ResourceContents, SetLevelRequestParams, SubscribeRequestParams, UnsubscribeRequestParams,
    },
    service::{PeerRequestOptions, ServiceError},
};
use serde_json::json;

use self::client::{Client, Said, Via};
use crate::support::Deployment;

/// Makes of each behaviour, an `async fn(&Deployment, Via)`, tests by one transport.
macro_rules! by {
    ($via:ident: $($behaviour:ident),+ $(,)?) => {
        use super::Via;
        use crate::support::Deployment;

        on_every_deployment!($($behaviour),+);
        on_separate_deployments!($($behaviour),+);

        $(async fn $behaviour(on: &Deployment) {
            super::$behaviour(on, Via::$via).await;
        })+
    };
}

mod streamable_http {
    by!(StreamableHttp:
        every_tool,
        who_called_and_who_answered,
        a_long_operation_is_cancelled,
        all_resources_in_pages_of_ten,
        every_prompt_and_every_completion,
        what_comes_by_itself,
        older_revisions_are_served_too,
        a_client_that_leaves_ends_its_session,
        an_unknown_tool_is_the_protocols_error,
    );
}

mod http_sse {
    by!(HttpSse:
        every_tool,
        who_called_and_who_answered,
        a_long_operation_is_cancelled,
        all_resources_in_pages_of_ten,
        every_prompt_and_every_completion,
        what_comes_by_itself,
        older_revisions_are_served_too,
        an_unknown_tool_is_the_protocols_error,
    );
}

/// The server beside the one at the other end of the pipe is not asked.
mod stdio {
    use super::Via;
    use crate::support::Deployment;

    macro_rules! alone {
        ($($behaviour:ident),+ $(,)?) => {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(&Deployment::one_in_memory(), Via::Stdio).await;
            })+
        };
    }

    alone!(
        every_tool,
        all_resources_in_pages_of_ten,
        every_prompt_and_every_completion,
        what_comes_by_itself,
        older_revisions_are_served_too,
        an_unknown_tool_is_the_protocols_error,
    );
}

async fn every_tool(on: &Deployment, via: Via) {
    let server = on.start();
    let mut client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    let tools = client.service.list_all_tools().await.unwrap();
    let names: BTreeSet<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    let expected = [
        "add",
        "annotatedMessage",
        "echo",
        "elicitInputs",
        "getAllContent",
        "getEnv",
        "getResourceLinks",
        "getResourceReference",
        "getRootsList",
        "getStructuredContent",
        "getTinyAudio",
        "getTinyImage",
        "longRunningOperation",
        "mcp_apps_hello_world",
        "sampleLLM",
        "sampleLLMWithTools",
        "gzipFileAsResource",
        "toggleDynamicPrompt",
        "toggleDynamicTool",
        "toggleSimulatedLogging",
        "toggleSubscriberUpdates",
        "updateDocument",
        "simulateResearchQuery",
        "triggerElicitationRequestAsync",
        "triggerSamplingRequestAsync",
        "triggerUrlElicitation",
        "whoami",
    ];
    assert_eq!(names, BTreeSet::from(expected));

    assert_eq!(client.text("echo", json!({ "message": "hi" })).await, "Echo: hi");
    assert_eq!(client.text("add", json!({ "a": 2, "b": 3 })).await, "The sum of 2 and 3 is 5.");
    let image = client.call("getTinyImage", json!({})).await;
    assert_eq!(image.content[1].as_image().unwrap().mime_type, "image/png");
    let annotated = client
        .call("annotatedMessage", json!({ "messageType": "error", "includeImage": true }))
        .await;
    assert_eq!(annotated.content.len(), 2);
    let reference = client.call("getResourceReference", json!({ "resourceId": 42 })).await;
    let resource = &reference.content[1].as_resource().unwrap().resource;
    assert!(format!("{resource:?}").contains("test://static/resource/42"));

    let links = client.call("getResourceLinks", json!({ "count": 2 })).await;
    for block in &links.content[1..] {
        let link = block.as_resource_link().unwrap();
        let read = ReadResourceRequestParams::new(link.uri.clone());
        let contents = client.service.read_resource(read).await.unwrap().contents;
        assert!(format!("{contents:?}").contains(&link.uri), "{contents:?}");
    }
    let weather = client.call("getStructuredContent", json!({ "location": "Chicago" })).await;
    assert_eq!(weather.structured_content.unwrap()["temperature"], 36);
    let sound = client.call("getTinyAudio", json!({})).await;
    assert_eq!(json!(sound.content[1])["mimeType"], "audio/wav");
    assert_eq!(client.call("getAllContent", json!({})).await.content.len(), 5);
    let settings = client.call("getEnv", json!({})).await.structured_content.unwrap();
    let url = server.url("");
    let public = matches!(via, Via::StreamableHttp | Via::HttpSse).then_some(url.as_str());
    assert_eq!(settings["BASE_URI"].as_str(), public, "over stdio it means nothing");
    assert_eq!(settings["CONFORMANCE"], "off");

    let app = client.call("mcp_apps_hello_world", json!({})).await.structured_content.unwrap();
    assert_eq!(app["greeting"], "Hello from MCP Apps!");

    let written = client.call("updateDocument", json!({ "text": "new" })).await;
    let read =
        ReadResourceRequestParams::new(written.content[1].as_resource_link().unwrap().uri.clone());
    let contents = client.service.read_resource(read).await.unwrap().contents;
    assert_eq!(json!(contents[0])["text"], "new");
    let compressed = client.call("gzipFileAsResource", json!({})).await;
    assert_eq!(json!(compressed.content[0])["name"], "README.md.gz");
    let there = client.text("toggleDynamicTool", json!({})).await;
    assert_eq!(there, "The tool dynamicTool is there now.");
    assert!(client.text("dynamicTool", json!({})).await.starts_with("This tool is there"));
    let there = client.text("toggleDynamicPrompt", json!({})).await;
    assert_eq!(there, "The prompt dynamic_prompt is there now.");
    for toggle in ["toggleSimulatedLogging", "toggleSubscriberUpdates"] {
        let text = client.text(toggle, json!({})).await;
        assert!(text.starts_with("Started simulated"), "{text}");
        let text = client.text(toggle, json!({})).await;
        assert!(text.starts_with("Stopped simulated"), "{text}");
    }

    let sampled = client.text("sampleLLM", json!({ "prompt": "hello", "maxTokens": 7 })).await;
    assert_eq!(sampled, "LLM sampling result: sampled");
    let prompt = json!({ "prompt": "What is 2 + 3?", "maxTokens": 7 });
    let sampled = client.text("sampleLLMWithTools", prompt).await;
    assert_eq!(sampled, "LLM sampling result: The sum of 2 and 3 is 5.");
    let elicited = client.text("elicitInputs", json!({})).await;
    assert!(elicited.starts_with("Elicitation result: ") && elicited.contains("Ada"), "{elicited}");
    let roots = client.text("getRootsList", json!({})).await;
    assert!(roots.contains("file:///home/ada"), "{roots}");

    follows_no_tasks_of_the_client(&client).await;

    let done = client.text("longRunningOperation", json!({ "duration": 0.4, "steps": 4 })).await;
    assert_eq!(done, "Long running operation completed. Duration: 0.4 seconds, Steps: 4.");
    assert!((first_progress(&mut client).await - 1.0).abs() < f64::EPSILON);
}

async fn first_progress(client: &mut Client) -> f64 {
    let progress = client.hears(|said| match said {
        Said::Progress(progress) => Some(progress),
        _ => None,
    });
    progress.await
}

/// A client that takes no question as a task is told so.
async fn follows_no_tasks_of_the_client(client: &Client) {
    let prompt = json!({ "prompt": "hello" });
    for (tool, arguments) in
        [("triggerSamplingRequestAsync", prompt), ("triggerElicitationRequestAsync", json!({}))]
    {
        let refused = client.call(tool, arguments).await;
        let said = &refused.content[0].as_text().unwrap().text;
        assert!(refused.is_error == Some(true) && said.contains("2025-11-25"), "{said}");
    }
}

async fn who_called_and_who_answered(on: &Deployment, via: Via) {
    let server = on.start();
    let client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    let mut answered = BTreeSet::new();
    for _ in 0..2 * server.instances.len() {
        let mut told = client.call("whoami", json!({})).await.structured_content.unwrap();
        answered.insert(told["instance"].take().as_str().unwrap().to_owned());
        assert_eq!(told["caller"]["user"], "ada");
        assert_eq!(told["caller"]["issuer"], server.issuer());
        assert_eq!(told["caller"]["scopes"], json!(["mcp:read", "mcp:tools"]));
        assert!(told["caller"]["clientId"].is_string());
        let expires_at = told["caller"]["expiresAt"].as_str().unwrap();
        assert!(expires_at.starts_with("20") && expires_at.ends_with('Z'), "{expires_at}");
        assert_eq!(told["serverVersion"], env!("CARGO_PKG_VERSION"));
        assert!(told["uptimeSeconds"].is_u64());
        assert_eq!(told["client"], json!({ "name": "test", "version": "1" }));
        assert_eq!(told["session"], true);
        assert_eq!(told["protocolVersion"], "2025-11-25");
        assert!(told["capabilities"]["sampling"].is_object());
        let transport = match via {
            Via::StreamableHttp => "streamable-http",
            Via::HttpSse => "http-sse",
            Via::Stdio => "stdio",
        };
        assert_eq!(told["transport"], transport);
    }
    let started = server
        .log()
        .into_iter()
        .filter(|line| line["event"] == "server.started" && line["server"] == "mcp-server");
    let started = started.map(|line| line["instance"].as_str().unwrap().to_owned());
    assert_eq!(answered, started.collect(), "each of them, by the name it has in the log");
}

async fn a_long_operation_is_cancelled(on: &Deployment, via: Via) {
    let server = on.start();
    let mut client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    let arguments = json!({ "duration": 3000, "steps": 1000 }).as_object().cloned().unwrap();
    let params = CallToolRequestParams::new("longRunningOperation").with_arguments(arguments);
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let options = PeerRequestOptions::no_options();
    let running = client.service.send_cancellable_request(request, options).await.unwrap();
    client.hears(|said| matches!(said, Said::Progress(_)).then_some(())).await;
    running.cancel(Some("enough".to_owned())).await.unwrap();
    server.logged("call.cancelled");
    assert_eq!(client.text("echo", json!({ "message": "hi" })).await, "Echo: hi");
}

async fn all_resources_in_pages_of_ten(on: &Deployment, via: Via) {
    let server = on.start();
    let client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    let (mut cursor, mut uris) = (None, Vec::new());
    loop {
        let params = PaginatedRequestParams::default().with_cursor(cursor);
        let page = client.service.list_resources(Some(params)).await.unwrap();
        cursor = page.next_cursor;
        assert!(page.resources.len() == 10 || cursor.is_none());
        uris.extend(page.resources.into_iter().map(|resource| resource.uri.clone()));
        if cursor.is_none() {
            break;
        }
    }
    let all = uris.len();
    assert_eq!(uris.iter().collect::<BTreeSet<_>>().len(), all);
    // Behind the hundred: documents, and the page of an app.
    for uri in uris.split_off(100) {
        let params = ReadResourceRequestParams::new(uri.clone());
        let read = client.service.read_resource(params).await.unwrap();
        let ResourceContents::TextResourceContents { text, .. } = &read.contents[0] else {
            panic!("{uri} is no text");
        };
        assert!(
            uri == "demo://document/notes"
                || text.starts_with("# ")
                || text.starts_with("<!doctype html>"),
            "{uri}"
        );
    }
    for (index, uri) in uris.iter().enumerate() {
        let params = ReadResourceRequestParams::new(uri.clone());
        let read = client.service.read_resource(params).await.unwrap();
        let number = index + 1;
        match &read.contents[0] {
            ResourceContents::TextResourceContents { text, .. } => {
                assert_eq!(*text, format!("Resource {number}: This is a plaintext resource"));
            }
            ResourceContents::BlobResourceContents { blob, .. } => assert!(!blob.is_empty()),
            other => panic!("{other:?}"),
        }
    }
    let templates = client.service.list_all_resource_templates().await.unwrap();
    assert_eq!(templates[0].uri_template, "test://static/resource/{id}");
}

async fn every_prompt_and_every_completion(on: &Deployment, via: Via) {
    let server = on.start();
    let client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    let arguments = HashMap::from([
        ("simple_prompt", json!({})),
        ("complex_prompt", json!({ "temperature": "0.5", "style": "casual" })),
        ("resource_prompt", json!({ "resourceId": "7" })),
        ("args_prompt", json!({ "city": "Salem", "state": "Oregon" })),
        ("completable_prompt", json!({ "department": "Sales", "name": "Eve" })),
    ]);
    let prompts = client.service.list_all_prompts().await.unwrap();
    assert_eq!(prompts.len(), arguments.len());
    for prompt in &prompts {
        let arguments = arguments[prompt.name.as_str()].as_object().cloned().unwrap();
        let params = GetPromptRequestParams::new(prompt.name.clone()).with_arguments(arguments);
        let got = client.service.get_prompt(params).await.unwrap();
        assert!(!got.messages.is_empty());
        for argument in prompt.arguments.iter().flatten() {
            let reference = Reference::for_prompt(prompt.name.clone());
            let completion = complete(&client, reference, &argument.name).await;
            assert!(completion.values.len() >= 3, "{}", argument.name);
            let more = argument.name == "city";
            assert_eq!(completion.has_more, Some(more), "{}", argument.name);
        }
    }
    let reference = Reference::for_resource("demo://directory/{department}/{name}");
    assert_eq!(complete(&client, reference, "name").await.values, ["David", "Eve", "Frank"]);
    let reference = Reference::for_resource("test://static/resource/{id}");
    assert_eq!(complete(&client, reference, "id").await.values, ["1", "2", "3", "4", "5"]);
}

/// What is suggested for an argument that nothing was typed of, where the department is known.
async fn complete(client: &Client, reference: Reference, argument: &str) -> CompletionInfo {
    let argument = ArgumentInfo::new(argument, "");
    let known = HashMap::from([("department".to_owned(), "Sales".to_owned())]);
    let params = CompleteRequestParams::new(reference, argument)
        .with_context(CompletionContext::with_arguments(known));
    client.service.complete(params).await.unwrap().completion
}

async fn what_comes_by_itself(on: &Deployment, via: Via) {
    let server = on.start();
    let mut client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    let uri = "test://static/resource/5";
    client.service.set_level(SetLevelRequestParams::new(LoggingLevel::Debug)).await.unwrap();
    client.service.subscribe(SubscribeRequestParams::new(uri)).await.unwrap();
    let (mut updated, mut logs, mut stderr) = (None, 0, None);
    client
        .hears(|said| {
            match said {
                Said::Updated(uri) => updated = Some(uri),
                // The first one says that the level was set.
                Said::Log => logs += 1,
                Said::Stderr(params) => stderr = Some(params),
                Said::Progress(_) => {}
            }
            (updated.is_some() && logs > 1 && stderr.is_some()).then_some(())
        })
        .await;
    assert_eq!(updated.as_deref(), Some(uri));
    assert!(stderr.unwrap()["content"].as_str().unwrap().ends_with(": A stderr message"));
    client.service.unsubscribe(UnsubscribeRequestParams::new(uri)).await.unwrap();
}

async fn older_revisions_are_served_too(on: &Deployment, via: Via) {
    let server = on.start();
    let versions = [
        ProtocolVersion::V_2024_11_05,
        ProtocolVersion::V_2025_03_26,
        ProtocolVersion::V_2025_06_18,
    ];
    for version in versions {
        let client = Client::connect(&server, via, version.clone()).await;
        let agreed = client.service.peer_info().unwrap();
        assert_eq!(agreed.protocol_version, version);
        assert_eq!(client.text("echo", json!({ "message": "hi" })).await, "Echo: hi");
        let sampled = client.text("sampleLLM", json!({ "prompt": "hello", "maxTokens": 7 })).await;
        assert_eq!(sampled, "LLM sampling result: sampled");
    }
}

async fn a_client_that_leaves_ends_its_session(on: &Deployment, via: Via) {
    let server = on.start();
    let client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    client.service.cancel().await.unwrap();
    server.logged("session.ended");
}

async fn an_unknown_tool_is_the_protocols_error(on: &Deployment, via: Via) {
    let server = on.start();
    let client = Client::connect(&server, via, ProtocolVersion::V_2025_11_25).await;
    let refused = client.service.call_tool(CallToolRequestParams::new("no such tool")).await;
    let Err(ServiceError::McpError(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.code.0, -32602);
}
