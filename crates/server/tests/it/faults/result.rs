//! `faultResult` and `faultStructured`.

use serde_json::{Value, json};

use super::{Caller, open};
use crate::support::Deployment;

on_every_deployment!(results_are_as_odd_as_asked, results_do_not_fit_their_schema);

async fn results_are_as_odd_as_asked(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let result = async |kind: &str, size: u32| {
            let heard = caller.call("faultResult", json!({ "kind": kind, "size": size })).await;
            heard.answer()["result"].clone()
        };
        assert_eq!(result("isError", 1).await["isError"], true);
        let large = result("largeText", 2).await;
        assert_eq!(large["content"][0]["text"].as_str().unwrap().len(), 2 << 20);
        assert_eq!(result("largeText", 9).await["isError"], true, "8 MiB is the most");
        let many = result("manyItems", 1000).await;
        assert_eq!(many["content"].as_array().unwrap().len(), 1000);
        assert_eq!(result("noContent", 1).await["content"], json!([]));
        assert_eq!(result("unknownContent", 1).await["content"][1]["type"], "hologram");
        let heard = caller.call("faultResult", json!({ "kind": "unknownMembers" })).await;
        let answer = heard.answer();
        assert_eq!(answer["fault"], 1);
        assert_eq!(answer["result"]["content"][0]["fault"], true);
        assert!(answer["result"]["fault"].is_object());

        // Deeper than the reader of this test goes.
        let heard = caller.call("faultResult", json!({ "kind": "deep", "size": 50_000 })).await;
        let text = heard.text();
        assert_eq!(text.matches("{\"a\":").count(), 49_999);
        assert!(text.ends_with("\n\n") && !heard.broken);
        let shallow = caller.call("faultResult", json!({ "kind": "deep", "size": 3 })).await;
        let structured = shallow.answer()["result"]["structuredContent"].clone();
        assert_eq!(structured, json!({ "a": { "a": {} } }));
        caller.is_served().await;
    }
}

async fn results_do_not_fit_their_schema(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for (kind, structured) in [
            ("valid", json!({ "temperature": 22.5, "conditions": "sunny" })),
            ("wrongType", json!({ "temperature": "warm", "conditions": "sunny" })),
            ("missing", json!({ "conditions": "sunny" })),
            ("absent", Value::Null),
            ("notAnObject", json!([22.5, "sunny"])),
        ] {
            let heard = caller.call("faultStructured", json!({ "kind": kind })).await;
            assert_eq!(heard.answer()["result"]["structuredContent"], structured, "{kind}");
        }
    }
}
