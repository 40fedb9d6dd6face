//! A client that sends a user away to sign in, and waits for the browser to come back.

use std::collections::HashMap;

use axum::{
    Router,
    extract::{Query, State},
    response::Html,
    routing::get,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::{
    chromium::Chromium,
    it::support::{BOUND, Mcp, Server, SignIn},
    pages::{ALLOW, SIGN_IN},
};

type Answer = HashMap<String, String>;

pub(crate) struct Visit<'a> {
    sign_in: SignIn<'a>,
    answers: mpsc::UnboundedReceiver<Answer>,
}

impl<'a> Visit<'a> {
    pub(crate) async fn to(server: &'a Server) -> Self {
        Self::of("Test", server).await
    }

    /// The same of a client that calls itself something else.
    pub(crate) async fn of(name: &str, server: &'a Server) -> Self {
        let (sender, answers) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let router = Router::new().route("/callback", get(callback)).with_state(sender);
        tokio::spawn(async { axum::serve(listener, router).await });
        let mut sign_in = SignIn::register_as(name, server).await;
        sign_in.redirect_uri = format!("http://127.0.0.1:{port}/callback");
        Self { sign_in, answers }
    }

    /// Where the user begins.
    pub(crate) fn url(&self) -> String {
        self.sign_in.authorization_url().into()
    }

    /// With what the browser comes back.
    pub(crate) async fn answer(&mut self, browser: &Chromium) -> Answer {
        let Ok(Some(answer)) = timeout(BOUND, self.answers.recv()).await else {
            panic!("the browser does not come back: {:?}", browser.complaints().await);
        };
        assert_eq!(answer["state"], "the state");
        assert_eq!(answer["iss"], self.sign_in.server.base);
        // The page of the client has this element.
        browser.text("#arrived").await;
        assert!(browser.url().await.starts_with(&self.sign_in.redirect_uri));
        answer
    }

    /// Allows what is asked for and signs in with the id that the page has; then, that id and a
    /// client with a session.
    pub(crate) async fn accept(&mut self, browser: &Chromium) -> (String, Mcp) {
        browser.open(&self.url()).await;
        browser.click(ALLOW).await;
        let user = browser.value("#userId").await;
        browser.click(SIGN_IN).await;
        let answer = self.answer(browser).await;
        (user, self.client(&answer).await)
    }

    /// The client, with the token that the code gives, and a session.
    pub(crate) async fn client(&self, answer: &Answer) -> Mcp {
        let tokens: Value = self.sign_in.redeem(&answer["code"]).await.json().await.unwrap();
        let mut client = Mcp::new(self.sign_in.server);
        client.token = tokens["access_token"].as_str().map(str::to_owned);
        client.initialize(serde_json::json!({})).await;
        client
    }

    /// The user whom the client's token is of.
    pub(crate) async fn user(&self, client: &Mcp) -> String {
        let token = client.token.as_deref().unwrap();
        let form = [("token", token), ("client_id", &self.sign_in.client_id)];
        let url = self.sign_in.server.url("/introspect");
        let answer = self.sign_in.browser.http.post(url).form(&form).send().await.unwrap();
        let told: Value = answer.json().await.unwrap();
        told["sub"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
    }
}

async fn callback(
    State(answers): State<mpsc::UnboundedSender<Answer>>,
    Query(answer): Query<Answer>,
) -> Html<&'static str> {
    let _ = answers.send(answer);
    Html("<!doctype html><link rel=icon href='data:,'><p id=arrived>Back at the client</p>")
}
