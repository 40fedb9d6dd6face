//! `faultJsonRpc`.

use serde_json::json;

use super::{Caller, open};
use crate::support::Deployment;

on_every_deployment!(every_error_has_its_code_and_its_data);

async fn every_error_has_its_code_and_its_data(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for (code, data) in [
            (-32700, None),
            (-32600, None),
            (-32601, None),
            (-32602, None),
            (-32603, None),
            (-32000, None),
            (-32001, None),
            (-32002, Some("/uri")),
            (-32042, Some("/elicitations/0/url")),
            (-32020, None),
            (-32021, Some("/requiredCapabilities/sampling")),
            (-32022, Some("/supported/0")),
            (-1, None),
            (i32::MAX, None),
        ] {
            let heard = caller.call("faultJsonRpc", json!({ "code": code })).await;
            let error = &heard.answer()["error"];
            assert_eq!(error["code"], code, "{heard:?}");
            assert_eq!(error.get("data").is_some(), data.is_some(), "{error}");
            let told = error.get("data").and_then(|told| told.pointer(data.unwrap_or_default()));
            assert_eq!(told.is_some(), data.is_some(), "{error}");
            let heard = caller.call("faultJsonRpc", json!({ "code": code, "data": false })).await;
            assert_eq!(heard.answer()["error"].get("data"), None);
        }
        caller.is_served().await;
    }
}
