//! `whoami`: which instance answered, and what it knows of who called.

use std::fmt::Write as _;

use rmcp::model::{CallToolResult, ContentBlock, Implementation};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    Call, CallError, Caller, Carrier, Definition, Glyph, NoInput, Tool, Trace, TraceSpan,
    text::quoted, time::rfc3339,
};

pub(super) struct Whoami;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Output {
    /// The process that answered: a name, and a part that is new at each start
    instance: String,
    /// The version of the server
    server_version: String,
    /// For how many seconds the process has been there
    uptime_seconds: u64,
    /// stdio, streamable-http or http-sse
    transport: &'static str,
    /// The revision of the protocol that was agreed on
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol_version: Option<String>,
    /// Whether the call belongs to a session
    session: bool,
    /// Who called; absent without authentication over stdio
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<Caller>,
    /// What the client says it is
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Client>,
    /// What the client declared it can do
    capabilities: Map<String, Value>,
    /// The trace that the call belongs to
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Trace>,
}

#[derive(Serialize, JsonSchema)]
struct Client {
    /// Its name
    name: String,
    /// Its version
    version: String,
    /// Its name for people
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

impl From<Implementation> for Client {
    fn from(client: Implementation) -> Self {
        Self { name: client.name, version: client.version, title: client.title }
    }
}

impl Tool for Whoami {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "whoami",
            "Who am I",
            "Says which instance of the server answered, and what it knows of who called",
        )
        .read_only()
        .icon(Glyph::Person)
        .open_world(false)
        .output::<Output>()
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let origin = call.origin();
        let version = call.protocol_version();
        let capabilities = match json!(call.client_capabilities()) {
            Value::Object(capabilities) => capabilities,
            _ => Map::new(),
        };
        let output = Output {
            instance: call.instance().to_owned(),
            server_version: call.server_version().to_owned(),
            uptime_seconds: call.uptime().as_secs(),
            transport: origin.carrier.name(),
            protocol_version: version.map(|version| version.to_string()),
            session: call.has_session(),
            caller: origin.caller,
            client: call.client_info().map(Client::from),
            capabilities,
            trace: origin.trace,
        };
        let structured = json!(output);
        // For clients that do not read structured content (2025-06-18, Tools).
        let mut result = CallToolResult::success(vec![
            ContentBlock::text(said(&output, origin.carrier)),
            ContentBlock::text(structured.to_string()),
        ]);
        result.structured_content = Some(structured);
        Ok(result)
    }
}

/// The same for people.
fn said(output: &Output, carrier: Carrier) -> String {
    let Output { instance, server_version, uptime_seconds, .. } = output;
    let mut out = format!(
        "Instance {instance} (version {server_version}, up {uptime_seconds} s) answered over {carrier}"
    );
    // Writing to a string cannot fail.
    if let Some(version) = &output.protocol_version {
        let _ = write!(out, ", in revision {version}");
    }
    out += if output.session { " and in a session." } else { " and without a session." };
    match &output.caller {
        None => out += "\nNobody had to sign in.",
        Some(Caller { user, client_id, issuer, scopes, expires_at }) => {
            let _ = write!(out, "\nThe caller is {}", quoted(user));
            for (word, name) in [("through client", client_id), ("of", issuer)] {
                if let Some(name) = name {
                    let _ = write!(out, " {word} {}", quoted(name));
                }
            }
            if let Some(scopes) = scopes {
                let _ = write!(out, ", allowed {}", scopes.join(" "));
            }
            if let Some(expires_at) = expires_at {
                let _ = write!(out, " until {}", rfc3339(*expires_at));
            }
            out.push('.');
        }
    }
    if let Some(Client { name, version, .. }) = &output.client {
        let _ = write!(out, "\nThe client is {} {}", quoted(name), quoted(version));
        let declared: Vec<_> = output.capabilities.keys().map(|name| quoted(name)).collect();
        if declared.is_empty() {
            out += " and declares no capability.";
        } else {
            let _ = write!(out, " and declares {}.", declared.join(", "));
        }
    }
    if let Some(TraceSpan { trace_id, span_id, .. }) =
        output.trace.as_ref().and_then(|trace| trace.span.as_ref())
    {
        let _ = write!(out, "\nThe call is span {span_id} of trace {trace_id}.");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_in_words() {
        let mut output = Output {
            instance: "web-1.AbC".to_owned(),
            server_version: "1.2.3".to_owned(),
            uptime_seconds: 61,
            transport: "streamable-http",
            protocol_version: Some("2025-11-25".to_owned()),
            session: true,
            caller: Some(Caller {
                user: "ali\nce".to_owned(),
                client_id: Some("c1".to_owned()),
                issuer: Some("http://localhost:3232".to_owned()),
                scopes: Some(vec!["mcp:read".to_owned(), "mcp:tools".to_owned()]),
                expires_at: Some(1_767_225_600_000),
            }),
            client: Some(Client {
                name: "inspector".to_owned(),
                version: "1.0".to_owned(),
                title: None,
            }),
            capabilities: Map::from_iter([("roots".to_owned(), json!({}))]),
            trace: Some(Trace {
                span: Some(TraceSpan {
                    trace_id: "0af7".to_owned(),
                    span_id: "b7ad".to_owned(),
                    parent_id: Some("00f0".to_owned()),
                    sampled: true,
                    traceparent: String::new(),
                }),
                tracestate: None,
                baggage: None,
            }),
        };
        assert_eq!(
            said(&output, Carrier::StreamableHttp),
            "Instance web-1.AbC (version 1.2.3, up 61 s) answered over Streamable HTTP, in revision \
             2025-11-25 and in a session.\nThe caller is ali\\nce through client c1 of \
             http://localhost:3232, allowed mcp:read mcp:tools until 2026-01-01T00:00:00.000Z.\nThe \
             client is inspector 1.0 and declares roots.\nThe call is span b7ad of trace 0af7."
        );
        output.caller = None;
        output.trace = None;
        output.session = false;
        output.capabilities.clear();
        assert_eq!(
            said(&output, Carrier::Stdio),
            "Instance web-1.AbC (version 1.2.3, up 61 s) answered over stdio, in revision \
             2025-11-25 and without a session.\nNobody had to sign in.\nThe client is inspector 1.0 and declares no \
             capability."
        );
    }
}
