//! What belongs to one user and changes: the same on every instance, told to that user's clients on
//! every wire, and to nobody else.

use http::Method;
use mcp_everything_fetch::testing::{Answer as Page, HttpsServer};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Mcp, Sse, Stream, call, soon};

on_every_deployment!(
    what_a_user_changes_all_clients_of_the_user_see_and_hear_of,
    what_one_user_changes_no_other_sees_or_hears_of,
    what_is_there_only_while_it_is_on,
    files_are_compressed_and_come_and_go,
    a_session_is_spoken_to_while_it_wants_that,
);
on_separate_deployments!(
    what_a_user_changes_all_clients_of_the_user_see_and_hear_of,
    what_one_user_changes_no_other_sees_or_hears_of,
);

const NOTES: &str = "demo://document/notes";

/// A request of 2026-07-28, which needs no session.
async fn stateless(client: &Mcp, method: &str, name: &str, mut params: Value) -> Response {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let mut client = client.clone();
    client.session = None;
    let mut request = client
        .request(Method::POST)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    if !name.is_empty() {
        request = request.header("mcp-name", name);
    }
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    soon(request.json(&message).send()).await.unwrap()
}

async fn asked(client: &Mcp, method: &str, name: &str, params: Value) -> Answer {
    Answer::of(stateless(client, method, name, params).await).await
}

async fn ask(client: &Mcp, method: &str, params: Value) -> Value {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    client.post(&message).await.body
}

async fn subscribe(client: &Mcp, uri: &str) {
    assert_eq!(
        ask(client, "resources/subscribe", json!({ "uri": uri })).await["result"],
        json!({})
    );
}

async fn notes(client: &Mcp) -> String {
    let read = ask(client, "resources/read", json!({ "uri": NOTES })).await;
    read["result"]["contents"][0]["text"].as_str().unwrap_or_else(|| panic!("{read}")).to_owned()
}

/// All of a list, whatever its pages.
async fn all(client: &Mcp, method: &str, what: &str) -> Vec<Value> {
    let (mut items, mut params) = (Vec::new(), json!({}));
    loop {
        let mut page = ask(client, method, params).await;
        items.append(page["result"][what].as_array_mut().unwrap_or_else(|| panic!("no {what}")));
        match page["result"]["nextCursor"].take() {
            Value::Null => return items,
            cursor => params = json!({ "cursor": cursor }),
        }
    }
}

async fn names(client: &Mcp, method: &str, what: &str) -> Vec<String> {
    let items = all(client, method, what).await;
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn tools(client: &Mcp) -> Vec<String> {
    names(client, "tools/list", "tools").await
}

/// What is on the shelf, of the list of resources.
async fn shelved(client: &Mcp, uri: &str) -> Option<Value> {
    let listed = all(client, "resources/list", "resources").await;
    listed.into_iter().find(|resource| resource["uri"] == uri)
}

/// A listener without a session, for every list and the document.
async fn listener(client: &Mcp) -> Stream {
    let filter = json!({
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": [NOTES],
    });
    let params = json!({ "notifications": filter });
    let mut stream = Stream::of(stateless(client, "subscriptions/listen", "", params).await);
    stream.until("notifications/subscriptions/acknowledged").await;
    stream
}

/// What is said of changes until the message of this method, which is the last of it.
async fn told(stream: &mut Stream, until: &str) -> Vec<String> {
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != until) {
        let message = stream.next().await.expect("the stream goes on");
        let method = message["method"].as_str().unwrap_or_default();
        if let Some(method) = method.strip_prefix("notifications/")
            && (method.ends_with("list_changed") || method == "resources/updated")
        {
            told.push(method.to_owned());
        }
    }
    told
}

async fn updated(stream: &mut Stream) {
    let message = stream.until("notifications/resources/updated").await;
    assert_eq!(message["params"]["uri"], NOTES);
}

