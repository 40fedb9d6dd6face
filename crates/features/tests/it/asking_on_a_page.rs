//! Asking the user on a page: elicitation in URL mode, with pages that are kept here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use mcp_everything_features::{
    Call, CallError, Caller, Definition, Everything, FoundPage, NoInput, Options, Page, PageEnd,
    PageError, Pages, StateError, Tool, text as says,
};
use rmcp::model::{CallToolResult, Extensions};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{Raw, everything, options};

const TOOL: &str = "triggerUrlElicitation";

/// Pages by their names, each with what became of it.
struct Desk(watch::Sender<HashMap<String, Option<PageEnd>>>, Mutex<Option<PageError>>);

impl Desk {
    fn new() -> Arc<Self> {
        Arc::new(Self(watch::Sender::default(), Mutex::default()))
    }

    fn settle(&self, id: &str, end: PageEnd) {
        self.0.send_modify(|pages| {
            pages.entry(id.to_owned()).or_default().get_or_insert(end);
        });
    }

    async fn until_settled(&self, id: &str) -> PageEnd {
        let mut pages = self.0.subscribe();
        let settled = pages.wait_for(|pages| pages.get(id).is_some_and(Option::is_some)).await;
        settled.unwrap()[id].unwrap()
    }
}

#[async_trait]
impl Pages for Desk {
    async fn make(
        &self,
        _: Option<&Caller>,
        _: &Extensions,
        _: &str,
        _: Option<&str>,
    ) -> Result<Page, PageError> {
        if let Some(error) = *self.1.lock().unwrap() {
            return Err(error);
        }
        let id = format!("page{}", self.0.borrow().len());
        self.0.send_modify(|pages| {
            pages.insert(id.clone(), None);
        });
        Ok(self.page(&id))
    }

    async fn find(
        &self,
        _: Option<&Caller>,
        _: &Extensions,
        _: &str,
    ) -> Result<Option<FoundPage>, StateError> {
        Ok(None)
    }

    fn page(&self, id: &str) -> Page {
        Page { id: id.to_owned(), url: format!("https://server.example/{id}") }
    }

    async fn settled(&self, id: &str) -> Result<PageEnd, StateError> {
        Ok(self.until_settled(id).await)
    }

    async fn withdraw(&self, id: &str) -> Result<(), StateError> {
        self.settle(id, PageEnd::Declined);
        Ok(())
    }

    async fn use_up(&self, _: &str) -> Result<bool, StateError> {
        Ok(false)
    }
}

fn with(desk: &Arc<Desk>) -> Everything {
    let pages: Arc<dyn Pages> = Arc::<Desk>::clone(desk);
    Everything::new(Options { pages: Some(pages), ..options() }).unwrap()
}

