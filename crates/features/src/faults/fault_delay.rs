//! `faultDelay`: slow.

use std::time::Duration;

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::place::{EVERYWHERE, Faulty, OWN_STREAM, Place, bytes};
use crate::{Call, CallError, Definition, Glyph, Tool, number::whole};

pub(super) struct FaultDelay;

#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Headers,
    FirstEvent,
    Drip,
    Trickle,
    Silence,
    Never,
}

impl Kind {
    const fn places(self) -> &'static [Place] {
        match self {
            Self::Headers | Self::FirstEvent | Self::Drip => EVERYWHERE,
            Self::Trickle | Self::Silence | Self::Never => OWN_STREAM,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What is slow: the headers, the first event, one event after another (drip), the answer
    /// piece by piece (trickle), everything without a sign of life (silence), or no answer at all
    kind: Kind,
    /// For how long, in seconds
    #[serde(default = "five")]
    #[schemars(range(min = 0, max = 600))]
    seconds: f64,
    /// In how many pieces or events
    #[serde(default = "pieces", deserialize_with = "whole")]
    #[schemars(with = "f64", range(min = 1, max = 100), extend("multipleOf" = 1))]
    pieces: u32,
}

fn five() -> f64 {
    5.0
}

fn pieces() -> u32 {
    5
}

/// What opens a stream without being an event.
const OPENING: &[u8] = b": the answer takes a while\n\n";

impl Tool for FaultDelay {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new("faultDelay", "Fault: slow", "Answers slowly, in the way that is asked for")
            .read_only()
            .icon(Glyph::Warning)
            .open_world(false)
    }

    async fn call(&self, input: Input, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let Input { kind, seconds, pieces } = input;
        let faulty = Faulty::new(call, kind, kind.places())?;
        let span = Duration::from_secs_f64(seconds);
        match kind {
            Kind::Headers => faulty.wait(span).await?,
            Kind::FirstEvent => {
                if faulty.place != Place::Stdio {
                    faulty.wire()?.write(OPENING.to_vec());
                }
                faulty.wait(span).await?;
            }
            Kind::Drip => {
                for number in 1..=pieces {
                    faulty.wait(span / pieces).await?;
                    let (method, params) = faulty.news(number, pieces)?;
                    faulty.notify(method, params).await;
                }
            }
            Kind::Trickle => trickle(&faulty, span, pieces).await?,
            Kind::Silence => {
                faulty.wire()?.silence();
                faulty.wait(span).await?;
            }
            Kind::Never => {
                faulty.wire()?.write(OPENING.to_vec());
                faulty.wait(span).await?;
                faulty.wire()?.last(Vec::new());
            }
        }
        Ok(faulty.after())
    }
}

async fn trickle(faulty: &Faulty<'_>, span: Duration, pieces: u32) -> Result<(), CallError> {
    // Characters of several bytes, for those who decode too early.
    let answer =
        faulty.answer("This is the answer, \u{e9}\u{20ac}\u{1f980} by \u{e9}\u{20ac}\u{1f980}.");
    let event = [b"event: message\ndata: ", &*bytes(&answer), b"\n\n"].concat();
    let size = event.len().div_ceil(usize::try_from(pieces).unwrap_or(1));
    for piece in event.chunks(size) {
        faulty.wait(span / pieces).await?;
        faulty.wire()?.write(piece.to_vec());
    }
    faulty.wire()?.last(Vec::new());
    Ok(())
}
