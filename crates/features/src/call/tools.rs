//! Tools of the server, for a model that the server asks.

use rmcp::model::{CallToolResult, JsonObject, Tool};
use serde_json::Value;

use super::Call;
use crate::error::CallError;

impl Call<'_> {
    /// The tools of these names as a model is offered them: what it needs to use them, and nothing
    /// for people or programs.
    pub(crate) fn tools_for_model(&self, names: &[&str]) -> Vec<Tool> {
        let tools = names.iter().filter_map(|name| self.shared.tools.definition(name));
        tools
            .map(|tool| {
                let description = tool.description.clone().unwrap_or_default();
                Tool::new(tool.name.clone(), description, tool.input_schema.clone())
            })
            .collect()
    }

    /// Runs a tool as a model wants it, within this call.
    pub(crate) async fn run_tool(
        &self,
        name: &str,
        arguments: JsonObject,
    ) -> Result<CallToolResult, CallError> {
        self.shared.tools.call(name, &Value::Object(arguments), self).await
    }
}
