//! `faultMessage`: messages that are none, and streams that are written in unusual ways.

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Challenge, Delivery, FaultyWire, HttpAnswer,
    place::{Faulty, HTTP, OWN_STREAM, Place, bytes},
};
use crate::{Call, CallError, Definition, Glyph, Tool};

pub(super) struct FaultMessage;

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    InvalidJson,
    InvalidUtf8,
    NotAnObject,
    EmptyObject,
    WrongVersion,
    NoVersion,
    ResultAndError,
    Neither,
    NullId,
    WrongId,
    IdOfAnotherType,
    AnswerTwice,
    UnknownEvent,
    UnknownField,
    NoType,
    NoSpace,
    ManyLines,
    Crlf,
    Cr,
    Bom,
    JsonText,
    CutJson,
}

impl Kind {
    const fn places(self) -> &'static [Place] {
        match self {
            Self::InvalidJson
            | Self::NotAnObject
            | Self::EmptyObject
            | Self::WrongVersion
            | Self::NoVersion
            | Self::ResultAndError
            | Self::Neither
            | Self::NullId
            | Self::WrongId
            | Self::IdOfAnotherType
            | Self::AnswerTwice => HTTP,
            Self::InvalidUtf8
            | Self::UnknownEvent
            | Self::UnknownField
            | Self::NoType
            | Self::NoSpace
            | Self::ManyLines
            | Self::Crlf
            | Self::Cr
            | Self::Bom
            | Self::JsonText
            | Self::CutJson => OWN_STREAM,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What is wrong, or unusual
    kind: Kind,
}

impl Tool for FaultMessage {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultMessage",
            "Fault: messages that are none",
            "Sends what is no message of the protocol, or a message in an unusual form",
        )
        .read_only()
        .icon(Glyph::Warning)
        .open_world(false)
    }

    async fn call(
        &self,
        Input { kind }: Input,
        call: &Call<'_>,
    ) -> Result<CallToolResult, CallError> {
        let faulty = Faulty::new(call, kind, kind.places())?;
        let (wire, usual) = (faulty.wire()?, faulty.usual());
        let event = |message: &Value| wire.event(bytes(message), Delivery::Once);
        match kind {
            Kind::InvalidJson => wire.event(br#"{"jsonrpc":"2.0","#.to_vec(), Delivery::Once),
            Kind::InvalidUtf8 => wire.event(b"{\"jsonrpc\":\"\xff\"}".to_vec(), Delivery::Once),
            Kind::NotAnObject => event(&json!(42)),
            Kind::EmptyObject => event(&json!({ "jsonrpc": "2.0" })),
            Kind::WrongVersion => wire.last(bytes(&with(&usual, "jsonrpc", json!("1.0")))),
            Kind::NoVersion => wire.last(bytes(&without(&usual, "jsonrpc"))),
            Kind::ResultAndError => wire.last(bytes(&with(&usual, "error", error()))),
            Kind::Neither => wire.last(bytes(&without(&usual, "result"))),
            Kind::NullId => {
                event(&json!({ "jsonrpc": "2.0", "id": null, "error": error() }));
            }
            Kind::WrongId => event(&with(&faulty.other(), "id", json!("nobody's request"))),
            Kind::IdOfAnotherType => {
                event(&with(&faulty.other(), "id", faulty.id_of_another_type()));
            }
            Kind::AnswerTwice => {
                event(&usual);
                wire.last(bytes(&faulty.other()));
            }
            Kind::UnknownEvent => {
                let data = faulty.other().to_string();
                wire.write(format!("event: fault\ndata: {data}\n\n").into_bytes());
            }
            Kind::UnknownField
            | Kind::NoType
            | Kind::NoSpace
            | Kind::ManyLines
            | Kind::Crlf
            | Kind::Cr
            | Kind::Bom => {
                wire.write(written(kind, &usual).into_bytes());
                wire.last(Vec::new());
            }
            Kind::JsonText => body(wire, "text/plain", bytes(&usual)),
            Kind::CutJson => {
                let whole = bytes(&usual);
                body(wire, "application/json", whole[..whole.len() / 2].to_vec());
            }
        }
        Ok(faulty.after())
    }
}

impl Faulty<'_> {
    /// The answer, as it is said where nothing is wrong with it.
    fn usual(&self) -> Value {
        self.answer("This is the answer.")
    }

    /// One that is not to be believed.
    fn other(&self) -> Value {
        self.answer("This is not the answer.")
    }
}

/// The answer as an event of an unusual form, which the format allows (HTML, Server-sent events).
fn written(kind: Kind, answer: &Value) -> String {
    let data = answer.to_string();
    let usual = format!("event: message\ndata: {data}\n\n");
    match kind {
        Kind::UnknownField => format!("fault: 1\n{usual}"),
        Kind::NoType => format!("data: {data}\n\n"),
        Kind::NoSpace => format!("event:message\ndata:{data}\n\n"),
        Kind::ManyLines => {
            let lines = format!("{answer:#}").replace('\n', "\ndata: ");
            format!("event: message\ndata: {lines}\n\n")
        }
        Kind::Crlf => usual.replace('\n', "\r\n"),
        Kind::Cr => usual.replace('\n', "\r"),
        Kind::Bom => format!("\u{feff}: a byte order mark\n\n{usual}"),
        _ => usual,
    }
}

fn body(wire: &dyn FaultyWire, content_type: &'static str, body: Vec<u8>) {
    wire.respond(HttpAnswer {
        status: 200,
        content_type: Some(content_type),
        body,
        retry_after: None,
        challenge: Challenge::None,
    });
}

fn error() -> Value {
    json!({ "code": -32603, "message": "this is a fault" })
}

fn with(message: &Value, member: &str, value: Value) -> Value {
    let mut message = message.clone();
    message[member] = value;
    message
}

fn without(message: &Value, member: &str) -> Value {
    let mut message = message.clone();
    if let Some(message) = message.as_object_mut() {
        message.remove(member);
    }
    message
}
