//! `faultInstance`: the server dies.

use rmcp::model::CallToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Delivery,
    place::{Faulty, HTTP},
};
use crate::{Call, CallError, Definition, Glyph, Tool};

pub(super) struct FaultInstance;

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Kind {
    #[default]
    Killed,
}

#[derive(Deserialize, JsonSchema)]
pub(super) struct Input {
    /// What happens to the instance that runs the call, as far as this call can tell
    #[serde(default)]
    kind: Kind,
}

impl Tool for FaultInstance {
    type Input = Input;

    fn definition(&self) -> Definition {
        Definition::new(
            "faultInstance",
            "Fault: the server dies",
            "Loses its call as if the instance that runs it were killed; none is",
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
        let faulty = Faulty::new(call, kind, HTTP)?;
        let wire = faulty.wire()?;
        wire.die();
        // Something to come back after, where the client can be told something.
        if let Ok(event) = faulty.event(1, 3) {
            wire.event(event, Delivery::Once);
        }
        Ok(faulty.after())
    }
}
