//! `faultInstance`.

use serde_json::json;

use super::{Caller, open};
use crate::support::{Deployment, Sse, call, soon};

on_every_deployment!(
    a_call_is_lost_with_an_instance_that_lives,
    a_call_over_http_sse_is_lost_in_the_same_way,
    without_a_session_nothing_is_said,
);

async fn a_call_is_lost_with_an_instance_that_lives(on: &Deployment) {
    let mut server = open(on);
    let caller = Caller::with_session(&server).await;
    let heard = caller.call("faultInstance", json!({})).await;
    assert!(heard.broken && heard.has_no_answer(), "{heard:?}");
    assert_eq!(heard.progress(), [1]);
    // At whichever instance the client comes back, and however often.
    for _ in 0..2 {
        let rest = caller.resume(heard.last_id().as_deref()).await;
        let error = &rest.answer()["error"];
        assert_eq!(error["code"], -32603);
        assert_eq!(error["message"], "the server that ran the call is gone");
    }
    assert!(server.is_running());
    caller.is_served().await;
}

async fn a_call_over_http_sse_is_lost_in_the_same_way(on: &Deployment) {
    let mut server = open(on);
    let mut client = Sse::open(&server, None).await;
    client.initialize().await;
    client.accepted(&call(7, "faultInstance", &json!({}))).await;
    let lost = soon(async {
        loop {
            let message = client.stream.next().await.expect("the stream goes on");
            if message["id"] == 7 {
                return message;
            }
        }
    });
    let lost = lost.await;
    assert_eq!(lost["error"]["message"], "the server that ran the call is gone");
    assert!(server.is_running());
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await, "Echo: hi");
}

/// The balancer would answer in place of the instance.
async fn without_a_session_nothing_is_said(on: &Deployment) {
    let server = open(on);
    let caller = Caller::without_session(&server);
    for number in 0..server.instances.len() {
        let direct = Caller { mcp: caller.mcp.at(&server, number), stateless: true };
        assert!(direct.try_call("faultInstance", &json!({})).await.is_err());
        direct.is_served().await;
    }
}
