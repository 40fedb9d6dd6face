//! Numbers that pages promise.

use mcp_everything_store::Limits;
use mcp_everything_transport::Config;

use crate::docs::read;

fn thousands(number: usize) -> String {
    match number {
        1_000.. => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    }
}

fn mib(bytes: usize) -> usize {
    assert!(bytes.is_multiple_of(1 << 20), "{bytes}");
    bytes >> 20
}

/// The bounds of the design are those in force.
#[test]
fn the_bounds_of_the_design_are_in_force() {
    let (config, limits) = (Config::default(), Limits::default());
    let page = read("docs/streamable-http-design.md");
    let all = thousands(limits.sessions);
    let (body, per_piece) = (mib(config.max_body_bytes), config.body_timeout.as_secs());
    for said in [
        format!("| running promoted calls of a session | {};", limits.calls_per_session),
        format!(
            "| running promoted calls of an instance | {};",
            thousands(config.max_running_calls)
        ),
        format!("| a request's body | {body} MiB; {per_piece} s for its next piece,"),
        format!("has left, on an instance | {};", config.left_calls_per_user),
        format!(
            "| a call's log | {} events or {} MiB;",
            thousands(limits.log_events),
            mib(limits.log_bytes)
        ),
        format!("| all logs of a session | {} MiB;", mib(limits.session_log_bytes)),
        format!("| an answer that is kept | {} MiB;", mib(config.max_kept_answer)),
        format!("| a log after its call's end | {} minutes |", limits.log_retention.as_secs() / 60),
        format!(
            "| all sessions, those of one user | {all} and {};",
            thousands(limits.sessions_per_user)
        ),
        format!("a reader that leaves them for {} s loses", config.slow_reader.as_secs()),
        format!("| lives | {} minutes (`SESSION_TTL`)", limits.session_ttl.as_secs() / 60),
        format!("parameters (at most {} KiB)", config.max_initialize_bytes >> 10),
        format!("when it has run for {} ms", config.promote_after.as_millis()),
        format!("its token fires, and {} s later", config.cancel_grace.as_secs()),
        format!("when nothing else was sent\nfor {} s.", config.keep_alive.as_secs()),
        format!("up to {} messages. If all", config.max_batch),
        format!("At most {} requests are held", thousands(config.held_requests)),
        format!("keeps the last {}.", thousands(limits.changes)),
    ] {
        assert!(page.contains(&said), "docs/streamable-http-design.md does not say: {said}");
    }
}
