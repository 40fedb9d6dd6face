//! `faultHttp`: every status.

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Challenge, HttpAnswer,
    place::{Faulty, HTTP, bytes},
};
use crate::{Call, CallError, Definition, Glyph, Tool, number::whole};

pub(super) struct FaultHttp;

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Body {
    #[default]
    JsonRpc,
    Html,
    Text,
    Empty,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Challenged {
    #[default]
    None,
    InvalidToken,
    InsufficientScope,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// The status of the response to the HTTP request
    #[serde(default = "unavailable", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 200, max = 599), extend("multipleOf" = 1))]
    status: u32,
    /// What its body is
    #[serde(default)]
    body: Body,
    /// What Retry-After says, in seconds
    #[serde(rename = "retryAfter")]
    #[schemars(with = "Option<f64>", range(min = 0, max = 3600), extend("multipleOf" = 1))]
    retry_after: Option<f64>,
    /// What WWW-Authenticate says. Clients that believe it sign their user in again
    #[serde(default)]
    challenge: Challenged,
}

fn unavailable() -> u32 {
    503
}

impl Tool for FaultHttp {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultHttp",
            "Fault: every HTTP status",
            "Answers the HTTP request of its call with the status that is asked for",
        )
        .read_only()
        .icon(Glyph::Warning)
        .open_world(false)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { status, body, retry_after, challenge } = input;
        let faulty = Faulty::new(call, body, HTTP)?;
        let status = u16::try_from(status).unwrap_or(503);
        let said = format!("This is a fault: HTTP status {status}.");
        let (content_type, body) = match body {
            Body::JsonRpc => (Some("application/json"), json_rpc(&faulty, status, &said)),
            Body::Html => {
                let page = format!(
                    "<!doctype html><html><head><title>{status}</title></head><body><h1>{status}</h1>\
                     <p>{said}</p></body></html>\n"
                );
                (Some("text/html; charset=utf-8"), page.into_bytes())
            }
            Body::Text => (Some("text/plain; charset=utf-8"), format!("{said}\n").into_bytes()),
            Body::Empty => (None, Vec::new()),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the schema says that it is whole and from 0 to 3600"
        )]
        let retry_after = retry_after.map(|seconds| seconds as u32);
        let challenge = match challenge {
            Challenged::None => Challenge::None,
            Challenged::InvalidToken => Challenge::InvalidToken,
            Challenged::InsufficientScope => Challenge::InsufficientScope,
        };
        let answer = HttpAnswer { status, content_type, body, retry_after, challenge };
        faulty.wire()?.respond(answer);
        Ok(faulty.after())
    }
}

fn json_rpc(faulty: &Faulty<'_>, status: u16, said: &str) -> Vec<u8> {
    let code = match status {
        200..=299 => return bytes(&faulty.answer(said)),
        404 => -32001,
        400..=499 => -32600,
        _ => -32603,
    };
    let error = json!({ "code": code, "message": said });
    bytes(&json!({ "jsonrpc": "2.0", "id": faulty.call.request_id(), "error": error }))
}