async fn what_a_user_changes_all_clients_of_the_user_see_and_hear_of(on: &Deployment) {
    let server = on.start();
    // Each has another client id.
    let (here, there) = (Mcp::of(&server, "ada").await, Mcp::of(&server, "ada").await);
    let mut sse = Sse::of(&server, "ada").await;
    for client in [&here, &there] {
        subscribe(client, NOTES).await;
    }
    let request = json!({
        "jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": { "uri": NOTES }
    });
    sse.accepted(&request).await;
    assert_eq!(sse.stream.next().await.unwrap()["result"], json!({}));
    let mut streams = vec![
        Stream::of(here.get(None).await),
        Stream::of(there.get(None).await),
        listener(&there).await,
        sse.stream,
    ];
    let before = shelved(&there, NOTES).await.expect("it is always there");
    assert_eq!(before["annotations"], Value::Null);
    for text in ["one", "two \u{e9}"] {
        let written = here.call("updateDocument", json!({ "text": text })).await;
        assert_eq!(written.body["result"]["content"][1]["uri"], NOTES, "{:?}", written.body);
        for stream in &mut streams {
            updated(stream).await;
        }
        for client in [&here, &there] {
            for _ in 0..server.instances.len() {
                assert_eq!(notes(client).await, text);
            }
        }
        let read = asked(&there, "resources/read", NOTES, json!({ "uri": NOTES })).await;
        let result = &read.body["result"];
        assert_eq!(result["contents"][0]["text"], text);
        assert_eq!(result["cacheScope"], "private", "{result}");
        assert!(result["ttlMs"].as_u64().unwrap() <= 60_000, "{result}");
        let listed = shelved(&there, NOTES).await.unwrap();
        assert_eq!(listed["size"], text.len());
        assert!(listed["annotations"]["lastModified"].is_string(), "{listed}");
    }
    let too_long = here.call("updateDocument", json!({ "text": "\u{e9}".repeat(8193) })).await;
    assert_eq!(too_long.body["result"]["isError"], true);
    assert_eq!(notes(&there).await, "two \u{e9}");
    // Who was away is told when there is a stream again.
    drop(streams);
    here.call("updateDocument", json!({ "text": "three" })).await;
    updated(&mut Stream::of(there.get(None).await)).await;
}

async fn what_one_user_changes_no_other_sees_or_hears_of(on: &Deployment) {
    let server = on.start();
    let (ada, bob) = (Mcp::of(&server, "ada").await, Mcp::of(&server, "bob").await);
    let mut sse = Sse::of(&server, "bob").await;
    let subscribed = json!({
        "jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": { "uri": NOTES }
    });
    sse.accepted(&subscribed).await;
    sse.stream.next().await.unwrap();
    for client in [&ada, &bob] {
        subscribe(client, NOTES).await;
    }
    let mut hers = Stream::of(ada.get(None).await);
    let mut his = [Stream::of(bob.get(None).await), listener(&bob).await, sse.stream];
    let unwritten = notes(&bob).await;
    let file = json!({ "name": "hers.gz", "data": "data:,hers" });
    let hers_alone = "demo://resource/session/hers.gz";
    let change = async || {
        ada.call("updateDocument", json!({ "text": "hers" })).await;
        ada.call("toggleDynamicTool", json!({})).await;
        ada.call("toggleDynamicPrompt", json!({})).await;
        ada.call("gzipFileAsResource", file.clone()).await;
    };
    change().await;
    let all = told(&mut hers, "prompts/list_changed").await;
    assert!(all.contains(&"tools/list_changed".to_owned()), "{all:?}");

    assert_eq!(notes(&bob).await, unwritten);
    assert_eq!(shelved(&bob, hers_alone).await, None);
    assert!(!tools(&bob).await.contains(&"dynamicTool".to_owned()));
    assert!(!names(&bob, "prompts/list", "prompts").await.contains(&"dynamic_prompt".to_owned()));
    let unknown = ask(&bob, "resources/read", json!({ "uri": hers_alone })).await;
    let never = ask(&bob, "resources/read", json!({ "uri": "demo://resource/session/no" })).await;
    assert_eq!(unknown["error"]["code"], never["error"]["code"]);
    assert!(unknown["error"]["code"].is_i64(), "{unknown}");
    assert_eq!(
        ask(&bob, "resources/subscribe", json!({ "uri": hers_alone })).await["error"]["code"],
        never["error"]["code"]
    );
    bob.call("dynamicTool", json!({})).await.is_refused(200, -32602);
    let called = json!({ "name": "dynamicTool", "arguments": {} });
    let refused = asked(&bob, "tools/call", "dynamicTool", called).await;
    assert_eq!(refused.body["error"]["code"], -32602, "{:?}", refused.body);

    // He hears of what he changes, and of nothing before, between or behind.
    bob.call("gzipFileAsResource", json!({ "name": "his.gz", "data": "data:,his" })).await;
    for stream in &mut his {
        assert_eq!(told(stream, "resources/list_changed").await, ["resources/list_changed"]);
    }
    change().await;
    bob.call("toggleDynamicPrompt", json!({})).await;
    for stream in &mut his {
        assert_eq!(told(stream, "prompts/list_changed").await, ["prompts/list_changed"]);
    }
    change().await;
    bob.call("toggleDynamicTool", json!({})).await;
    for stream in &mut his {
        assert_eq!(told(stream, "tools/list_changed").await, ["tools/list_changed"]);
    }
}

