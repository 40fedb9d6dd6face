//! rmcp's own client.
#![expect(
    deprecated,
    reason = "2026-07-28 deprecates logging (SEP-2577), and subscribing by request"
)]

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use rmcp::{
    ErrorData, RoleClient, Service, ServiceExt as _,
    model::{
        CallToolRequest, CallToolRequestParams, CallToolResponse, ClientConfig, ClientRequest,
        ClientResult, CompleteRequestParams, GetPromptRequestParams, GetTaskParams, Implementation,
        JsonObject, LoggingLevel, ProtocolVersion, ReadResourceRequestParams, ServerNotification,
        ServerRequest, SetLevelRequestParams, SubscribeRequestParams, SubscriptionFilter,
        UnsubscribeRequestParams, UpdateTaskParams,
    },
    service::{
        ClientLifecycleMode, ClientServiceExt as _, NotificationContext, PeerRequestOptions,
        RequestContext, RunningService, ServiceError,
    },
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{Deployed, HTTP, MODERN, STDIO, Wire, is_right, page::Known, plan::Plan};
use crate::it::support::{Piped, SignIn, soon};

on_one_and_three!(rmcp_walks_over_http, rmcp_walks_without_sessions);

async fn rmcp_walks_over_http(deployed: &Deployed) {
    over_http(deployed, "rmcp_walks_over_http", &HTTP).await;
}

async fn rmcp_walks_without_sessions(deployed: &Deployed) {
    over_http(deployed, "rmcp_walks_without_sessions", &MODERN).await;
}

#[tokio::test]
async fn rmcp_walks_over_stdio() {
    let known = Known::of("rmcp_walks_over_stdio");
    let plan = Plan::new(&STDIO, &known, "", "");
    let mut server = Piped::start();
    let walker = Walker::new(&plan, &STDIO);
    let service = soon(walker.clone().serve(server.streams())).await.unwrap();
    walk(service, &walker, &plan).await;
    is_right(walker.lines(), &plan, &known, &STDIO);
}

async fn over_http(deployed: &Deployed, test: &str, wire: &Wire) {
    let server = &deployed.server;
    let known = Known::of(test);
    let token = SignIn::register(server).await.tokens("ada").await.access;
    let plan = Plan::new(wire, &known, &server.url(wire.path), &token);
    let config =
        StreamableHttpClientTransportConfig::with_uri(server.url(wire.path)).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let walker = Walker::new(&plan, wire);
    let mode = match wire.era {
        "modern" => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
        _ => ClientLifecycleMode::Initialize,
    };
    let service = soon(walker.clone().serve_with_lifecycle(transport, mode)).await.unwrap();
    walk(service, &walker, &plan).await;
    is_right(walker.lines(), &plan, &known, wire);
}

/// It answers every question from the table, and keeps what was done and heard.
#[derive(Clone)]
struct Walker {
    table: Arc<Value>,
    modern: bool,
    said: Arc<Mutex<Vec<Value>>>,
    heard: Arc<Notify>,
    /// Of the call that runs.
    progress: Arc<AtomicU64>,
}

impl Walker {
    fn new(plan: &Plan, wire: &Wire) -> Self {
        Self {
            table: Arc::new(plan.table.clone()),
            modern: wire.era == "modern",
            said: Arc::default(),
            heard: Arc::default(),
            progress: Arc::default(),
        }
    }

    fn say(&self, line: Value) {
        self.said.lock().unwrap().push(line);
        self.heard.notify_waiters();
    }

    fn lines(&self) -> Vec<Value> {
        self.said.lock().unwrap().clone()
    }

    /// Says what came of something.
    fn came<T: Serialize>(&self, mut line: Value, result: Result<T, ServiceError>) {
        match result {
            Ok(result) => line["result"] = json!(result),
            Err(error) => line["error"] = json!(error.to_string()),
        }
        line["result"]["progress"] = json!(self.progress.swap(0, Ordering::SeqCst));
        self.say(line);
    }

    async fn hears(&self, method: &str) {
        let heard = async {
            loop {
                let next = self.heard.notified();
                if self.lines().iter().any(|line| line["method"] == method) {
                    return;
                }
                next.await;
            }
        };
        tokio::time::timeout(super::LONGEST, heard).await.expect("it comes");
    }

    fn answer(&self, request: &Value) -> Value {
        let answers = &self.table["answers"];
        let params = &request["params"];
        match request["method"].as_str() {
            Some("sampling/createMessage") => self.sampled(params),
            // A page is for a user with a browser, and here is none.
            Some("elicitation/create") if params["mode"] == "url" => json!({ "action": "decline" }),
            Some("elicitation/create") => {
                let asked = params["requestedSchema"]["properties"].as_object();
                let known = asked
                    .into_iter()
                    .flat_map(JsonObject::keys)
                    .filter_map(|name| Some((name.clone(), answers["form"].get(name)?.clone())));
                json!({ "action": "accept", "content": known.collect::<JsonObject>() })
            }
            Some("roots/list") => json!({ "roots": [answers["root"]] }),
            other => panic!("nobody answers {other:?}"),
        }
    }

    /// Where there are tools, the model uses one and then answers.
    fn sampled(&self, params: &Value) -> Value {
        let answers = &self.table["answers"];
        let last = params["messages"].as_array().unwrap().last().unwrap().to_string();
        let content = if params["tools"].is_array() && !last.contains("tool_result") {
            let mut wanted = answers["use"].clone();
            wanted["type"] = json!("tool_use");
            wanted["id"] = json!("use-1");
            wanted
        } else {
            json!({ "type": "text", "text": answers["sampling"] })
        };
        json!({ "role": "assistant", "model": "m", "content": content })
    }
}

impl Service<RoleClient> for Walker {
    async fn handle_request(
        &self,
        request: ServerRequest,
        _: RequestContext<RoleClient>,
    ) -> Result<ClientResult, ErrorData> {
        let request = json!(request);
        self.say(json!({
            "did": "asked", "method": request["method"], "params": request["params"]
        }));
        Ok(serde_json::from_value(self.answer(&request)).unwrap())
    }

    async fn handle_notification(
        &self,
        notification: ServerNotification,
        _: NotificationContext<RoleClient>,
    ) -> Result<(), ErrorData> {
        let heard = json!(notification);
        if heard["method"] == "notifications/progress" {
            self.progress.fetch_add(1, Ordering::SeqCst);
            self.heard.notify_waiters();
        } else {
            self.say(json!({
                "did": "heard", "method": heard["method"], "params": heard["params"]
            }));
        }
        Ok(())
    }

    fn get_info(&self) -> ClientConfig {
        let mut capabilities = json!({
            "sampling": { "tools": {} }, "elicitation": { "form": {}, "url": {} },
            "roots": { "listChanged": true }
        });
        if self.modern {
            capabilities["extensions"] = json!({ "io.modelcontextprotocol/tasks": {} });
        }
        let capabilities = serde_json::from_value(capabilities).unwrap();
        ClientConfig::new(capabilities, Implementation::new("rmcp", "3"))
    }
}

type Client = RunningService<RoleClient, Walker>;

async fn walk(client: Client, walker: &Walker, plan: &Plan) {
    let uri = plan.table["subscribe"].as_str().unwrap();
    let mut listening = None;
    if walker.modern {
        let filter = SubscriptionFilter::builder()
            .tools_list_changed()
            .prompts_list_changed()
            .resources_list_changed()
            .resource_subscriptions([uri])
            .build();
        let mut subscription = client.peer().listen(filter).await.unwrap();
        listening = Some(tokio::spawn({
            let walker = walker.clone();
            async move {
                while let Ok(Some(told)) = subscription.next().await {
                    walker.say(json!({ "did": "heard", "method": json!(told)["method"] }));
                }
            }
        }));
    } else {
        client.subscribe(SubscribeRequestParams::new(uri)).await.unwrap();
        client.set_level(SetLevelRequestParams::new(LoggingLevel::Debug)).await.unwrap();
    }
    tools(&client, walker).await;
    prompts(&client, walker).await;
    resources(&client, walker).await;
    cancel(&client, walker).await;
    for (feature, methods) in [
        ("log messages", vec!["notifications/message"]),
        ("updates", vec!["notifications/resources/updated"]),
        ("list changes", plan.changes()),
    ] {
        for method in methods.into_iter().filter(|_| plan.can(feature)) {
            walker.hears(method).await;
        }
    }
    if let Some(listening) = listening {
        listening.abort();
    } else {
        client.unsubscribe(UnsubscribeRequestParams::new(uri)).await.unwrap();
        client.notify_roots_list_changed().await.unwrap();
    }
    client.cancel().await.unwrap();
}

fn arguments(known: &Value) -> JsonObject {
    known["arguments"].as_object().cloned().unwrap_or_default()
}

async fn tools(client: &Client, walker: &Walker) {
    let mut called = Vec::new();
    loop {
        let tools = client.list_all_tools().await.unwrap();
        let names: Vec<_> = tools.into_iter().map(|tool| tool.name.into_owned()).collect();
        walker.say(json!({ "did": "listed", "what": "tools", "names": names }));
        let fresh: Vec<_> = names.into_iter().filter(|name| !called.contains(name)).collect();
        if fresh.is_empty() {
            return;
        }
        for name in fresh {
            let known = &walker.table["tools"][&name];
            let params = CallToolRequestParams::new(name.clone()).with_arguments(arguments(known));
            let line = json!({ "did": "called", "name": name });
            let result = match client.peer().call_tool_once(params.clone()).await {
                Ok(CallToolResponse::Complete(result)) => Ok(json!(result)),
                Ok(CallToolResponse::Task(task)) => {
                    Ok(followed(client, walker, &json!(task)).await)
                }
                Ok(_) => client.call_tool(params).await.map(|result| json!(result)),
                Err(error) => Err(error),
            };
            walker.came(line, result);
            called.push(name);
        }
    }
}

/// The result of a call that has become a task.
async fn followed(client: &Client, walker: &Walker, begun: &Value) -> Value {
    let name = begun["taskId"].as_str().unwrap();
    walker.say(json!({ "did": "task", "task": begun }));
    let end = async {
        loop {
            let task = client.peer().get_task(GetTaskParams::new(name)).await.unwrap();
            let task = json!(task);
            match task["status"].as_str().unwrap() {
                "completed" => return task["result"].clone(),
                "input_required" => {
                    let mut answers = JsonObject::new();
                    for (key, request) in task["inputRequests"].as_object().unwrap() {
                        walker.say(json!({
                            "did": "asked", "method": request["method"],
                            "params": request["params"]
                        }));
                        answers.insert(key.clone(), walker.answer(request));
                    }
                    let answers = serde_json::from_value(json!(answers)).unwrap();
                    let update = UpdateTaskParams::new(name, answers);
                    client.peer().update_task(update).await.unwrap();
                }
                "working" => {}
                other => panic!("the task is {other}: {task}"),
            }
            let every = task["pollIntervalMs"].as_u64().unwrap_or(500);
            tokio::time::sleep(std::time::Duration::from_millis(every)).await;
        }
    };
    soon(end).await
}

async fn prompts(client: &Client, walker: &Walker) {
    let prompts = client.list_all_prompts().await.unwrap();
    let names: Vec<_> = prompts.into_iter().map(|prompt| prompt.name).collect();
    walker.say(json!({ "did": "listed", "what": "prompts", "names": names }));
    for name in names {
        let known = &walker.table["prompts"][&name];
        let params = GetPromptRequestParams::new(name.clone()).with_arguments(arguments(known));
        walker.came(json!({ "did": "got", "name": name }), client.get_prompt(params).await);
        complete(client, walker, &json!({ "type": "ref/prompt", "name": name }), known).await;
    }
}

async fn resources(client: &Client, walker: &Walker) {
    let read = async |uri: &str| {
        let result = client.read_resource(ReadResourceRequestParams::new(uri)).await;
        walker.came(json!({ "did": "read", "uri": uri }), result);
    };
    let resources = client.list_all_resources().await.unwrap();
    let uris: Vec<_> = resources.into_iter().map(|resource| resource.uri.clone()).collect();
    walker.say(json!({ "did": "listed", "what": "resources", "names": uris }));
    for uri in uris {
        read(&uri).await;
    }
    let templates = client.list_all_resource_templates().await.unwrap();
    let uris: Vec<_> =
        templates.into_iter().map(|template| template.uri_template.clone()).collect();
    walker.say(json!({ "did": "listed", "what": "resourceTemplates", "names": uris }));
    for uri in uris {
        let known = &walker.table["templates"][&uri];
        if let Some(uri) = known["uri"].as_str() {
            read(uri).await;
        }
        complete(client, walker, &json!({ "type": "ref/resource", "uri": uri }), known).await;
    }
}

async fn complete(client: &Client, walker: &Walker, of: &Value, known: &Value) {
    for (name, each) in known["complete"].as_object().into_iter().flatten() {
        let argument = json!({ "name": name, "value": each["value"] });
        let mut params = json!({ "ref": of, "argument": argument });
        if each["context"].is_object() {
            params["context"] = json!({ "arguments": each["context"] });
        }
        let params: CompleteRequestParams = serde_json::from_value(params).unwrap();
        let line = json!({ "did": "completed", "ref": of, "argument": argument });
        walker.came(line, client.complete(params).await);
    }
}

/// Leaves a call at its first progress.
async fn cancel(client: &Client, walker: &Walker) {
    walker.progress.store(0, Ordering::SeqCst);
    let known = json!({ "arguments": { "duration": 600, "steps": 1000 } });
    let params =
        CallToolRequestParams::new("longRunningOperation").with_arguments(arguments(&known));
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let options = PeerRequestOptions::no_options();
    let running = client.peer().send_cancellable_request(request, options).await.unwrap();
    let begun = async {
        while walker.progress.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    soon(begun).await;
    running.cancel(Some("enough".to_owned())).await.unwrap();
    walker.say(json!({ "did": "cancelled" }));
}
