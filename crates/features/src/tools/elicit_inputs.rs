//! `elicitInputs`: asks the user, with a form that has every kind of field.

use rmcp::model::{
    CallToolResult, ElicitationSchema, EnumSchema, PrimitiveSchemaDefinition, ProtocolVersion,
    SingleSelectEnumSchema,
};
use serde_json::json;

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, text};

/// Its order is the order of the fields.
const FORM: &str = include_str!("elicit_inputs.json");

pub(super) const MESSAGE: &str = "Please provide inputs for the following fields:";

pub(super) struct ElicitInputs;

impl Tool for ElicitInputs {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "elicitInputs",
            "Elicit inputs",
            "Elicitation test tool that demonstrates how to request user input with various \
             field types",
        )
        .read_only()
        .icon(Glyph::Form)
        .open_world(true)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let form = form(call.protocol_version().as_ref())?;
        let reply = call.ask_elicitation("inputs", MESSAGE, form).await?;
        Ok(text(format!("Elicitation result: {:#}", json!(reply))))
    }
}

/// The form for a client of `version`. Before 2025-11-25 a field could be a plain list of choices
/// at most, and a client that checks the form would refuse it all for one field it cannot know.
pub(super) fn form(version: Option<&ProtocolVersion>) -> Result<ElicitationSchema, CallError> {
    let mut form: ElicitationSchema = serde_json::from_str(FORM)
        .map_err(|error| CallError::failed(format!("The form cannot be read: {error}")))?;
    if version.is_some_and(|version| *version < ProtocolVersion::V_2025_11_25) {
        form.properties.retain(|_, field| !is_recent(field));
    }
    Ok(form)
}

fn is_recent(field: &PrimitiveSchemaDefinition) -> bool {
    matches!(
        field,
        PrimitiveSchemaDefinition::Enum(
            EnumSchema::Multi(_) | EnumSchema::Single(SingleSelectEnumSchema::Titled(_))
        )
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn fields(version: &ProtocolVersion) -> Vec<String> {
        let sent = serde_json::to_string(&form(Some(version)).unwrap()).unwrap();
        let mut names: Vec<(usize, String)> = json!(form(Some(version)).unwrap())["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(|name| (sent.find(&format!("\"{name}\":{{")).unwrap(), name.clone()))
            .collect();
        names.sort();
        names.into_iter().map(|(_, name)| name).collect()
    }

    const OLD: [&str; 10] = [
        "name",
        "check",
        "color",
        "email",
        "homepage",
        "birthdate",
        "integer",
        "number",
        "petType",
        "untitledSingleSelectEnum",
    ];
    const RECENT: [&str; 3] =
        ["untitledMultipleSelectEnum", "titledSingleSelectEnum", "titledMultipleSelectEnum"];

    #[test]
    fn fields_are_sent_in_their_order() {
        let all = [OLD.as_slice(), &RECENT].concat();
        assert_eq!(fields(&ProtocolVersion::V_2025_11_25), all);
        assert_eq!(fields(&ProtocolVersion::V_2026_07_28), all);
    }

    #[test]
    fn older_clients_get_the_fields_they_know() {
        assert_eq!(fields(&ProtocolVersion::V_2025_06_18), OLD);
    }

    #[test]
    fn nothing_of_the_form_is_lost_on_the_way() {
        let written: Value = serde_json::from_str(FORM).unwrap();
        assert_eq!(json!(form(None).unwrap()), written);
    }
}