async fn what_is_there_only_while_it_is_on(on: &Deployment) {
    let server = on.start();
    let (here, there) = (Mcp::of(&server, "ada").await, Mcp::of(&server, "ada").await);
    let mut stream = Stream::of(there.get(None).await);
    let prompt = json!({ "name": "dynamic_prompt" });
    let complete = json!({
        "ref": { "type": "ref/prompt", "name": "dynamic_prompt" },
        "argument": { "name": "x", "value": "" },
    });
    for on in [true, false, true] {
        let said = here.call("toggleDynamicTool", json!({})).await;
        assert!(said.text().ends_with(if on { "is there now." } else { "is gone now." }));
        here.call("toggleDynamicPrompt", json!({})).await;
        stream.until("notifications/tools/list_changed").await;
        stream.until("notifications/prompts/list_changed").await;
        for _ in 0..server.instances.len() {
            assert_eq!(tools(&there).await.contains(&"dynamicTool".to_owned()), on);
            let prompts = names(&there, "prompts/list", "prompts").await;
            assert_eq!(prompts.contains(&"dynamic_prompt".to_owned()), on);
            let called = there.call("dynamicTool", json!({})).await;
            let got = ask(&there, "prompts/get", prompt.clone()).await;
            let completed = ask(&there, "completion/complete", complete.clone()).await;
            let wrong = completed["error"]["message"].as_str().unwrap();
            if on {
                assert!(called.text().starts_with("This tool is there"));
                assert!(got["result"]["messages"].is_array(), "{got}");
                assert!(wrong.starts_with("Unknown argument"), "{wrong}");
            } else {
                called.is_refused(200, -32602);
                assert_eq!(called.body["error"]["message"], "Unknown tool: dynamicTool");
                assert_eq!(got["error"]["code"], -32602);
                assert!(wrong.starts_with("Unknown prompt"), "{wrong}");
            }
        }
        let listed = asked(&there, "tools/list", "", json!({})).await;
        assert_eq!(listed.body["result"]["cacheScope"], "private");
    }
}