fn can() -> Value {
    json!({ "elicitation": { "url": {} } })
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

async fn asking(desk: &Arc<Desk>) -> (Raw, u64, Value) {
    let mut client = Raw::stateful(&with(desk), "2025-11-25", can()).await;
    let id = client.ask("tools/call", json!({ "name": TOOL })).await;
    let question = client.asked().await;
    (client, id, question)
}

#[tokio::test]
async fn the_client_is_told_where_and_the_call_waits_for_the_page() {
    for (end, said) in [
        (PageEnd::Completed, "completed the page"),
        (PageEnd::Declined, "opened the page and refused"),
        (PageEnd::Gone, "did not complete the page in time"),
    ] {
        let desk = Desk::new();
        let (mut client, id, mut question) = asking(&desk).await;
        assert_eq!(question["method"], "elicitation/create");
        // rmcp's own.
        question["params"].as_object_mut().unwrap().remove("_meta");
        let expected = json!({
            "mode": "url", "elicitationId": "page0", "url": "https://server.example/page0",
            "message": "Please open the link to complete this action.",
        });
        assert_eq!(question["params"], expected);
        client.reply(&question, json!({ "action": "accept" })).await;
        assert!(client.settle().await.is_empty(), "it waits");
        desk.settle("page0", end);
        assert!(text(&client.answer_to(id).await).contains(said), "{end:?}");
    }
}

/// Nobody is to answer a question that nobody asks any more.
#[tokio::test]
async fn a_page_is_withdrawn_with_its_question() {
    let declined = json!({ "result": { "action": "decline" } });
    let cancelled = json!({ "result": { "action": "cancel" } });
    let error = json!({ "error": { "code": -1, "message": "no" } });
    let wrong = json!({ "result": { "action": 7 } });
    for mut answer in [declined, cancelled, error, wrong] {
        let desk = Desk::new();
        let (mut client, id, question) = asking(&desk).await;
        answer["jsonrpc"] = json!("2.0");
        answer["id"] = question["id"].clone();
        client.send(answer).await;
        assert!(!text(&client.answer_to(id).await).contains("completed"));
        assert_eq!(desk.until_settled("page0").await, PageEnd::Declined);
    }
    for agreed in [false, true] {
        let desk = Desk::new();
        let (mut client, id, question) = asking(&desk).await;
        if agreed {
            client.reply(&question, json!({ "action": "accept" })).await;
            client.settle().await;
        }
        let params = json!({ "requestId": id });
        let cancel = "notifications/cancelled";
        client.send(json!({ "jsonrpc": "2.0", "method": cancel, "params": params })).await;
        assert_eq!(desk.until_settled("page0").await, PageEnd::Declined);
    }
}

fn question(answer: &Value) -> (&Value, Value) {
    question_about("page", answer)
}

fn question_about<'a>(key: &str, answer: &'a Value) -> (&'a Value, Value) {
    let result = &answer["result"];
    assert_eq!(result["resultType"], "input_required", "{answer}");
    (&result["inputRequests"][key]["params"], result["requestState"].clone())
}

fn repeated(tool: &str, key: &str, action: &str, state: &Value) -> Value {
    let responses = json!({ key: { "action": action } });
    json!({ "name": tool, "arguments": {}, "inputResponses": responses, "requestState": state })
}

async fn repeat(client: &mut Raw, action: &str, state: &Value) -> Value {
    client.request("tools/call", repeated(TOOL, "page", action, state)).await
}

#[tokio::test(start_paused = true)]
async fn on_2026_07_28_it_is_asked_again_while_the_user_has_not_finished() {
    let desk = Desk::new();
    let mut client = Raw::stateless(&with(&desk), can()).in_paused_time();
    let first = client.call(TOOL, json!({})).await;
    let (asked, state) = question(&first);
    assert_eq!(
        (&asked["mode"], &asked["url"]),
        (&json!("url"), &json!("https://server.example/page0"))
    );
    // An answer to nothing that was asked is none.
    let responses = json!({ "page": { "action": "accept" } });
    let params = json!({ "name": TOOL, "arguments": {}, "inputResponses": responses });
    let unasked = client.request("tools/call", params).await;
    assert_eq!(question(&unasked).0["elicitationId"], "page1");

    let start = tokio::time::Instant::now();
    let second = repeat(&mut client, "accept", &state).await;
    assert_eq!(start.elapsed().as_secs(), 20);
    let (asked, state) = question(&second);
    assert_eq!(asked["elicitationId"], "page0", "it is the same page");
    // Whoever agreed may still think better of it.
    let third = repeat(&mut client, "decline", &state).await;
    assert!(text(&third).contains("declined to open"), "{third}");
    assert_eq!(desk.until_settled("page0").await, PageEnd::Declined);
    let (_, state) = question(&unasked);
    let other = repeat(&mut client, "accept", &state);
    let (other, ()) = tokio::join!(other, async { desk.settle("page1", PageEnd::Completed) });
    assert!(text(&other).contains("completed the page"), "{other}");
}

