//! `getRootsList`: asks the client for the folders it works in.

use std::fmt::Write as _;

use rmcp::model::{CallToolResult, Root};

use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, text};

const NONE: &str = "The client supports roots but no roots are currently configured.\n\n\
    Configure folders in the client, then call this tool again.";

const NOTE: &str = "Roots are the folders a client lets servers work in. \
    This server shows them and opens none.";

pub(super) struct GetRootsList;

impl Tool for GetRootsList {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new(
            "getRootsList",
            "Get roots list",
            "Lists the roots that the client offers, using MCP's roots feature",
        )
        .read_only()
        .icon(Glyph::Folder)
        .open_world(true)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let roots = call.ask_roots("roots").await?.roots;
        Ok(text(if roots.is_empty() { NONE.to_owned() } else { list(&roots) }))
    }
}

fn list(roots: &[Root]) -> String {
    let mut out = format!("Current MCP Roots ({} total):\n\n", roots.len());
    for (index, Root { uri, name, .. }) in roots.iter().enumerate() {
        let name = name.as_deref().unwrap_or("Unnamed Root");
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{}. {name}\n   URI: {uri}\n", index + 1);
    }
    out + NOTE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_numbered() {
        let roots = [Root::new("file:///a").with_name("A"), Root::new("file:///b")];
        assert_eq!(
            list(&roots),
            format!(
                "Current MCP Roots (2 total):\n\n\
                 1. A\n   URI: file:///a\n\n\
                 2. Unnamed Root\n   URI: file:///b\n\n{NOTE}"
            )
        );
    }
}