async fn files_are_compressed_and_come_and_go(on: &Deployment) {
    let host = HttpsServer::start(|path, _| match path {
        "/file.txt" => Page::ok("text/plain", "what is at the host"),
        _ => Page::ok("text/plain", &"x".repeat(600 * 1024)),
    })
    .await;
    let certificate = host.certificate_file().display().to_string();
    let server = on.with(&[("SSL_CERT_FILE", &certificate)]);
    let (here, there) = (Mcp::of(&server, "ada").await, Mcp::of(&server, "ada").await);
    let mut stream = Stream::of(there.get(None).await);
    let linked = here.call("gzipFileAsResource", json!({})).await;
    let link = &linked.body["result"]["content"][0];
    let uri = "demo://resource/session/README.md.gz";
    assert_eq!((&link["type"], &link["uri"]), (&json!("resource_link"), &json!(uri)));
    assert_eq!(link["mimeType"], "application/gzip");
    stream.until("notifications/resources/list_changed").await;
    for _ in 0..server.instances.len() {
        let listed = shelved(&there, uri).await.expect("it is there");
        assert_eq!(listed["size"], link["size"]);
        let read = ask(&there, "resources/read", json!({ "uri": uri })).await;
        // RFC 1952, section 2.3.1: it begins with the same three bytes.
        let blob = read["result"]["contents"][0]["blob"].as_str().unwrap_or_default();
        assert!(blob.starts_with("H4sI"), "{read}");
    }
    let url = host.url("/file.txt");
    let fetched = json!({ "name": "file.gz", "data": url, "outputType": "resource" });
    let fetched = here.call("gzipFileAsResource", fetched).await;
    let embedded = &fetched.body["result"]["content"][0];
    assert_eq!(embedded["type"], "resource", "{:?}", fetched.body);
    let read = ask(&there, "resources/read", json!({ "uri": embedded["resource"]["uri"] })).await;
    assert_eq!(read["result"]["contents"][0], embedded["resource"]);
    let same = json!({
        "name": "file.gz", "data": "data:,what%20is%20at%20the%20host", "outputType": "resource"
    });
    let same = here.call("gzipFileAsResource", same).await;
    assert_eq!(same.body["result"]["content"][0], *embedded);

    let long = host.url("/long");
    for (data, why) in [
        ("http://127.0.0.1/", "Only data: and https: URLs are taken."),
        ("file:///etc/passwd", "Only data: and https: URLs are taken."),
        ("README.md", "Only data: and https: URLs are taken."),
        ("data:;base64,!", "not in base64"),
        ("https://10.0.0.1/", "not one that this server goes to"),
        ("https://169.254.169.254/latest/meta-data", "not one that this server goes to"),
        ("https://ada@example.com/", "no https: URL without a user name"),
        (&long, "more than 524288 bytes"),
    ] {
        let refused = here.call("gzipFileAsResource", json!({ "data": data })).await;
        assert_eq!(refused.body["result"]["isError"], true, "{data}");
        assert!(refused.text().contains(why), "{data}: {}", refused.text());
    }
    for name in ["", "a/b", "..", "a b", &"x".repeat(65)] {
        let refused = here.call("gzipFileAsResource", json!({ "name": name })).await;
        assert_eq!(refused.body["result"]["isError"], true, "{name}");
    }
    // A full shelf forgets what was put there first.
    for number in 0..32 {
        let more = json!({ "name": format!("{number}.gz"), "data": "data:,x" });
        assert_eq!(
            here.call("gzipFileAsResource", more).await.body["result"]["isError"],
            json!(false)
        );
    }
    assert_eq!(shelved(&there, uri).await, None);
    let gone = ask(&there, "resources/read", json!({ "uri": uri })).await;
    assert!(gone["error"]["code"].is_i64(), "{gone}");
}

async fn a_session_is_spoken_to_while_it_wants_that(on: &Deployment) {
    let server = on.start();
    let client = Mcp::of(&server, "ada").await;
    let session = client.session.clone().unwrap();
    let uri = "test://static/resource/1";
    subscribe(&client, uri).await;
    let mut stream = Stream::of(client.get(None).await);
    for (tool, started, stopped, method) in [
        (
            "toggleSimulatedLogging",
            format!(
                "Started simulated, random-leveled logging for session {session} at a 5 second \
                 pace. Client's selected logging level will be respected. If an interval elapses \
                 and the message to be sent is below the selected level, it will not be sent. \
                 Thus at higher chosen logging levels, messages should arrive further apart. "
            ),
            format!("Stopped simulated logging for session {session}"),
            "notifications/message",
        ),
        (
            "toggleSubscriberUpdates",
            format!(
                "Started simulated resource updated notifications for session {session} at a 5 \
                 second pace. Client will receive updates for any resources the it is subscribed \
                 to."
            ),
            format!("Stopped simulated resource updates for session {session}"),
            "notifications/resources/updated",
        ),
    ] {
        let messages = client.messages(&call(1, tool, &json!({}))).await;
        let [first, answer] = &messages[..] else { panic!("{messages:?}") };
        assert_eq!(first["method"], method, "the first one comes at once");
        assert_eq!(answer["result"]["content"][0]["text"], started);
        for _ in 0..2 {
            let said = loop {
                let said = stream.until(method).await;
                let data = said["params"]["data"].as_str();
                if data.is_none_or(|data| data.ends_with(&format!(" - SessionId {session}"))) {
                    break said;
                }
            };
            if method.ends_with("updated") {
                assert_eq!(said["params"]["uri"], uri);
            }
        }
        assert_eq!(client.call(tool, json!({})).await.text(), stopped);
        // Where there is no session there is nothing to toggle.
        let params = json!({ "name": tool, "arguments": {} });
        let refused = asked(&client, "tools/call", tool, params).await;
        assert_eq!(refused.body["result"]["isError"], true, "{:?}", refused.body);
        assert!(refused.text().contains("2026-07-28"), "{}", refused.text());
    }
}