/// The user types on, whatever becomes of the request that waits for them.
#[tokio::test]
async fn on_2026_07_28_a_request_that_breaks_leaves_the_page_to_the_next() {
    let desk = Desk::new();
    let mut client = Raw::stateless(&with(&desk), can());
    let first = client.call(TOOL, json!({})).await;
    let (_, state) = question(&first);
    let id = client.ask("tools/call", repeated(TOOL, "page", "accept", &state)).await;
    assert!(client.settle().await.is_empty(), "it waits");
    let params = json!({ "requestId": id });
    let cancel = "notifications/cancelled";
    client.send(json!({ "jsonrpc": "2.0", "method": cancel, "params": params })).await;
    client.settle().await;
    desk.settle("page0", PageEnd::Completed);
    let again = repeat(&mut client, "accept", &state).await;
    assert!(text(&again).contains("completed the page"), "{again}");
}

/// Asks on one page after another.
struct Pair;

impl Tool for Pair {
    type Input = NoInput;

    fn definition(&self) -> Definition {
        Definition::new("pair", "Pair", "Asks on two pages")
    }

    async fn call(&self, _: NoInput, call: &Call<'_>) -> Result<CallToolResult, CallError> {
        let first = call.ask_url("first", "One?").await?;
        let second = call.ask_url("second", "Two?").await?;
        Ok(says(format!("{first:?} {second:?}")))
    }
}

#[tokio::test]
async fn on_2026_07_28_an_answer_stays_when_its_page_is_gone() {
    let desk = Desk::new();
    let pages: Arc<dyn Pages> = Arc::<Desk>::clone(&desk);
    let options = Options { pages: Some(pages), ..options() };
    let mut client = Raw::stateless(&Everything::new(options.with_tool(Pair)).unwrap(), can());
    let answer = client.call("pair", json!({})).await;
    let (_, state) = question_about("first", &answer);
    desk.settle("page0", PageEnd::Completed);
    let answer = client.request("tools/call", repeated("pair", "first", "accept", &state)).await;
    let (_, state) = question_about("second", &answer);
    // Each page has ten minutes of its own.
    desk.0.send_modify(|pages| {
        pages.insert("page0".to_owned(), Some(PageEnd::Gone));
    });
    desk.settle("page1", PageEnd::Declined);
    let answer = client.request("tools/call", repeated("pair", "second", "accept", &state)).await;
    assert_eq!(text(&answer), "Completed DeclinedOnPage");
}

#[tokio::test]
async fn where_there_is_no_page_that_is_said() {
    let none = everything();
    let (nobody, full) = (Desk::new(), Desk::new());
    *nobody.1.lock().unwrap() = Some(PageError::NoUser);
    *full.1.lock().unwrap() = Some(PageError::State(StateError::LimitReached));
    for (server, said) in [
        (none, "cannot ask its users on a page"),
        (with(&nobody), "no user who signs in"),
        (with(&full), "Too many pages"),
    ] {
        for arguments in [json!({}), json!({ "errorPath": true })] {
            let mut client = Raw::stateful(&server, "2025-11-25", can()).await;
            let answer = client.call(TOOL, arguments.clone()).await;
            assert_eq!(answer["result"]["isError"], true, "{answer}");
            assert!(text(&answer).contains(said), "{answer}");
            assert!(client.asides.is_empty(), "{:?}", client.asides);
            let answer = Raw::stateless(&server, can()).call(TOOL, arguments).await;
            assert!(text(&answer).contains(said), "{answer}");
        }
    }
}

#[tokio::test]
async fn no_page_is_made_for_a_client_that_cannot_be_asked() {
    let desk = Desk::new();
    let form_only = json!({ "elicitation": { "form": {} } });
    for (version, can) in [("2025-11-25", form_only.clone()), ("2025-06-18", can())] {
        let answer = Raw::stateful(&with(&desk), version, can).await.call(TOOL, json!({})).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
    }
    let answer = Raw::stateless(&with(&desk), form_only).call(TOOL, json!({})).await;
    assert_eq!(answer["error"]["code"], -32021, "{answer}");
    let url = json!({ "message": "x", "url": "https://evil.example" });
    let mut client = Raw::stateful(&with(&desk), "2025-11-25", can()).await;
    let answer = client.call(TOOL, url).await;
    assert!(text(&answer).contains("url") && !text(&answer).contains("evil"), "{answer}");
    assert!(desk.0.borrow().is_empty());
}
