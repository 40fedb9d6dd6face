//! The kinds of question a server may put to a client.

use std::time::Duration;

use rmcp::model::{
    ClientCapabilities, CreateMessageRequest, CreateMessageRequestParams, CreateMessageResult,
    CustomRequest, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, ElicitationSchema, InputRequest, ListRootsRequest, ListRootsResult,
    ProtocolVersion, RootsCapabilities, SamplingCapability, ServerRequest,
    UrlElicitationCapability,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{pages::Page, schema};

/// A question to the client, and what an answer to it is.
pub(super) trait Question: Send + Sync {
    /// What the client answers.
    type Reply: DeserializeOwned + Send;
    /// The method that carries it.
    const METHOD: &'static str;
    /// How long a client of a stateful revision has to answer.
    const TIMEOUT: Duration;

    /// The capability a client needs to be asked this.
    fn required(&self) -> ClientCapabilities;

    /// Whether the client has it.
    fn declared(&self, client: &ClientCapabilities) -> bool;

    /// The revision that brought it, where that is not the first that a client may speak.
    fn since(&self) -> Option<ProtocolVersion> {
        None
    }

    /// The question within an `InputRequiredResult`.
    fn input_request(&self) -> InputRequest;

    /// The question as a request of its own.
    fn server_request(&self) -> ServerRequest;

    /// What is wrong with an answer of the right type.
    fn fault(&self, _reply: &Self::Reply) -> Option<String> {
        None
    }
}

/// Asks the client's model.
pub(super) struct Sampling(pub(super) CreateMessageRequestParams);

impl Question for Sampling {
    type Reply = CreateMessageResult;
    const METHOD: &'static str = "sampling/createMessage";
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn required(&self) -> ClientCapabilities {
        let mut sampling = SamplingCapability::default();
        sampling.tools = self.needs_tools().then(Default::default);
        let mut required = ClientCapabilities::default();
        required.sampling = Some(sampling);
        required
    }

    fn declared(&self, client: &ClientCapabilities) -> bool {
        client
            .sampling
            .as_ref()
            .is_some_and(|sampling| !self.needs_tools() || sampling.tools.is_some())
    }

    fn since(&self) -> Option<ProtocolVersion> {
        self.needs_tools().then_some(ProtocolVersion::V_2025_11_25)
    }

    fn input_request(&self) -> InputRequest {
        InputRequest::CreateMessage(CreateMessageRequest::new(self.0.clone()))
    }

    fn server_request(&self) -> ServerRequest {
        // rmcp keeps numbers such as the temperature as f32 and would widen 0.7 to
        // 0.699999988079071 on the way. The request is sent in its own words instead.
        let mut params = json!(self.0);
        shorten_floats(&mut params);
        CustomRequest::new(Self::METHOD, Some(params)).into()
    }
}

impl Sampling {
    fn needs_tools(&self) -> bool {
        self.0.tools.is_some() || self.0.tool_choice.is_some()
    }
}

/// Asks the user, with a form.
pub(super) struct Elicitation {
    pub(super) params: ElicitRequestParams,
    pub(super) schema: Value,
}

impl Elicitation {
    /// A form.
    pub(super) fn form(message: &str, schema: ElicitationSchema) -> Self {
        let plain = json!(schema);
        let params = ElicitRequestParams::FormElicitationParams {
            meta: None,
            message: message.to_owned(),
            requested_schema: schema,
        };
        Self { params, schema: plain }
    }
}

impl Question for Elicitation {
    type Reply = ElicitResult;
    const METHOD: &'static str = "elicitation/create";
    const TIMEOUT: Duration = Duration::from_secs(600);

    fn required(&self) -> ClientCapabilities {
        let mut required = ClientCapabilities::default();
        required.elicitation = Some(ElicitationCapability::default());
        required
    }

    /// A client that names no mode has forms (2025-11-25, Elicitation, Capabilities).
    fn declared(&self, client: &ClientCapabilities) -> bool {
        client.elicitation.as_ref().is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
    }

    fn input_request(&self) -> InputRequest {
        InputRequest::Elicitation(ElicitRequest::new(self.params.clone()))
    }

    fn server_request(&self) -> ServerRequest {
        ElicitRequest::new(self.params.clone()).into()
    }

    fn fault(&self, reply: &ElicitResult) -> Option<String> {
        if reply.action != ElicitationAction::Accept {
            return None;
        }
        let content = reply.content.clone().unwrap_or_else(|| json!({}));
        match schema::validator(&self.schema) {
            Ok(validator) => schema::faults(&validator, &content),
            // A form that is no schema is the fault of the tool, not of the answer.
            Err(_) => None,
        }
    }
}

/// Asks the user on a page of the server.
pub(super) struct UrlElicitation {
    pub(super) message: String,
    /// Made only for a client that can be asked.
    pub(super) page: Page,
}

impl UrlElicitation {
    pub(super) fn about(message: &str) -> Self {
        Self { message: message.to_owned(), page: Page::default() }
    }

    pub(super) fn params(&self) -> ElicitRequestParams {
        ElicitRequestParams::UrlElicitationParams {
            meta: None,
            message: self.message.clone(),
            url: self.page.url.clone(),
            elicitation_id: self.page.id.clone(),
        }
    }
}

impl Question for UrlElicitation {
    type Reply = ElicitResult;
    const METHOD: &'static str = "elicitation/create";
    const TIMEOUT: Duration = Duration::from_secs(600);

    fn required(&self) -> ClientCapabilities {
        let mut elicitation = ElicitationCapability::default();
        elicitation.url = Some(UrlElicitationCapability::default());
        let mut required = ClientCapabilities::default();
        required.elicitation = Some(elicitation);
        required
    }

    fn declared(&self, client: &ClientCapabilities) -> bool {
        client.elicitation.as_ref().is_some_and(|modes| modes.url.is_some())
    }

    fn since(&self) -> Option<ProtocolVersion> {
        Some(ProtocolVersion::V_2025_11_25)
    }

    fn input_request(&self) -> InputRequest {
        InputRequest::Elicitation(ElicitRequest::new(self.params()))
    }

    fn server_request(&self) -> ServerRequest {
        ElicitRequest::new(self.params()).into()
    }
}

/// Asks the client for the folders it works in.
pub(super) struct Roots;

impl Question for Roots {
    type Reply = ListRootsResult;
    const METHOD: &'static str = "roots/list";
    const TIMEOUT: Duration = Duration::from_secs(60);

    fn required(&self) -> ClientCapabilities {
        let mut required = ClientCapabilities::default();
        required.roots = Some(RootsCapabilities::default());
        required
    }

    fn declared(&self, client: &ClientCapabilities) -> bool {
        client.roots.is_some()
    }

    fn input_request(&self) -> InputRequest {
        InputRequest::ListRoots(ListRootsRequest::default())
    }

    fn server_request(&self) -> ServerRequest {
        ListRootsRequest::default().into()
    }
}

/// Writes each number that came from an f32 with the digits the f32 was written with.
pub(crate) fn shorten_floats(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let wide = number.as_f64().unwrap_or_default();
            #[expect(clippy::cast_possible_truncation, reason = "checked by widening it again")]
            let narrow = wide as f32;
            if f64::from(narrow).to_bits() == wide.to_bits()
                && let Ok(short) = narrow.to_string().parse::<f64>()
            {
                *value = json!(short);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(shorten_floats),
        Value::Object(members) => members.values_mut().for_each(shorten_floats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(capabilities: Value) -> ClientCapabilities {
        serde_json::from_value(capabilities).unwrap()
    }

    #[test]
    fn a_client_that_names_no_mode_has_forms() {
        let form = Elicitation {
            params: serde_json::from_value(json!({
                "mode": "form", "message": "?",
                "requestedSchema": { "type": "object", "properties": {} },
            }))
            .unwrap(),
            schema: json!({}),
        };
        assert!(form.declared(&client(json!({ "elicitation": {} }))));
        assert!(form.declared(&client(json!({ "elicitation": { "form": {} } }))));
        assert!(form.declared(&client(json!({ "elicitation": { "form": {}, "url": {} } }))));
        assert!(!form.declared(&client(json!({ "elicitation": { "url": {} } }))));
        assert!(!form.declared(&client(json!({ "sampling": {} }))));
    }

    #[test]
    fn sampling_with_tools_needs_its_own_capability() {
        let mut params = CreateMessageRequestParams::new(Vec::new(), 1);
        assert!(Sampling(params.clone()).declared(&client(json!({ "sampling": {} }))));
        params.tools = Some(Vec::new());
        let with_tools = Sampling(params);
        assert!(!with_tools.declared(&client(json!({ "sampling": {} }))));
        assert!(with_tools.declared(&client(json!({ "sampling": { "tools": {} } }))));
        assert_eq!(json!(with_tools.required()), json!({ "sampling": { "tools": {} } }));
    }

    #[test]
    fn floats_keep_the_digits_they_were_written_with() {
        let mut value = json!({ "a": [0.7_f32, 1, "x"], "b": 0.7_f64, "c": 0.5, "d": null });
        shorten_floats(&mut value);
        assert_eq!(value, json!({ "a": [0.7, 1, "x"], "b": 0.7, "c": 0.5, "d": null }));
    }
}
