//! A client of any wire that answers what it is asked.

use reqwest::Method;
use serde_json::{Value, json};

use super::page;
use crate::support::{Answer, Mcp, Server, Sse, Stream, call, soon};

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Streamable HTTP with a session of 2025-06-18.
    June,
    /// Of 2025-11-25.
    November,
    /// HTTP with SSE, and 2025-11-25.
    HttpSse,
    /// 2026-07-28.
    Stateless,
}

pub(crate) const WIRES: [Wire; 4] = [Wire::June, Wire::November, Wire::HttpSse, Wire::Stateless];

/// What the user or the client makes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Accept,
    Decline,
    Cancel,
    /// The client cancels the call that asks.
    CancelCall,
}

pub(crate) struct Asker {
    user: String,
    connection: Connection,
    /// What it was asked, in order.
    pub(crate) asked: Vec<Value>,
    /// Everything the server sent it, in order.
    pub(crate) heard: Vec<Value>,
}

enum Connection {
    Streamable(Mcp),
    Sse(Box<Sse>),
    Stateless(Mcp, Value),
}

pub(crate) fn initialize(version: &str, can: &Value) -> Value {
    json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": version, "capabilities": can,
            "clientInfo": { "name": "asker", "version": "1" },
        }
    })
}

/// A request of 2026-07-28.
pub(crate) async fn stateless(mcp: &Mcp, can: &Value, method: &str, mut params: Value) -> Answer {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": can,
    });
    let name = params["name"].as_str().unwrap().to_owned();
    let request = mcp
        .request(Method::POST)
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method)
        .header("mcp-name", name)
        .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }));
    Answer::of(soon(request.send()).await.unwrap()).await
}

impl Asker {
    /// A client that can do this, with a token of `user`'s, if there is one.
    pub(crate) async fn connect(
        server: &Server,
        wire: Wire,
        user: &str,
        token: Option<&str>,
        can: &Value,
    ) -> Self {
        let connection = match wire {
            Wire::June => Connection::streamable(server, token, "2025-06-18", can).await,
            Wire::November => Connection::streamable(server, token, "2025-11-25", can).await,
            Wire::HttpSse => {
                let mut sse = Sse::open(server, token).await;
                sse.accepted(&initialize("2025-11-25", can)).await;
                assert_eq!(sse.stream.next().await.unwrap()["id"], 0);
                Connection::Sse(Box::new(sse))
            }
            Wire::Stateless => {
                let mut mcp = Mcp::new(server);
                mcp.token = token.map(str::to_owned);
                Connection::Stateless(mcp, can.clone())
            }
        };
        Self { user: user.to_owned(), connection, asked: Vec::new(), heard: Vec::new() }
    }

    /// Calls a tool, and answers what it is asked. The answer to the call; nothing if it is
    /// cancelled.
    pub(crate) async fn call(
        &mut self,
        tool: &str,
        arguments: &Value,
        decision: Decision,
    ) -> Option<Value> {
        let request = call(1, tool, arguments);
        let mut stream = match &mut self.connection {
            Connection::Stateless(mcp, can) => {
                let (mcp, can) = (mcp.clone(), can.clone());
                return Some(self.call_stateless(&mcp, &can, tool, arguments, decision).await);
            }
            Connection::Streamable(mcp) => {
                let response = mcp.send(&request).await;
                if response.headers()["content-type"] == "application/json" {
                    return Some(soon(response.json()).await.unwrap());
                }
                Some(Stream::of(response))
            }
            Connection::Sse(sse) => {
                sse.accepted(&request).await;
                None
            }
        };
        loop {
            let message = match (&mut self.connection, &mut stream) {
                (Connection::Sse(sse), _) => sse.stream.next().await,
                (_, Some(stream)) => stream.next().await,
                (_, None) => unreachable!("only HTTP with SSE has a stream of its own"),
            };
            let message = message.unwrap_or_else(|| panic!("{tool}: no answer: {:?}", self.heard));
            self.heard.push(message.clone());
            if message.get("method").is_none() && message["id"] == 1 {
                return Some(message);
            }
            if message["method"] == "notifications/cancelled" && decision == Decision::CancelCall {
                let question = self.asked.last().expect("it was asked");
                assert_eq!(message["params"]["requestId"], question["id"], "{tool}");
                return None;
            }
            if message.get("method").is_none() || message.get("id").is_none() {
                continue;
            }
            self.asked.push(message.clone());
            let reply = if decision == Decision::CancelCall {
                json!({ "method": "notifications/cancelled", "params": { "requestId": 1 } })
            } else {
                match reply(&message, &self.user, decision).await {
                    Ok(result) => json!({ "id": message["id"], "result": result }),
                    Err(error) => json!({ "id": message["id"], "error": error }),
                }
            };
            self.post(reply).await;
        }
    }

