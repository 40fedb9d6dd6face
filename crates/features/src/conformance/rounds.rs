//! Tools whose result asks for input first (SEP-2322). On the older revisions the same questions
//! are sent while they run.

use rmcp::model::{
    CallToolResult, CreateMessageRequestParams, CreateMessageResult, ElicitResult, SamplingMessage,
};
use serde_json::{Value, json};

use super::{Fixture, asking::form};
use crate::{Call, CallError, text};

pub(super) const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "test_input_required_result_elicitation",
        description: "Asks for a name",
        run: |call| Box::pin(elicitation(call)),
    },
    Fixture {
        name: "test_input_required_result_sampling",
        description: "Asks the client's model about a capital",
        run: |call| Box::pin(sampling(call)),
    },
    Fixture {
        name: "test_input_required_result_list_roots",
        description: "Asks for the client's roots",
        run: |call| Box::pin(list_roots(call)),
    },
    Fixture {
        name: "test_input_required_result_request_state",
        description: "Asks for a confirmation, with a state that must come back",
        run: |call| Box::pin(confirm(call)),
    },
    Fixture {
        name: "test_input_required_result_tampered_state",
        description: "Asks for a confirmation, and takes no state but its own",
        run: |call| Box::pin(confirm(call)),
    },
    Fixture {
        name: "test_input_required_result_multiple_inputs",
        description: "Asks for a name, a greeting and roots at once",
        run: |call| Box::pin(multiple_inputs(call)),
    },
    Fixture {
        name: "test_input_required_result_multi_round",
        description: "Asks for a name, then for a color",
        run: |call| Box::pin(multi_round(call)),
    },
    Fixture {
        name: "test_input_required_result_capabilities",
        description: "Asks what the client can be asked, and nothing else",
        run: |call| Box::pin(capabilities(call)),
    },
];

type Outcome = Result<CallToolResult, CallError>;

async fn elicitation(call: &Call<'_>) -> Outcome {
    let reply = ask_name(call, "user_name", "What is your name?").await?;
    Ok(text(format!("Hello, {}!", field(&reply, "name"))))
}

async fn sampling(call: &Call<'_>) -> Outcome {
    let reply = ask_model(call, "capital_question", "What is the capital of France?").await?;
    Ok(text(said(&reply)))
}

async fn list_roots(call: &Call<'_>) -> Outcome {
    let roots = call.ask_roots("client_roots").await?.roots;
    let uris: Vec<&str> = roots.iter().map(|root| root.uri.as_str()).collect();
    Ok(text(format!("{} roots: {}", uris.len(), uris.join(", "))))
}

async fn confirm(call: &Call<'_>) -> Outcome {
    let fields = json!({ "ok": { "type": "boolean" } });
    call.ask_elicitation("confirm", "Please confirm", form(&fields)?).await?;
    // A state that is not intact never gets this far.
    Ok(text("state-ok"))
}

async fn multiple_inputs(call: &Call<'_>) -> Outcome {
    let (name, greeting, roots) = tokio::join!(
        ask_name(call, "user_name", "What is your name?"),
        ask_model(call, "greeting", "Generate a greeting"),
        call.ask_roots("client_roots"),
    );
    let (name, greeting, roots) = (name?, greeting?, roots?.roots.len());
    let name = field(&name, "name");
    Ok(text(format!("{name}: {} ({roots} roots)", said(&greeting))))
}

async fn multi_round(call: &Call<'_>) -> Outcome {
    let name = ask_name(call, "step1", "Step 1: What is your name?").await?;
    let fields = json!({ "color": { "type": "string" } });
    let message = "Step 2: What is your favorite color?";
    let color = call.ask_elicitation("step2", message, form(&fields)?).await?;
    Ok(text(format!("{} likes {}", field(&name, "name"), field(&color, "color"))))
}

/// Takes what the client offers, in the order elicitation, sampling, roots.
async fn capabilities(call: &Call<'_>) -> Outcome {
    let can = call.client_capabilities();
    let mut asked = Vec::new();
    if can.elicitation.is_some() {
        ask_name(call, "user_name", "What is your name?").await?;
        asked.push("elicitation");
    }
    if can.sampling.is_some() {
        ask_model(call, "greeting", "Generate a greeting").await?;
        asked.push("sampling");
    }
    if can.roots.is_some() {
        call.ask_roots("client_roots").await?;
        asked.push("roots");
    }
    Ok(text(format!("The client answered: {}", asked.join(", "))))
}

pub(super) async fn ask_name(
    call: &Call<'_>,
    key: &str,
    message: &str,
) -> Result<ElicitResult, CallError> {
    call.ask_elicitation(key, message, form(&json!({ "name": { "type": "string" } }))?).await
}

async fn ask_model(
    call: &Call<'_>,
    key: &str,
    question: &str,
) -> Result<CreateMessageResult, CallError> {
    let messages = vec![SamplingMessage::user_text(question)];
    call.ask_sampling(key, CreateMessageRequestParams::new(messages, 100)).await
}

/// A field of an answer; an em dash for one that was not given.
pub(super) fn field<'r>(reply: &'r ElicitResult, name: &str) -> &'r str {
    let value = reply.content.as_ref().and_then(|content| content.get(name));
    value.and_then(Value::as_str).unwrap_or("—")
}

fn said(reply: &CreateMessageResult) -> &str {
    let block = reply.message.content.iter().find_map(|block| block.as_text());
    block.map_or("—", |text| &text.text)
}
