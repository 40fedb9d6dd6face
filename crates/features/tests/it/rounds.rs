//! Asking with results that require input (2026-07-28).

use std::sync::{Arc, Mutex};

use mcp_everything_features::{
    Call, CallError, Definition, Everything, NoInput, Options, Tool, text,
};
use rmcp::model::{CallToolResult, CreateMessageRequestParams, SamplingMessage};
use serde_json::{Value, json};

use crate::support::{Raw, all, called_by, everything, options};

fn accepted(content: Value) -> Value {
    json!({ "action": "accept", "content": content })
}

/// The questions of a result that requires input, and its state.
fn questions(answer: &Value) -> (Vec<&str>, Value) {
    assert_eq!(answer["result"]["resultType"], "input_required", "{answer}");
    let requests = answer["result"]["inputRequests"].as_object().unwrap();
    (requests.keys().map(String::as_str).collect(), answer["result"]["requestState"].clone())
}

fn said(answer: &Value) -> &str {
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    answer["result"]["content"][0]["text"].as_str().unwrap()
}

async fn repeat(client: &mut Raw, tool: &str, responses: Value, state: &Value) -> Value {
    let mut params = json!({ "name": tool, "arguments": {}, "inputResponses": responses });
    if !state.is_null() {
        params["requestState"] = state.clone();
    }
    client.request("tools/call", params).await
}

/// Asks for a name, then for a poem and roots at once, then, depending on the name, once more.
struct Rounds;

impl Tool for Rounds {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new("rounds", "Rounds", "Asks more than once")
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let form = json!({
            "type": "object",
            "properties": { "name": { "type": "string" } },
            "required": ["name"],
        });
        let form = serde_json::from_value(form).unwrap();
        let reply = call.ask_elicitation("name", "Your name?", form).await?;
        let name = reply.content.unwrap_or_default()["name"].as_str().unwrap_or("?").to_owned();
        let messages = vec![SamplingMessage::user_text(format!("A poem about {name}"))];
        let poem = CreateMessageRequestParams::new(messages, 10);
        let (poem, roots) = tokio::join!(call.ask_sampling("poem", poem), call.ask_roots("roots"));
        let (poem, roots) = (poem?, roots?);
        let poem = poem.message.content.iter().find_map(|block| block.as_text()).unwrap();
        Ok(text(format!("{name}: {} {}", poem.text, roots.roots.len())))
    }
}

fn with_rounds(options: Options) -> Everything {
    Everything::new(options.with_tool(Rounds)).unwrap()
}

fn poem() -> Value {
    json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "Ode" } })
}

#[tokio::test]
async fn answers_of_earlier_rounds_are_remembered_by_the_state() {
    // Each round goes to another instance with the same keys.
    let mut clients = [0; 3].map(|_| Raw::stateless(&with_rounds(options()), all()));
    let first = clients[0].call("rounds", json!({})).await;
    let (keys, one) = questions(&first);
    assert_eq!(keys, ["name"]);

    let responses = json!({ "name": accepted(json!({ "name": "Ada" })), "other": 1 });
    let second = repeat(&mut clients[1], "rounds", responses, &one).await;
    let (keys, two) = questions(&second);
    assert_eq!(keys, ["poem", "roots"]);
    let poem_request = &second["result"]["inputRequests"]["poem"];
    assert_eq!(poem_request["method"], "sampling/createMessage");
    assert_eq!(poem_request["params"]["messages"][0]["content"]["text"], "A poem about Ada");
    assert_eq!(second["result"]["inputRequests"]["roots"]["method"], "roots/list");
    assert_ne!(one, two);

    // What is missing is asked again, and what was given need not be given twice.
    let third = repeat(&mut clients[2], "rounds", json!({ "poem": poem() }), &two).await;
    let (keys, three) = questions(&third);
    assert_eq!(keys, ["roots"]);
    let roots = json!({ "roots": { "roots": [{ "uri": "file:///a" }] } });
    let last = repeat(&mut clients[0], "rounds", roots, &three).await;
    assert_eq!(said(&last), "Ada: Ode 1");
}

#[tokio::test]
async fn a_round_without_state_starts_over() {
    let mut client = Raw::stateless(&with_rounds(options()), all());
    let answer = repeat(&mut client, "rounds", json!({ "poem": poem() }), &Value::Null).await;
    assert_eq!(questions(&answer).0, ["name"]);
}

