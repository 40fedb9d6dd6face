//! `getTinyAudio`: a sound among texts.

use rmcp::model::{CallToolResult, ContentBlock};

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, tiny_audio};

pub(super) struct GetTinyAudio;

impl Tool for GetTinyAudio {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new("getTinyAudio", "Get tiny audio", "Returns a short sound, a WAVE file")
            .read_only()
            .icon(Glyph::Sound)
            .open_world(false)
    }

    async fn call(&self, _: NoInput, _: &Call<'_>) -> Result<CallToolResult, CallError> {
        Ok(CallToolResult::success(vec![
            ContentBlock::text("This is a tiny sound:"),
            ContentBlock::Audio(tiny_audio::content()),
            ContentBlock::text("The sound above is a twentieth of a second of A4, 440 Hz."),
        ]))
    }
}
