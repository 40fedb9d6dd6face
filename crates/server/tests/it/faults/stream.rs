//! `faultStream`.

use serde_json::json;

use super::{Caller, Heard, open};
use crate::support::Deployment;

on_every_deployment!(
    what_a_cut_takes_a_resume_brings,
    an_event_that_was_cut_in_two_comes_whole,
    a_stream_that_is_closed_says_when_to_come_back,
    what_is_withheld_a_resume_brings,
    an_event_is_missing,
    an_event_comes_twice,
    events_come_out_of_order,
    there_is_no_answer_anywhere,
    there_is_no_response_at_all,
);

async fn fault(caller: &Caller, kind: &str) -> Heard {
    caller.call("faultStream", json!({ "kind": kind, "retry": 250 })).await
}

/// That the rest is there for whoever comes back, at whichever instance.
async fn comes_back(caller: &Caller, heard: &Heard, kind: &str, progress: &[u64]) {
    let rest = caller.resume(heard.last_id().as_deref()).await;
    assert_eq!(rest.progress(), progress, "{kind}");
    rest.is_answered_after(kind);
}

async fn what_a_cut_takes_a_resume_brings(on: &Deployment) {
    let server = open(on);
    let caller = Caller::with_session(&server).await;
    let heard = fault(&caller, "cut").await;
    assert!(heard.broken && heard.has_no_answer(), "{heard:?}");
    assert_eq!(heard.progress(), [1]);
    comes_back(&caller, &heard, "cut", &[2]).await;
}

async fn an_event_that_was_cut_in_two_comes_whole(on: &Deployment) {
    let server = open(on);
    let caller = Caller::with_session(&server).await;
    let heard = fault(&caller, "cutInEvent").await;
    assert!(heard.broken && !heard.text().ends_with('\n'), "{heard:?}");
    let first = heard.events().pop().unwrap();
    assert_eq!(heard.progress(), [1]);
    let rest = caller.resume(first.id.as_deref()).await;
    assert_eq!(rest.progress(), [2]);
    rest.is_answered_after("cutInEvent");
}

async fn a_stream_that_is_closed_says_when_to_come_back(on: &Deployment) {
    let server = open(on);
    let caller = Caller::with_session(&server).await;
    let heard = fault(&caller, "close").await;
    assert!(!heard.broken && heard.text().ends_with("retry: 250\n\n"), "{heard:?}");
    assert_eq!(heard.progress(), [1]);
    comes_back(&caller, &heard, "close", &[2]).await;
}

async fn what_is_withheld_a_resume_brings(on: &Deployment) {
    let server = open(on);
    let caller = Caller::with_session(&server).await;
    let heard = fault(&caller, "withheld").await;
    assert!(heard.broken, "{heard:?}");
    assert_eq!(heard.progress(), [1]);
    comes_back(&caller, &heard, "withheld", &[2, 3]).await;
}

async fn an_event_is_missing(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let heard = fault(&caller, "gap").await;
        assert_eq!(heard.progress(), [1, 3]);
        heard.is_answered_after("gap");
        if !caller.stateless {
            let rest = caller.resume(heard.events()[0].id.as_deref()).await;
            assert_eq!(rest.progress(), [2, 3]);
        }
    }
}

async fn an_event_comes_twice(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let heard = fault(&caller, "twice").await;
        assert_eq!(heard.progress(), [1, 2, 2, 3]);
        let events = heard.events();
        assert_eq!(events[1], events[2]);
        assert_eq!(events[1].id.is_some(), !caller.stateless);
        heard.is_answered_after("twice");
    }
}

async fn events_come_out_of_order(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        let heard = fault(&caller, "outOfOrder").await;
        assert_eq!(heard.progress(), [1, 3, 2]);
        heard.is_answered_after("outOfOrder");
        if !caller.stateless {
            let rest = caller.resume(heard.events()[2].id.as_deref()).await;
            assert_eq!(rest.progress(), [3], "the third has the later id");
        }
    }
}

async fn there_is_no_answer_anywhere(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for (kind, broken) in [("cutForGood", true), ("noAnswer", false)] {
            let heard = fault(&caller, kind).await;
            assert_eq!((heard.broken, heard.has_no_answer()), (broken, true), "{heard:?}");
            assert_eq!(heard.progress(), [1]);
            if !caller.stateless {
                assert_eq!(caller.resume(heard.last_id().as_deref()).await.status, 405);
            }
        }
        caller.is_served().await;
    }
}

/// The balancer would answer in place of the instance.
async fn there_is_no_response_at_all(on: &Deployment) {
    let server = open(on);
    for caller in Caller::both(&server).await {
        for number in 0..server.instances.len() {
            let mcp = caller.mcp.at(&server, number);
            let direct = Caller { mcp, ..caller };
            let heard = direct.try_call("faultStream", &json!({ "kind": "noResponse" })).await;
            assert!(heard.is_err(), "{heard:?}");
            direct.is_served().await;
        }
    }
}
