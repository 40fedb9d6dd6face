//! Tools that run as tasks (SEP-2663).

use std::time::Duration;

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Fixture,
    asking::form,
    fixture,
    rounds::{ask_name, field},
};
use crate::{Call, CallError, Definition, NoInput, TaskSupport, Tool, registry::Candidate, text};

pub(super) fn all() -> impl IntoIterator<Item = Candidate> {
    [
        Candidate::new(Greet),
        Candidate::new(SlowCompute),
        Candidate::new(AsTask(FAILING, TaskSupport::Required)),
        Candidate::new(AsTask(PROTOCOL_ERROR, TaskSupport::Optional)),
        Candidate::new(ConfirmDelete),
        Candidate::new(AsTask(MULTI_INPUT, TaskSupport::Optional)),
        Candidate::new(AskFirst),
    ]
}

const FAILING: Fixture = Fixture {
    name: "failing_job",
    description: "Fails, with a result that says so",
    run: |_| Box::pin(async { Err(CallError::failed("the job failed")) }),
};
const PROTOCOL_ERROR: Fixture = Fixture {
    name: "protocol_error_job",
    description: "Ends with a JSON-RPC error",
    run: |_| {
        Box::pin(async { Err(rmcp::ErrorData::internal_error("the job broke down", None).into()) })
    },
};
const MULTI_INPUT: Fixture = Fixture {
    name: "multi_input",
    description: "Asks for a name and a city at once",
    run: |call| Box::pin(multi_input(call)),
};

async fn multi_input(call: &Call<'_>) -> Result<CallToolResult, CallError> {
    let (name, city) = tokio::join!(
        ask_name(call, "name", "What is your name?"),
        ask_name(call, "city", "Where do you live?"),
    );
    let (name, city) = (name?, city?);
    Ok(text(format!("{} of {}", field(&name, "name"), field(&city, "name"))))
}

/// A fixture that runs as a task.
struct AsTask(Fixture, TaskSupport);

impl Tool for AsTask {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        self.0.definition().task(self.1)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        (self.0.run)(call).await
    }
}

struct Greet;

#[derive(Deserialize, JsonSchema)]
struct Greeted {
    name: String,
}

impl Tool for Greet {
    type Input = Greeted;

    fn definition(&self) -> Definition {
        fixture("greet", "Greets at once, never as a task")
    }

    async fn call(&self, input: Greeted, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        Ok(text(format!("Hello, {}!", input.name)))
    }
}

struct SlowCompute;

#[derive(Deserialize, JsonSchema)]
struct Computed {
    #[serde(default)]
    #[schemars(range(min = 0, max = 60))]
    seconds: f64,
    #[serde(default)]
    label: String,
}

impl Tool for SlowCompute {
    type Input = Computed;

    fn definition(&self) -> Definition {
        fixture("slow_compute", "Takes a while").task(TaskSupport::Optional)
    }

    async fn call(&self, input: Computed, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        tokio::select! {
            () = call.cancelled() => return Err(CallError::Cancelled),
            () = tokio::time::sleep(Duration::from_secs_f64(input.seconds)) => {}
        }
        Ok(text(format!("computed {}", input.label)))
    }
}

struct ConfirmDelete;

#[derive(Deserialize, JsonSchema)]
struct Deleted {
    filename: String,
}

impl Tool for ConfirmDelete {
    type Input = Deleted;

    fn definition(&self) -> Definition {
        fixture("confirm_delete", "Asks whether to delete a file").task(TaskSupport::Optional)
    }

    async fn call(&self, input: Deleted, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let fields = json!({ "confirm": { "type": "boolean" } });
        let message = format!("Delete {}?", input.filename);
        let reply = call.ask_elicitation("confirm", &message, form(&fields)?).await?;
        let content = reply.content.unwrap_or_default();
        let done = if content["confirm"] == true { "deleted" } else { "kept" };
        Ok(text(format!("{} was {done}", input.filename)))
    }
}

struct AskFirst;

const WHO: &str = "user_name";

impl Tool for AskFirst {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        fixture("test_tool_with_task", "Asks for a name before it becomes a task")
            .task(TaskSupport::Optional)
    }

    async fn before_task(&self, _: &NoInput, call: &Call<'_>) -> Result<(), CallError> {
        ask_name(call, WHO, "What is your name?").await.map(|_| ())
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let reply = ask_name(call, WHO, "What is your name?").await?;
        Ok(text(format!("Hello, {}!", field(&reply, "name"))))
    }
}
