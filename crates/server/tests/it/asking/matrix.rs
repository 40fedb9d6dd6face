//! Each tool that asks, on each wire, with a client that can be asked, one that cannot, and users who
//! decide otherwise. Every request goes to another instance, where there are several.

use futures::future::join_all;
use serde_json::{Value, json};

use super::asker::{Asker, Decision, WIRES, Wire};
use crate::support::{Deployment, Server, SignIn};

on_every_deployment!(
    each_tool_asks_and_goes_on_with_the_answer,
    each_tool_says_at_once_that_its_client_cannot_be_asked,
    each_tool_ends_when_its_call_is_cancelled,
);

/// A tool that asks.
struct Row {
    tool: &'static str,
    arguments: Value,
    /// What its client must be able to do.
    needs: Value,
    asks: &'static str,
    /// The first of the wires that has it.
    since: Wire,
    accepted: &'static str,
    /// What its result says of a user who declines, and of one who cancels.
    otherwise: [&'static str; 2],
    /// What is said where the capability is missing; `None`: it goes on without asking.
    without: Option<&'static str>,
}

fn rows() -> Vec<Row> {
    let refused = "The client answered sampling/createMessage with error -1: User rejected";
    vec![
        Row {
            tool: "sampleLLM",
            arguments: json!({ "prompt": "The capital of France?" }),
            needs: json!({ "sampling": {} }),
            asks: "sampling/createMessage",
            since: Wire::June,
            accepted: "LLM sampling result: Paris",
            otherwise: [refused; 2],
            without: Some(r#"{"sampling":{}}"#),
        },
        Row {
            tool: "sampleLLMWithTools",
            arguments: json!({ "prompt": "2 + 3?" }),
            needs: json!({ "sampling": { "tools": {} } }),
            asks: "sampling/createMessage",
            since: Wire::November,
            accepted: "a tool says: The sum of 2 and 3 is 5.",
            otherwise: [refused; 2],
            without: Some(r#"{"sampling":{"tools":{}}}"#),
        },
        Row {
            tool: "elicitInputs",
            arguments: json!({}),
            needs: json!({ "elicitation": {} }),
            asks: "elicitation/create",
            since: Wire::June,
            accepted: "\"name\": \"Ada\"",
            otherwise: ["\"action\": \"decline\"", "\"action\": \"cancel\""],
            without: Some(r#"{"elicitation":{}}"#),
        },
        Row {
            tool: "triggerUrlElicitation",
            arguments: json!({}),
            needs: json!({ "elicitation": { "url": {} } }),
            asks: "elicitation/create",
            since: Wire::November,
            accepted: "the user completed the page",
            otherwise: ["the user declined to open", "the user dismissed"],
            without: Some(r#"{"elicitation":{"url":{}}}"#),
        },
        Row {
            tool: "getRootsList",
            arguments: json!({}),
            needs: json!({ "roots": {} }),
            asks: "roots/list",
            since: Wire::June,
            accepted: "file:///home/ada",
            otherwise: ["The client answered roots/list with error -1: User rejected"; 2],
            without: Some(r#"{"roots":{}}"#),
        },
        Row {
            tool: "simulateResearchQuery",
            arguments: json!({ "topic": "python", "ambiguous": true }),
            needs: json!({ "elicitation": {} }),
            asks: "elicitation/create",
            since: Wire::June,
            accepted: "**Interpretation**: programming language",
            otherwise: ["# Research report: python"; 2],
            without: None,
        },
    ]
}

/// What a client can do, without what a tool needs.
fn all_but(needs: &Value) -> Value {
    let mut can = json!({
        "sampling": { "tools": {} }, "elicitation": { "form": {}, "url": {} }, "roots": {},
    });
    for (name, capability) in needs.as_object().unwrap() {
        match capability.as_object().unwrap().keys().next() {
            // The rest of the capability does not stand in for it.
            Some(part) => can[name].as_object_mut().unwrap().remove(part),
            None => can.as_object_mut().unwrap().remove(name),
        };
    }
    can
}

impl Row {
    fn is_known_to(&self, wire: Wire) -> bool {
        self.since == Wire::June || wire != Wire::June
    }

    /// Whether the client of this wire has a way to say no to its question.
    fn can_be_refused(&self, wire: Wire) -> bool {
        wire != Wire::Stateless || self.asks == "elicitation/create"
    }
}

async fn connected(server: &Server, wire: Wire, token: &str, can: &Value) -> Asker {
    Asker::connect(server, wire, "alice", Some(token), can).await
}

fn texts(answer: &Value) -> String {
    let content = answer["result"]["content"].as_array();
    let content = content.unwrap_or_else(|| panic!("{answer}"));
    content.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
}

async fn each_tool_asks_and_goes_on_with_the_answer(on: &Deployment) {
    let server = on.start();
    let token = SignIn::register(&server).await.tokens("alice").await.access;
    let (server, token, rows) = (&server, &*token, rows());
    let each = rows.iter().flat_map(|row| WIRES.map(|wire| (row, wire)));
    let each = each.filter(|(row, wire)| row.is_known_to(*wire));
    let tries = each.map(async |(row, wire)| {
        for decision in [Decision::Accept, Decision::Decline, Decision::Cancel] {
            let case = format!("{} on {wire:?}: {decision:?}", row.tool);
            if decision != Decision::Accept && !row.can_be_refused(wire) {
                continue;
            }
            let mut asker = connected(server, wire, token, &row.needs).await;
            let answer = asker.call(row.tool, &row.arguments, decision).await.unwrap();
            let expected = match decision {
                Decision::Accept => row.accepted,
                Decision::Decline => row.otherwise[0],
                Decision::Cancel | Decision::CancelCall => row.otherwise[1],
            };
            assert!(texts(&answer).contains(expected), "{case}: {answer}");
            let refused = expected.contains("error -1");
            assert_eq!(answer["result"]["isError"] == true, refused, "{case}: {answer}");
            assert!(!asker.asked.is_empty(), "{case}");
            assert!(asker.asked.iter().all(|one| one["method"] == row.asks), "{case}");
            if decision != Decision::Accept {
                assert!(!texts(&answer).contains(row.accepted), "{case}: {answer}");
            }
        }
    });
    join_all(tries).await;
}

async fn each_tool_says_at_once_that_its_client_cannot_be_asked(on: &Deployment) {
    let server = on.start();
    let token = SignIn::register(&server).await.tokens("alice").await.access;
    let (server, token, rows) = (&server, &*token, rows());
    let each = rows.iter().flat_map(|row| WIRES.map(|wire| (row, wire)));
    let tries = each.map(async |(row, wire)| {
        let case = format!("{} on {wire:?}", row.tool);
        let can = if row.is_known_to(wire) { all_but(&row.needs) } else { row.needs.clone() };
        let mut asker = connected(server, wire, token, &can).await;
        let answer = asker.call(row.tool, &row.arguments, Decision::Accept).await.unwrap();
        assert_eq!(asker.asked, [Value::Null; 0], "{case}");
        let Some(missing) = row.without else {
            assert!(texts(&answer).contains(row.otherwise[0]), "{case}: {answer}");
            return;
        };
        if wire == Wire::Stateless {
            assert_eq!(answer["error"]["code"], -32021, "{case}: {answer}");
            let required = answer["error"]["data"]["requiredCapabilities"].to_string();
            assert_eq!(required, missing, "{case}");
            return;
        }
        assert_eq!(answer["result"]["isError"], true, "{case}: {answer}");
        let said = if row.is_known_to(wire) { missing } else { "2025-11-25" };
        assert!(texts(&answer).contains(said), "{case}: {answer}");
    });
    join_all(tries).await;
}

async fn each_tool_ends_when_its_call_is_cancelled(on: &Deployment) {
    let server = on.start();
    let token = SignIn::register(&server).await.tokens("alice").await.access;
    let (server, token, rows) = (&server, &*token, rows());
    let wires = [Wire::November, Wire::HttpSse];
    let each = rows.iter().flat_map(|row| wires.map(|wire| (row, wire)));
    let tries = each.map(async |(row, wire)| {
        let mut asker = connected(server, wire, token, &row.needs).await;
        let answer = asker.call(row.tool, &row.arguments, Decision::CancelCall).await;
        assert_eq!(answer, None, "{} on {wire:?}: the question is taken back", row.tool);
        asker.is_served().await;
    });
    join_all(tries).await;
}
