//! What the server lists and answers on one wire.

use serde_json::{Value, json};

use super::wire::Wire;

/// JSON-RPC: there is no such method.
const METHOD_NOT_FOUND: i64 = -32601;

pub(super) struct Seen {
    pub(super) wire: &'static str,
    /// What `initialize` or `server/discover` answers.
    pub(super) server: Value,
    pub(super) tools: Vec<Value>,
    pub(super) prompts: Vec<Value>,
    pub(super) resources: Vec<Value>,
    pub(super) templates: Vec<Value>,
    /// Each method, and whether there is one.
    pub(super) methods: Vec<(&'static str, bool)>,
    /// What is completed, by what, and what is suggested first.
    pub(super) completions: Vec<(String, String, Value)>,
}

impl Seen {
    pub(super) async fn of(wire: &mut Wire) -> Self {
        let mut server = wire.begun.clone();
        if server.is_null() {
            server = wire.ask("server/discover", json!({})).await["result"].clone();
        }
        let prompts = all(wire, "prompts/list", "prompts").await;
        let templates = all(wire, "resources/templates/list", "resourceTemplates").await;
        Self {
            wire: wire.name,
            server,
            tools: all(wire, "tools/list", "tools").await,
            resources: all(wire, "resources/list", "resources").await,
            completions: completions(wire, &prompts, &templates).await,
            prompts,
            templates,
            methods: methods(wire).await,
        }
    }
}

/// A list, over all its pages.
async fn all(wire: &mut Wire, method: &str, what: &str) -> Vec<Value> {
    let (mut items, mut params) = (Vec::new(), json!({}));
    loop {
        let page = wire.ask(method, params).await;
        items.extend(page["result"][what].as_array().unwrap_or_else(|| panic!("{page}")).clone());
        let next = &page["result"]["nextCursor"];
        if next.is_null() {
            return items;
        }
        params = json!({ "cursor": next });
    }
}

async fn completions(
    wire: &mut Wire,
    prompts: &[Value],
    templates: &[Value],
) -> Vec<(String, String, Value)> {
    let mut found = Vec::new();
    for prompt in prompts {
        for argument in prompt["arguments"].as_array().into_iter().flatten() {
            let of = json!({ "type": "ref/prompt", "name": prompt["name"] });
            let (of, name) = (of, argument["name"].as_str().unwrap());
            found.push((text(&prompt["name"]), name.to_owned(), complete(wire, of, name).await));
        }
    }
    for template in templates {
        let uri = text(&template["uriTemplate"]);
        let expressions = uri.split('{').skip(1).filter_map(|part| part.split('}').next());
        for name in expressions.flat_map(|names| names.trim_start_matches('?').split(',')) {
            let of = json!({ "type": "ref/resource", "uri": uri });
            found.push((uri.clone(), name.to_owned(), complete(wire, of, name).await));
        }
    }
    found
}

async fn complete(wire: &mut Wire, of: Value, name: &str) -> Value {
    let params = json!({ "ref": of, "argument": { "name": name, "value": "" } });
    wire.ask("completion/complete", params).await["result"]["completion"].clone()
}

/// Every request of a client's that some revision has.
async fn methods(wire: &mut Wire) -> Vec<(&'static str, bool)> {
    let uri = json!({ "uri": "test://static/resource/1" });
    let task = json!({ "taskId": "unknown" });
    let mut found = Vec::new();
    for (method, params) in [
        ("ping", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({ "name": "echo", "arguments": { "message": "hi" } })),
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "simple_prompt" })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", uri.clone()),
        ("resources/subscribe", uri.clone()),
        ("resources/unsubscribe", uri),
        (
            "completion/complete",
            json!({
                "ref": { "type": "ref/prompt", "name": "complex_prompt" },
                "argument": { "name": "style", "value": "" }
            }),
        ),
        ("logging/setLevel", json!({ "level": "emergency" })),
        ("tasks/get", task.clone()),
        ("tasks/result", task.clone()),
        ("tasks/list", json!({})),
        ("tasks/cancel", task.clone()),
        ("tasks/update", json!({ "taskId": "unknown", "inputResponses": {} })),
        ("server/discover", json!({})),
        ("subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } })),
    ] {
        let answer = wire.ask(method, params).await;
        found.push((method, answer["error"]["code"] != METHOD_NOT_FOUND));
    }
    found
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
