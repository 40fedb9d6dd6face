//! `Everything` over a pipe, driven by clients of both kinds of protocol.

#![expect(
    deprecated,
    reason = "all revisions are served; 2026-07-28 deprecates sampling, roots and logging (SEP-2577)"
)]
#![expect(clippy::unwrap_used, reason = "what cannot go on fails its test")]
#![expect(clippy::needless_pass_by_value, reason = "json!(..) is passed as it is written")]

mod apps;
mod asking;
mod asking_on_a_page;
mod bad_input;
mod cancellation;
mod completions;
mod conformance;
mod content;
mod documents;
mod faults;
mod listen;
mod lists;
mod logging;
mod prompts;
mod resources;
mod rounds;
mod sampling_with_tools;
mod server_info;
mod support;
mod tools;
