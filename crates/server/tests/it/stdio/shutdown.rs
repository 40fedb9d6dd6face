//! How it ends.

use serde_json::json;

use super::{alone, begun, call, request};
use crate::support::Piped;

#[test]
fn it_ends_with_its_input() {
    let mut server = begun("2025-11-25", &json!({}));
    server.close();
    assert_eq!(server.next(), None);
    assert_eq!(server.wait().code(), Some(0));
    let log = server.log();
    let last = log.last().unwrap();
    assert_eq!(last["event"], "server.stopped", "{last}");
}

#[test]
fn it_ends_before_anything_was_said() {
    let mut server = Piped::start();
    server.close();
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn what_runs_may_finish() {
    let mut server = begun("2025-11-25", &json!({}));
    server.send(&call(1, "longRunningOperation", &json!({ "duration": 0.2, "steps": 1 })));
    server.close();
    let answer = server.next().unwrap();
    assert_eq!((&answer["id"], answer.get("error")), (&json!(1), None), "{answer}");
    assert_eq!(server.next(), None);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn what_takes_too_long_is_told_so() {
    let mut server = begun("2025-11-25", &json!({}));
    server.send(&call(1, "longRunningOperation", &json!({ "duration": 3000, "steps": 1 })));
    server.close();
    let answer = server.next().unwrap();
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&json!(1), &json!(-32603)), "{answer}");
    assert_eq!(server.next(), None);
    assert_eq!(server.wait().code(), Some(0));
    server.logged("shutdown.calls_cut");
}

#[test]
fn a_signal_ends_it_while_its_input_is_open() {
    for signal in ["-TERM", "-INT"] {
        let mut server = begun("2025-11-25", &json!({}));
        server.signal(signal);
        assert_eq!(server.next(), None);
        assert_eq!(server.wait().code(), Some(0), "{signal}");
    }
}

#[test]
fn who_listens_is_told_that_it_is_over() {
    let mut server = Piped::start();
    let listen = json!({ "notifications": { "toolsListChanged": true } });
    server.send(&alone(request(1, "subscriptions/listen", &listen), &json!({})));
    let begun = server.next().unwrap();
    assert_eq!(begun["method"], "notifications/subscriptions/acknowledged", "{begun}");
    server.close();
    let answer = server.next().unwrap();
    assert_eq!((&answer["id"], &answer["result"]["resultType"]), (&json!(1), &json!("complete")));
    assert_eq!(server.next(), None);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn it_ends_when_nobody_reads_what_it_says() {
    let mut server = Piped::start();
    server.close_output();
    server.send(&request(1, "ping", &json!({})));
    assert_eq!(server.wait().code(), Some(0));
    server.logged("stdio.closed");
}
