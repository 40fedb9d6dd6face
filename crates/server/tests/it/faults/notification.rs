//! `faultNotification`.

use serde_json::{Value, json};

use super::{Caller, open};
use crate::support::{Deployment, Stream, call};

on_every_deployment!(
    notifications_come_out_of_place,
    progress_comes_after_the_answer,
    a_request_that_nobody_knows_is_answered,
);

async fn before(caller: &Caller, kind: &str, count: u32) -> Vec<Value> {
    let heard = caller.call("faultNotification", json!({ "kind": kind, "count": count })).await;
    heard.is_answered_after(kind);
    let mut messages = heard.messages();
    messages.pop();
    messages
}

async fn notifications_come_out_of_place(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let storm = before(&caller, "listChangedStorm", 300).await;
        assert_eq!(storm.len(), 300);
        let lists = ["tools", "prompts", "resources"].into_iter().cycle();
        for (told, list) in storm.iter().zip(lists) {
            assert_eq!(told["method"], format!("notifications/{list}/list_changed"));
        }
        let progress = |told: &Value| told["params"]["progress"].as_u64().unwrap();
        let back = before(&caller, "progressBackwards", 1).await;
        assert_eq!(back.iter().map(progress).collect::<Vec<_>>(), [3, 1, 2]);
        assert!(back.iter().all(|told| told["params"]["progressToken"] == "t"));
        let unknown = before(&caller, "progressUnknown", 1).await;
        assert_eq!(unknown[0]["params"]["progressToken"], "nobody's token");
        let logs = before(&caller, "logAboveLevel", 1).await;
        let levels: Vec<_> = logs.iter().map(|told| &told["params"]["level"]).collect();
        assert_eq!((levels.len(), levels[0], levels[7]), (8, &json!("debug"), &json!("emergency")));
        let unknown = before(&caller, "unknownMethod", 1).await;
        assert_eq!(unknown[0]["method"], "notifications/fault");
        let cancelled = before(&caller, "cancelled", 1).await;
        assert_eq!(cancelled[0]["method"], "notifications/cancelled");
        assert_eq!(cancelled[0]["params"]["requestId"], 1);
        caller.is_served().await;
    }
}

async fn progress_comes_after_the_answer(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let heard =
            caller.call("faultNotification", json!({ "kind": "progressAfterAnswer" })).await;
        let [answer, progress] = &heard.messages()[..] else { panic!("{heard:?}") };
        assert_eq!((&answer["id"], &progress["params"]["progress"]), (&json!(1), &json!(1)));
    }
}

async fn a_request_that_nobody_knows_is_answered(on: &Deployment) {
    let server = open(on);
    let caller = Caller::with_session(&server).await;
    let asking = call(1, "faultNotification", &json!({ "kind": "unknownRequest" }));
    let mut stream = Stream::of(caller.mcp.send(&asking).await);
    let asked = stream.until("fault/unknown").await;
    let error = json!({ "code": -32601, "message": "Method not found" });
    let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "error": error });
    assert_eq!(caller.mcp.post(&reply).await.status, 202);
    let told = stream.last().await["result"]["content"][0]["text"].clone();
    assert_eq!(told, "The client replied to fault/unknown with the error -32601.");
}