    /// Asks again and again with the answers, as long as the result wants input.
    async fn call_stateless(
        &mut self,
        mcp: &Mcp,
        can: &Value,
        tool: &str,
        arguments: &Value,
        decision: Decision,
    ) -> Value {
        let mut params = json!({ "name": tool, "arguments": arguments });
        for _ in 0..10 {
            let answer = stateless(mcp, can, "tools/call", params.clone()).await.body;
            self.heard.push(answer.clone());
            let result = &answer["result"];
            if result["resultType"] != "input_required" {
                return answer;
            }
            params["requestState"] = result["requestState"].clone();
            params["inputResponses"] = json!({});
            for (key, question) in result["inputRequests"].as_object().unwrap() {
                self.asked.push(question.clone());
                // Its client has no other way to say no to these.
                let reply = reply(question, &self.user, decision).await.unwrap();
                params["inputResponses"][key] = reply;
            }
        }
        panic!("{tool} asks without end");
    }

    async fn post(&self, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        match &self.connection {
            Connection::Streamable(mcp) => assert_eq!(mcp.post(&message).await.status, 202),
            Connection::Sse(sse) => sse.accepted(&message).await,
            Connection::Stateless(..) => unreachable!("it is asked by results"),
        }
    }

    /// That the session goes on.
    pub(crate) async fn is_served(&mut self) {
        let arguments = json!({ "message": "hi" });
        let answer = self.call("echo", &arguments, Decision::Accept).await.unwrap();
        assert_eq!(answer["result"]["content"][0]["text"], "Echo: hi", "{answer}");
    }

    /// The session's client, to open its standalone stream with.
    pub(crate) fn mcp(&self) -> &Mcp {
        match &self.connection {
            Connection::Streamable(mcp) | Connection::Stateless(mcp, _) => mcp,
            Connection::Sse(_) => panic!("its stream is open"),
        }
    }
}

impl Connection {
    async fn streamable(server: &Server, token: Option<&str>, version: &str, can: &Value) -> Self {
        let mut mcp = Mcp::new(server);
        mcp.token = token.map(str::to_owned);
        let answer = mcp.post(&initialize(version, can)).await;
        assert_eq!(answer.body["result"]["protocolVersion"], version, "{answer:?}");
        mcp.session = Some(answer.headers["mcp-session-id"].to_str().unwrap().to_owned());
        Self::Streamable(mcp)
    }
}

/// What a client answers: a result, or an error.
async fn reply(question: &Value, user: &str, decision: Decision) -> Result<Value, Value> {
    let params = &question["params"];
    let accepted = decision == Decision::Accept;
    match question["method"].as_str().unwrap() {
        "elicitation/create" => {
            let action = match decision {
                Decision::Accept => "accept",
                Decision::Decline => "decline",
                Decision::Cancel | Decision::CancelCall => "cancel",
            };
            let mut answer = json!({ "action": action });
            if accepted && params["mode"] == "url" {
                page::answer(params["url"].as_str().unwrap(), user).await;
            } else if accepted {
                answer["content"] = filled_in(&params["requestedSchema"]);
            }
            Ok(answer)
        }
        _ if !accepted => Err(json!({ "code": -1, "message": "User rejected the request" })),
        "sampling/createMessage" => Ok(said(params)),
        "roots/list" => Ok(json!({ "roots": [{ "uri": "file:///home/ada", "name": "home" }] })),
        other => panic!("{other} is no question"),
    }
}

/// The fields of a form that must be there.
fn filled_in(form: &Value) -> Value {
    let mut content = json!({});
    for name in form["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap())
    {
        let field = &form["properties"][name];
        content[name] = field["enum"].get(0).cloned().unwrap_or_else(|| json!("Ada"));
    }
    content
}

/// What a model says. With tools it adds first.
fn said(params: &Value) -> Value {
    let last = params["messages"].as_array().unwrap().last().unwrap();
    let result = last["content"].get(0).or(Some(&last["content"]));
    let used = result.and_then(|content| content["content"][0]["text"].as_str());
    let content = match used {
        Some(text) => json!({ "type": "text", "text": format!("a tool says: {text}") }),
        None if params.get("tools").is_some() => {
            json!([{ "type": "tool_use", "id": "one", "name": "add", "input": { "a": 2, "b": 3 } }])
        }
        None => json!({ "type": "text", "text": "Paris" }),
    };
    json!({ "role": "assistant", "model": "a model", "content": content })
}
