//! `faultStream`: streams that break, and events that are lost on the way.

use std::time::Duration;

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Delivery,
    place::{Faulty, HTTP, OWN_STREAM, Place, RESUMABLE},
};
use crate::{Call, CallError, Definition, Glyph, Tool, number::whole};

pub(super) struct FaultStream;

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Cut,
    CutInEvent,
    Close,
    Withheld,
    Gap,
    Twice,
    OutOfOrder,
    CutForGood,
    NoAnswer,
    NoResponse,
}

impl Kind {
    const fn places(self) -> &'static [Place] {
        match self {
            Self::Cut | Self::CutInEvent | Self::Close | Self::Withheld => RESUMABLE,
            Self::Gap | Self::Twice | Self::OutOfOrder => HTTP,
            Self::CutForGood | Self::NoAnswer | Self::NoResponse => OWN_STREAM,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What happens to the stream of the call
    kind: Kind,
    /// With close: when to come back, in milliseconds
    #[serde(default = "second", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 0, max = 60_000), extend("multipleOf" = 1))]
    retry: u32,
}

fn second() -> u32 {
    1000
}

impl Tool for FaultStream {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultStream",
            "Fault: streams that break",
            "Breaks the stream of its call, or loses, repeats or mixes up its events",
        )
        .read_only()
        .icon(Glyph::Warning)
        .open_world(false)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { kind, retry } = input;
        let faulty = Faulty::new(call, kind, kind.places())?;
        let wire = faulty.wire()?;
        if let Kind::NoResponse = kind {
            wire.hang_up();
            return Ok(faulty.after());
        }
        let event = |number| faulty.event(number, 3);
        wire.event(event(1)?, Delivery::Once);
        match kind {
            Kind::Cut => {
                wire.break_off();
                wire.event(event(2)?, Delivery::Once);
            }
            Kind::CutInEvent => wire.event(event(2)?, Delivery::Half),
            Kind::Close => {
                wire.close(Duration::from_millis(retry.into()));
                wire.event(event(2)?, Delivery::Once);
            }
            Kind::Withheld => {
                wire.event(event(2)?, Delivery::Never);
                wire.event(event(3)?, Delivery::Never);
                wire.break_off();
            }
            Kind::Gap => {
                wire.event(event(2)?, Delivery::Never);
                wire.event(event(3)?, Delivery::Once);
            }
            Kind::Twice => {
                wire.event(event(2)?, Delivery::Twice);
                wire.event(event(3)?, Delivery::Once);
            }
            Kind::OutOfOrder => {
                wire.event(event(2)?, Delivery::Late);
                wire.event(event(3)?, Delivery::Once);
            }
            Kind::CutForGood => {
                wire.break_off();
                wire.last(Vec::new());
            }
            Kind::NoAnswer => wire.last(Vec::new()),
            Kind::NoResponse => {}
        }
        Ok(faulty.after())
    }
}
