//! The fixtures of the official conformance suite, which calls them by name.
//!
//! Names, arguments and the shape of the results are the suite's. The same fixture serves both
//! kinds of protocol.

mod asking;
mod content;
mod flow;
mod prompts;
mod resources;
mod rounds;
mod schemas;
mod tasks;

use std::pin::Pin;

use rmcp::model::CallToolResult;

pub(crate) use self::{prompts::all as prompts, resources::all as resources};
use crate::{Call, CallError, Definition, Glyph, NoInput, Tool, registry::Candidate};

/// All fixture tools. The suite calls the first one without arguments and takes any result.
pub(crate) fn tools() -> Vec<Candidate> {
    let plain = [content::FIXTURES, flow::FIXTURES, asking::FIXTURES, rounds::FIXTURES].concat();
    let plain = plain.into_iter().map(Candidate::new);
    plain.chain(asking::with_input()).chain(schemas::all()).chain(tasks::all()).collect()
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<CallToolResult, CallError>> + Send + 'a>>;

/// A fixture tool that takes nothing.
#[derive(Clone, Copy)]
struct Fixture {
    name: &'static str,
    description: &'static str,
    run: for<'a> fn(&'a Call<'a>) -> Running<'a>,
}

impl Tool for Fixture {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        fixture(self.name, self.description)
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        (self.run)(call).await
    }
}

/// What clients see of a fixture.
fn fixture(name: &'static str, description: &'static str) -> Definition {
    Definition::new(name, name, description).icon(Glyph::Check)
}
