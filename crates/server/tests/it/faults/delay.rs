//! `faultDelay`.

use serde_json::json;

use super::{Caller, open};
use crate::support::Deployment;

on_every_deployment!(
    headers_wait_for_the_answer,
    headers_come_before_the_answer,
    events_come_one_by_one,
    an_answer_comes_in_pieces,
    an_answer_never_comes,
);

/// Longer than a call may take before its stream is opened: the headers were late indeed.
async fn headers_wait_for_the_answer(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let heard = caller.call("faultDelay", json!({ "kind": "headers", "seconds": 0.2 })).await;
        assert!(!heard.is_stream(), "{heard:?}");
        heard.is_answered_after("headers");
    }
}

async fn headers_come_before_the_answer(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for (kind, opening) in [("firstEvent", ": the answer takes a while\n\n"), ("silence", "")] {
            let heard = caller.call("faultDelay", json!({ "kind": kind, "seconds": 0.2 })).await;
            assert!(heard.is_stream() && heard.text().contains(opening), "{heard:?}");
            heard.is_answered_after(kind);
        }
    }
}

async fn events_come_one_by_one(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let arguments = json!({ "kind": "drip", "seconds": 0.1, "pieces": 3 });
        let heard = caller.call("faultDelay", arguments).await;
        assert_eq!(heard.progress(), [1, 2, 3]);
        heard.is_answered_after("drip");
    }
}

async fn an_answer_comes_in_pieces(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let arguments = json!({ "kind": "trickle", "seconds": 0.2, "pieces": 100 });
        let heard = caller.call("faultDelay", arguments).await;
        let text = heard.answer()["result"]["content"][0]["text"].clone();
        assert_eq!(text, "This is the answer, \u{e9}\u{20ac}\u{1f980} by \u{e9}\u{20ac}\u{1f980}.");
    }
}

async fn an_answer_never_comes(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let heard = caller.call("faultDelay", json!({ "kind": "never", "seconds": 0.1 })).await;
        assert!(heard.is_stream() && heard.messages().is_empty() && !heard.broken, "{heard:?}");
        if !caller.stateless {
            assert_eq!(caller.resume(heard.last_id().as_deref()).await.status, 405);
        }
        caller.is_served().await;
    }
}