#[tokio::test]
async fn answers_that_cannot_be_used_are_refused_and_named() {
    let name = accepted(json!({ "name": "Ada" }));
    for (responses, named) in [
        (json!({ "name": 12345 }), "name"),
        (json!({ "name": { "action": "perhaps" } }), "name"),
        (json!({ "name": accepted(json!({ "name": 7 })) }), "name"),
        (json!({ "name": accepted(json!({})) }), "name"),
        // The refusal goes before the question for roots that waits at the same time.
        (json!({ "name": name, "poem": { "role": "assistant" } }), "poem"),
        (json!({ "name": name, "roots": [] }), "roots"),
    ] {
        let mut client = Raw::stateless(&with_rounds(options()), all());
        let answer = repeat(&mut client, "rounds", responses.clone(), &Value::Null).await;
        assert_eq!(answer["error"]["code"], -32602, "{responses}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("inputResponses.{named} is not valid: ")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_state_that_was_changed_is_refused() {
    let mut client = Raw::stateless(&with_rounds(options()), all());
    let first = client.call("rounds", json!({})).await;
    let (_, state) = questions(&first);
    let state = state.as_str().unwrap();
    let responses = json!({ "name": accepted(json!({ "name": "Ada" })) });
    let changed = |at: usize| {
        let mut bytes = state.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let middle = state.len() / 2;
    for bad in [format!("{state}-TAMPERED"), changed(middle), state[1..].to_owned(), String::new()]
    {
        let answer = repeat(&mut client, "rounds", responses.clone(), &json!(bad)).await;
        assert_eq!(answer["error"]["code"], -32602, "{bad}");
    }
    // It is not good for another tool or other arguments either.
    let other = json!({ "name": "echo", "arguments": { "message": "x" }, "requestState": state });
    assert_eq!(client.request("tools/call", other).await["error"]["code"], -32602);
    let other = json!({ "name": "rounds", "arguments": { "x": 1 }, "requestState": state });
    assert_eq!(client.request("tools/call", other).await["error"]["code"], -32602);
    let answer = repeat(&mut client, "rounds", responses, &json!(state)).await;
    assert_eq!(questions(&answer).0, ["poem", "roots"]);
}

#[tokio::test]
async fn a_state_works_for_nobody_else() {
    let caller = Arc::new(Mutex::new("ada".to_owned()));
    let origin = {
        let caller = Arc::clone(&caller);
        Arc::new(move |_: &rmcp::model::Extensions| called_by(&caller.lock().unwrap()))
    };
    let options = Options { origin, ..options() };
    let mut client = Raw::stateless(&with_rounds(options), all());
    let first = client.call("rounds", json!({})).await;
    let (_, state) = questions(&first);
    let responses = json!({ "name": accepted(json!({ "name": "Ada" })) });
    "bob".clone_into(&mut caller.lock().unwrap());
    let answer = repeat(&mut client, "rounds", responses.clone(), &state).await;
    assert_eq!(answer["error"]["code"], -32602);
    "ada".clone_into(&mut caller.lock().unwrap());
    let answer = repeat(&mut client, "rounds", responses, &state).await;
    assert_eq!(questions(&answer).0, ["poem", "roots"]);
}

#[tokio::test]
async fn all_capabilities_of_a_round_are_looked_at() {
    let can = json!({ "elicitation": {}, "sampling": {} });
    let mut client = Raw::stateless(&with_rounds(options()), can);
    let responses = json!({ "name": accepted(json!({ "name": "Ada" })) });
    let answer = repeat(&mut client, "rounds", responses, &Value::Null).await;
    assert_eq!(answer["error"]["code"], -32021, "{answer}");
    assert_eq!(answer["error"]["data"], json!({ "requiredCapabilities": { "roots": {} } }));
}

#[tokio::test]
async fn older_revisions_are_asked_the_same_while_the_call_runs() {
    let mut client = Raw::stateful(&with_rounds(options()), "2025-11-25", all()).await;
    let id = client.ask("tools/call", json!({ "name": "rounds" })).await;
    let question = client.asked().await;
    client.reply(&question, accepted(json!({ "name": "Ada" }))).await;
    let mut methods = Vec::new();
    for _ in 0..2 {
        let question = client.asked().await;
        methods.push(question["method"].clone());
        let roots = question["method"] == "roots/list";
        client.reply(&question, if roots { json!({ "roots": [] }) } else { poem() }).await;
    }
    assert_eq!(methods, ["sampling/createMessage", "roots/list"]);
    let answer = client.answer_to(id).await;
    assert_eq!(answer["result"]["content"][0]["text"], "Ada: Ode 0");
}

#[tokio::test]
async fn older_revisions_have_no_rounds() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    let params = json!({
        "name": "echo", "arguments": { "message": "x" },
        "inputResponses": { "a": 1 }, "requestState": "nonsense",
    });
    let answer = client.request("tools/call", params).await;
    assert_eq!(answer["result"]["content"][0]["text"], "Echo: x");
}
