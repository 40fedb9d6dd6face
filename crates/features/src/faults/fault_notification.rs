//! `faultNotification`: notifications and requests that are out of place.

use std::time::Duration;

use rmcp::{
    ServiceError,
    model::{CallToolResult, CustomRequest},
    service::PeerRequestOptions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Delivery,
    place::{EVERYWHERE, Faulty, HTTP, Place, bytes},
};
use crate::{Call, CallError, Definition, Glyph, Tool, number::whole, text};

pub(super) struct FaultNotification;

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    ListChangedStorm,
    ProgressBackwards,
    ProgressUnknown,
    ProgressAfterAnswer,
    LogAboveLevel,
    UnknownMethod,
    UnknownRequest,
    Cancelled,
}

/// Where a server may send requests.
const ASKING: &[Place] = &[Place::Session, Place::HttpSse, Place::Stdio];
/// How long the client has to reply to a request that it does not know.
const PATIENCE: Duration = Duration::from_secs(10);
const LISTS: [&str; 3] = [
    "notifications/tools/list_changed",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
];
const LEVELS: [&str; 8] =
    ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

impl Kind {
    const fn places(self) -> &'static [Place] {
        match self {
            Self::ProgressAfterAnswer => HTTP,
            Self::UnknownRequest => ASKING,
            Self::ListChangedStorm
            | Self::ProgressBackwards
            | Self::ProgressUnknown
            | Self::LogAboveLevel
            | Self::UnknownMethod
            | Self::Cancelled => EVERYWHERE,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What is out of place
    kind: Kind,
    /// With listChangedStorm: how many notifications
    #[serde(default = "hundred", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 1000), extend("multipleOf" = 1))]
    count: u32,
}

fn hundred() -> u32 {
    100
}

impl Tool for FaultNotification {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultNotification",
            "Fault: notifications out of place",
            "Sends notifications and requests that should not come, or not so many, or not then",
        )
        .read_only()
        .icon(Glyph::Warning)
        .open_world(false)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { kind, count } = input;
        let faulty = Faulty::new(call, kind, kind.places())?;
        match kind {
            Kind::ListChangedStorm => {
                for method in LISTS.into_iter().cycle().take(count as usize) {
                    faulty.notify(method, json!({})).await;
                }
            }
            Kind::ProgressBackwards => {
                let token = token(call)?;
                for progress in [3, 1, 2] {
                    let params =
                        json!({ "progressToken": token, "progress": progress, "total": 3 });
                    faulty.notify("notifications/progress", params).await;
                }
            }
            Kind::ProgressUnknown => {
                let params =
                    json!({ "progressToken": "nobody's token", "progress": 1, "total": 3 });
                faulty.notify("notifications/progress", params).await;
            }
            Kind::ProgressAfterAnswer => {
                let token = token(call)?;
                let params = json!({ "progressToken": token, "progress": 1, "total": 3 });
                let answer = faulty.answer("This is the answer; more progress comes after it.");
                faulty.wire()?.event(bytes(&answer), Delivery::Once);
                faulty.notify("notifications/progress", params).await;
                faulty.wire()?.last(Vec::new());
            }
            Kind::LogAboveLevel => {
                for level in LEVELS {
                    let params = json!({ "level": level, "logger": "faults", "data": level });
                    faulty.notify("notifications/message", params).await;
                }
            }
            Kind::UnknownMethod => faulty.notify("notifications/fault", json!({ "a": 1 })).await,
            Kind::UnknownRequest => return ask(call).await,
            Kind::Cancelled => {
                let id = call.request_id();
                let params = json!({ "requestId": id, "reason": "this is a fault" });
                faulty.notify("notifications/cancelled", params).await;
            }
        }
        Ok(faulty.after())
    }
}

fn token(call: &Call<'_>) -> Result<rmcp::model::ProgressToken, CallError> {
    let none = || CallError::failed("This fault is about progress: send a progressToken.");
    call.progress_token().ok_or_else(none)
}

/// Sends a request that no client knows, and says how it was taken.
async fn ask(call: &Call<'_>) -> Result<CallToolResult, CallError> {
    let request = CustomRequest::new("fault/unknown", Some(json!({ "a": 1 })));
    let options = PeerRequestOptions::with_timeout(PATIENCE);
    let asked = call.peer().send_request_with_option(request.into(), options).await;
    let replied = match asked {
        Ok(handle) => handle.await_response().await,
        Err(error) => Err(error),
    };
    Ok(text(match replied {
        Ok(_) => "The client replied to fault/unknown with a result.".to_owned(),
        Err(ServiceError::McpError(error)) => {
            format!("The client replied to fault/unknown with the error {}.", error.code.0)
        }
        Err(ServiceError::Timeout { .. }) => {
            format!("The client did not reply to fault/unknown within {} s.", PATIENCE.as_secs())
        }
        // The enum is open; what is left are ways to lose the connection.
        Err(_) => "The client was gone before it replied to fault/unknown.".to_owned(),
    }))
}
