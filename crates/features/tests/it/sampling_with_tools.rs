//! A model of the client's that uses tools of the server (SEP-1577), on both wires.

use serde_json::{Value, json};

use crate::support::{Raw, everything};

const TOOL: &str = "sampleLLMWithTools";

fn can() -> Value {
    json!({ "sampling": { "tools": {} } })
}

fn assistant(content: &Value) -> Value {
    json!({ "role": "assistant", "model": "a model", "content": content })
}

fn uses(id: &str, name: &str, input: &Value) -> Value {
    json!({ "type": "tool_use", "id": id, "name": name, "input": input })
}

fn says(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

/// A client whose model gives these answers, one after another.
enum Client {
    Stateful(Box<Raw>),
    Stateless(Box<Raw>),
}

impl Client {
    async fn both() -> [Self; 2] {
        let stateful = Raw::stateful(&everything(), "2025-11-25", can()).await;
        let stateless = Raw::stateless(&everything(), can());
        [Self::Stateful(Box::new(stateful)), Self::Stateless(Box::new(stateless))]
    }

    /// What the model was asked, each time, and the answer to the call.
    async fn call(&mut self, arguments: Value, answers: &[Value]) -> (Vec<Value>, Value) {
        let mut params = json!({ "name": TOOL, "arguments": arguments });
        let mut asked = Vec::new();
        match self {
            Self::Stateful(raw) => {
                let id = raw.ask("tools/call", params).await;
                for answer in answers {
                    let question = raw.asked().await;
                    assert_eq!(question["method"], "sampling/createMessage");
                    raw.reply(&question, answer.clone()).await;
                    asked.push(question["params"].clone());
                }
                (asked, raw.answer_to(id).await)
            }
            Self::Stateless(raw) => {
                let mut answer = raw.request("tools/call", params.clone()).await;
                for reply in answers {
                    let result = &answer["result"];
                    assert_eq!(result["resultType"], "input_required", "{answer}");
                    let questions = result["inputRequests"].as_object().unwrap();
                    assert_eq!(questions.len(), 1, "each round is one question");
                    let (key, question) = questions.iter().next().unwrap();
                    assert_eq!(*key, format!("round{}", asked.len() + 1));
                    asked.push(question["params"].clone());
                    params["requestState"] = result["requestState"].clone();
                    params["inputResponses"] = json!({ key: reply });
                    answer = raw.request("tools/call", params.clone()).await;
                }
                (asked, answer)
            }
        }
    }
}

fn texts(answer: &Value) -> Vec<&str> {
    let content = answer["result"]["content"].as_array();
    let content = content.unwrap_or_else(|| panic!("{answer}"));
    content.iter().map(|block| block["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_model_uses_tools_until_it_has_an_answer() {
    for mut client in Client::both().await {
        let first = json!([
            says("I will add."),
            uses("call_1", "add", &json!({ "a": 2, "b": 3 })),
            uses("call_2", "add", &json!({ "a": "two" })),
            uses("call_3", "whoami", &json!({})),
        ]);
        let second = uses("call_4", "echo", &json!({ "message": "5" }));
        let last = says("It is 5.");
        let answers = [&first, &second, &last].map(assistant);
        let (asked, answer) = client.call(json!({ "prompt": "2 + 3?" }), &answers).await;

        let begun = &asked[0];
        assert_eq!(begun["messages"], json!([{ "role": "user", "content": says("2 + 3?") }]));
        let offered: Vec<_> = begun["tools"].as_array().unwrap().iter().collect();
        assert_eq!(offered.len(), 2);
        for (tool, name) in offered.iter().zip(["add", "echo"]) {
            assert_eq!(tool["name"], name);
            assert_eq!(tool["inputSchema"]["type"], "object");
            assert!(tool["description"].is_string());
        }
        assert_eq!(begun["toolChoice"], json!({ "mode": "auto" }));
        let preferences = json!({
            "hints": [{ "name": "claude" }, { "name": "gpt" }],
            "costPriority": 0.25, "speedPriority": 0.5, "intelligencePriority": 0.75,
        });
        assert_eq!(begun["modelPreferences"], preferences);
        assert_eq!(begun["stopSequences"], json!(["</answer>"]));
        assert_eq!(begun["metadata"], json!({ "tool": TOOL }));
        assert_eq!(begun["maxTokens"], 1000);

        // What the model said is repeated, and each use of a tool has its result, in order.
        let messages = asked[1]["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 3);
        assert_eq!(messages[1], json!({ "role": "assistant", "content": first }));
        assert_eq!(messages[2]["role"], "user");
        let results = messages[2]["content"].as_array().unwrap();
        let ids: Vec<_> =
            results.iter().map(|result| result["toolUseId"].as_str().unwrap()).collect();
        assert_eq!(ids, ["call_1", "call_2", "call_3"]);
        assert!(results.iter().all(|result| result["type"] == "tool_result"), "{results:?}");
        assert_eq!(results[0]["content"][0]["text"], "The sum of 2 and 3 is 5.");
        assert_eq!(results[0]["structuredContent"], json!({ "sum": 5 }));
        assert_eq!(results[0].get("isError"), None);
        for (number, named) in [(1, "number"), (2, "There is no tool whoami")] {
            assert_eq!(results[number]["isError"], true);
            let why = results[number]["content"][0]["text"].as_str().unwrap();
            assert!(why.contains(named), "{why}");
        }
        assert_eq!(asked[2]["messages"].as_array().unwrap().len(), 5);

        let told = texts(&answer);
        assert_eq!(told[0], "LLM sampling result: It is 5.");
        assert!(told[1].contains("a model") && told[1].ends_with("tools used: 4"), "{told:?}");
        assert_eq!(told[2], r#"add {"a":2,"b":3} => The sum of 2 and 3 is 5."#);
        assert_eq!(told.len(), 6);
    }
}

#[tokio::test]
async fn a_model_that_never_ends_is_stopped() {
    for mut client in Client::both().await {
        let again = assistant(&uses("again", "echo", &json!({ "message": "x" })));
        let arguments = json!({ "prompt": "go on", "toolChoice": "required" });
        let (asked, answer) = client.call(arguments, &vec![again; 5]).await;
        let choices: Vec<_> = asked.iter().map(|one| one["toolChoice"]["mode"].clone()).collect();
        assert_eq!(choices, ["required", "auto", "auto", "auto", "none"]);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(texts(&answer)[0].contains("5 times"), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_gone_on_from_is_told() {
    for mut client in Client::both().await {
        let twice = json!([uses("a", "echo", &json!({})), uses("a", "echo", &json!({}))]);
        let (_, answer) = client.call(json!({ "prompt": "x" }), &[assistant(&twice)]).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        assert!(texts(&answer)[0].contains("the same id"), "{answer}");
    }
}

/// Tools are for clients that declare them (Sampling, Tools in Sampling).
#[tokio::test]
async fn a_client_whose_model_has_no_tools_is_not_asked() {
    let arguments = json!({ "prompt": "x" });
    for can in [json!({}), json!({ "sampling": {} })] {
        let mut client = Raw::stateful(&everything(), "2025-11-25", can.clone()).await;
        let answer = client.call(TOOL, arguments.clone()).await;
        assert_eq!(answer["result"]["isError"], true);
        assert!(texts(&answer)[0].contains(r#"{"sampling":{"tools":{}}}"#), "{answer}");
        assert!(client.asides.is_empty(), "{:?}", client.asides);
        let answer = Raw::stateless(&everything(), can).call(TOOL, arguments.clone()).await;
        assert_eq!(answer["error"]["code"], -32021, "{answer}");
        let required = json!({ "requiredCapabilities": { "sampling": { "tools": {} } } });
        assert_eq!(answer["error"]["data"], required);
    }
}

/// 2025-06-18 knows no tools in sampling, whatever its client declares.
#[tokio::test]
async fn an_older_revision_has_no_tools_for_models() {
    let mut client = Raw::stateful(&everything(), "2025-06-18", can()).await;
    let answer = client.call(TOOL, json!({ "prompt": "x" })).await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(texts(&answer)[0].contains("2025-11-25"), "{answer}");
    assert!(client.asides.is_empty(), "{:?}", client.asides);
}
