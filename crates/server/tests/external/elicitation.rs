//! A user is asked on a page, beside their client.

use serde_json::{Value, json};

use crate::{
    chromium::Chromium,
    it::support::{Mcp, Server, Stream, call, secrets},
    pages::SIGN_IN,
    pages_look_right::look,
    visit::Visit,
};

const OPEN: &str = "form[action$='/sign-in'] .primary";
const ANSWER: &str = "form[action*='/elicitation/'] .primary";

/// A call that asks, as far as its question, and where the user is to answer.
async fn asked(client: &Mcp) -> (Stream, Value, String) {
    let message = json!({ "message": "What is the magic word?" });
    let mut stream = Stream::of(client.send(&call(1, "triggerUrlElicitation", &message)).await);
    let question = stream.until("elicitation/create").await;
    let url = question["params"]["url"].as_str().unwrap().to_owned();
    (stream, question["id"].clone(), url)
}

#[tokio::test]
async fn a_user_opens_the_link_signs_in_and_answers() {
    let server = Server::start();
    let mut visit = Visit::to(&server).await;
    let (profile, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let browser = Chromium::start(profile.path()).await;
    let (user, mut client) = visit.accept(&browser).await;
    client.session = None;
    client.initialize(json!({ "elicitation": { "url": {} } })).await;
    let (mut stream, id, url) = asked(&client).await;
    let agreed = json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "accept" } });
    assert_eq!(client.post(&agreed).await.status, 202);

    // Somebody else, whom the link was sent to.
    let stranger = Chromium::start(other.path()).await;
    stranger.open(&url).await;
    look(&stranger, "elicitation-sign-in").await;
    stranger.click(OPEN).await;
    assert_ne!(stranger.value("#userId").await, user);
    stranger.click(SIGN_IN).await;
    let refused = stranger.text("[role=alert]").await;
    assert!(refused.contains("somebody else"), "{refused}");
    assert!(!stranger.text("main").await.contains("magic word"));
    look(&stranger, "elicitation-refused").await;

    browser.open(&url).await;
    browser.click(OPEN).await;
    assert_eq!(browser.value("#userId").await, user, "the browser remembers who it is");
    browser.click(SIGN_IN).await;
    assert!(browser.is_shown("#answer").await);
    let page = browser.text("main").await;
    for said in [&user, "Test", "What is the magic word?"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    look(&browser, "elicitation").await;
    let secret = "abracadabra, and nobody else knows";
    secrets::seen(secret);
    browser.fill("#answer", secret).await;
    browser.click(ANSWER).await;
    assert!(browser.is_shown("#completed").await);
    look(&browser, "elicitation-completed").await;
    let answer = stream.last().await;
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("the user completed the page"), "{answer}");
    assert!(!answer.to_string().contains(secret), "{answer}");
    browser.open(&url).await;
    assert!(browser.is_shown("#completed").await);
    assert_eq!(browser.complaints().await, [""; 0]);
}
