//! `faultMessage`.

use serde_json::{Value, json};

use super::{Caller, Heard, open};
use crate::support::Deployment;

on_every_deployment!(
    events_that_are_no_messages,
    answers_that_are_none,
    answers_to_nobody,
    unusual_streams_are_written_as_asked,
    bodies_that_are_not_as_they_say,
);

async fn fault(caller: &Caller, kind: &str) -> Heard {
    caller.call("faultMessage", json!({ "kind": kind })).await
}

/// The data of all events but the last, which is the usual answer.
fn before_the_answer(heard: &Heard, kind: &str) -> Vec<String> {
    let mut events = heard.events();
    let last: Value = serde_json::from_str(&events.pop().unwrap().data).unwrap();
    let said = format!("This is the answer; {kind} came before it.");
    assert_eq!(last["result"]["content"][0]["text"], said);
    assert_eq!(last["id"], 1);
    events.into_iter().map(|event| event.data).collect()
}

async fn events_that_are_no_messages(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for (kind, data) in [
            ("invalidJson", r#"{"jsonrpc":"2.0","#),
            ("invalidUtf8", "{\"jsonrpc\":\"\u{fffd}\"}"),
            ("notAnObject", "42"),
            ("emptyObject", r#"{"jsonrpc":"2.0"}"#),
        ] {
            let heard = fault(&caller, kind).await;
            assert_eq!(before_the_answer(&heard, kind), [data]);
            assert_eq!(heard.bytes.contains(&0xff), kind == "invalidUtf8");
        }
        caller.is_served().await;
    }
}

async fn answers_that_are_none(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for kind in ["wrongVersion", "noVersion", "resultAndError", "neither"] {
            let heard = fault(&caller, kind).await;
            let [answer] = &heard.messages()[..] else { panic!("{heard:?}") };
            let version = match kind {
                "wrongVersion" => json!("1.0"),
                "noVersion" => Value::Null,
                _ => json!("2.0"),
            };
            assert_eq!((&answer["jsonrpc"], &answer["id"]), (&version, &json!(1)), "{kind}");
            let has = |member| answer.get(member).is_some();
            assert_eq!(has("result"), kind != "neither", "{kind}");
            assert_eq!(has("error"), kind == "resultAndError", "{kind}");
        }
    }
}

async fn answers_to_nobody(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for (kind, id) in [
            ("nullId", Value::Null),
            ("wrongId", json!("nobody's request")),
            ("idOfAnotherType", json!("1")),
        ] {
            let heard = fault(&caller, kind).await;
            let before = before_the_answer(&heard, kind);
            let stray: Value = serde_json::from_str(&before[0]).unwrap();
            assert_eq!(stray.get("id"), Some(&id), "{kind}");
        }
        let heard = fault(&caller, "answerTwice").await;
        let [first, second] = &heard.messages()[..] else { panic!("{heard:?}") };
        assert_eq!((&first["id"], &second["id"]), (&json!(1), &json!(1)));
        assert_eq!(first["result"]["content"][0]["text"], "This is the answer.");
        assert_eq!(second["result"]["content"][0]["text"], "This is not the answer.");
    }
}

async fn unusual_streams_are_written_as_asked(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for (kind, written) in [
            ("unknownEvent", "event: fault\ndata: {"),
            ("unknownField", "fault: 1\nevent: message\ndata: {"),
            ("noType", "\n\ndata: {"),
            ("noSpace", "event:message\ndata:{"),
            ("manyLines", "event: message\ndata: {\ndata:   \""),
            ("crlf", "event: message\r\ndata: {"),
            ("cr", "event: message\rdata: {"),
            ("bom", "\u{feff}: a byte order mark\n\nevent: message\n"),
        ] {
            let heard = fault(&caller, kind).await;
            // What opens a stream with a session comes before.
            let text =
                if caller.stateless { format!("\n\n{}", heard.text()) } else { heard.text() };
            assert!(text.contains(written), "{kind}: {text:?}");
            assert!(!heard.broken);
            let told = text.contains("This is the answer.");
            assert_eq!(told, kind != "unknownEvent", "{kind}: {text:?}");
            if kind == "bom" && caller.stateless {
                assert!(heard.bytes.starts_with("\u{feff}".as_bytes()));
            }
        }
        let ends = [("crlf", "\r\n\r\n"), ("cr", "\r\r")];
        for (kind, end) in ends {
            assert!(fault(&caller, kind).await.text().ends_with(end), "{kind}");
        }
        assert_eq!(fault(&caller, "noSpace").await.status, 200);
    }
}

async fn bodies_that_are_not_as_they_say(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let heard = fault(&caller, "jsonText").await;
        assert_eq!(heard.headers["content-type"], "text/plain");
        assert_eq!(heard.answer()["result"]["content"][0]["text"], "This is the answer.");
        let heard = fault(&caller, "cutJson").await;
        assert_eq!((heard.status, heard.broken), (200, false));
        assert_eq!(heard.headers["content-type"], "application/json");
        assert!(heard.text().starts_with("{\"") && !heard.text().ends_with('}'), "{heard:?}");
        caller.is_served().await;
    }
}
