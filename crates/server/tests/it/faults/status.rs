//! `faultHttp`.

use serde_json::{Value, json};

use super::{Caller, open};
use crate::support::{Deployment, Mcp};

on_every_deployment!(
    every_status_has_every_body,
    clients_are_told_when_to_come_back,
    challenges_are_real
);

async fn every_status_has_every_body(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for status in
            [400, 401, 403, 404, 405, 406, 409, 413, 415, 429, 500, 502, 503, 504, 599, 200, 202]
        {
            let heard = caller.call("faultHttp", json!({ "status": status })).await;
            assert_eq!(heard.status, status);
            assert!(!heard.headers.contains_key("www-authenticate"), "{status}");
            assert!(!heard.headers.contains_key("retry-after"), "{status}");
            let body: Value = serde_json::from_slice(&heard.bytes).unwrap();
            let code = match status {
                200..=299 => Value::Null,
                404 => json!(-32001),
                400..=499 => json!(-32600),
                _ => json!(-32603),
            };
            assert_eq!((&body["id"], &body["error"]["code"]), (&json!(1), &code), "{status}");
        }
        for (body, kind, beginning) in [
            ("html", Some("text/html; charset=utf-8"), "<!doctype html>"),
            ("text", Some("text/plain; charset=utf-8"), "This is a fault"),
            ("empty", None, ""),
        ] {
            let heard = caller.call("faultHttp", json!({ "status": 502, "body": body })).await;
            assert_eq!((heard.status, heard.text().is_empty()), (502, body == "empty"));
            assert!(heard.text().starts_with(beginning), "{heard:?}");
            let told = heard.headers.get("content-type").map(|kind| kind.to_str().unwrap());
            assert_eq!(told, kind);
        }
        // The session was never lost, nor anything else.
        caller.is_served().await;
    }
}

async fn clients_are_told_when_to_come_back(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for status in [429, 503] {
            let arguments = json!({ "status": status, "retryAfter": 7 });
            let heard = caller.call("faultHttp", arguments).await;
            assert_eq!(
                (heard.status, heard.headers["retry-after"].to_str().unwrap()),
                (status, "7")
            );
        }
    }
}

/// They lead where the real ones do, and the token is good for what comes next.
async fn challenges_are_real(on: &Deployment) {
    let server = on.with(&[("FAULT_TOOLS", "on")]);
    let mcp = Mcp::of(&server, "alice").await;
    for stateless in [false, true] {
        let caller = Caller { mcp: mcp.clone(), stateless };
        let metadata = server.url("/.well-known/oauth-protected-resource/mcp");
        for (status, challenge, error, scope) in [
            (401, "invalidToken", "invalid_token", "mcp:read mcp:tools"),
            (403, "insufficientScope", "insufficient_scope", "mcp:read mcp:tools mcp:admin"),
        ] {
            let arguments = json!({ "status": status, "challenge": challenge });
            let heard = caller.call("faultHttp", arguments).await;
            assert_eq!(heard.status, status);
            let told = heard.headers["www-authenticate"].to_str().unwrap();
            for part in [
                format!("Bearer error=\"{error}\""),
                format!("resource_metadata=\"{metadata}\""),
                format!("scope=\"{scope}\""),
            ] {
                assert!(told.contains(&part), "{part} in {told}");
            }
        }
        caller.is_served().await;
    }
}
