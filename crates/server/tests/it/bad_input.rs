//! `docs/bad-input.md`, tried row by row.

use reqwest::{Client, Method, header::HeaderMap};
use serde_json::Value;

use crate::support::{Answer, Deployment, Mcp, Server, Sse};

on_every_deployment!(
    without_a_session,
    in_a_session,
    http_with_sse,
    without_sessions_at_all,
    authorization,
);

const PAGE: &str = include_str!("../../../../docs/bad-input.md");

#[derive(Debug)]
struct Row {
    method: Method,
    path: String,
    headers: Vec<(String, Option<String>)>,
    body: String,
    status: u16,
    code: String,
    says: String,
}

/// The rows of one section of the page.
fn rows(section: &str) -> Vec<Row> {
    let start = PAGE.find(&format!("\n## {section}\n")).expect("the page has the section") + 1;
    let text = &PAGE[start..];
    let text = &text[..text[2..].find("\n## ").map_or(text.len(), |end| end + 2)];
    let lines =
        text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| request"));
    lines
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [request, headers, body, status, code, says] = cells[..] else {
                panic!("a row has six cells: {line}")
            };
            let (method, path) = request.split_once(' ').unwrap();
            let headers = headers.split("; ").filter(|header| !header.is_empty()).map(|header| {
                if let Some(name) = header.strip_prefix('-') {
                    return (name.to_owned(), None);
                }
                let (name, value) = header.split_once(':').unwrap();
                (name.to_owned(), Some(value.trim().to_owned()))
            });
            Row {
                method: method.parse().unwrap(),
                path: path.to_owned(),
                headers: headers.collect(),
                body: with_long_texts(body.trim_matches('`')),
                status: status.parse().unwrap(),
                code: code.to_owned(),
                says: says.to_owned(),
            }
        })
        .collect()
}

/// `<5 x>` is `xxxxx`.
fn with_long_texts(body: &str) -> String {
    let Some((before, rest)) = body.split_once('<') else { return body.to_owned() };
    let (length, after) = rest.split_once(" x>").unwrap();
    format!("{before}{}{after}", "x".repeat(length.parse().unwrap()))
}

impl Row {
    async fn send(&self, http: &Client, server: &Server, session: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        let usual = [
            ("accept", Some("application/json, text/event-stream")),
            ("content-type", Some("application/json").filter(|_| self.method == Method::POST)),
            ("mcp-session-id", session),
        ];
        for (name, value) in usual {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        for (name, value) in &self.headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            match value {
                Some(value) => _ = headers.insert(name, value.parse().unwrap()),
                None => _ = headers.remove(name),
            }
        }
        let request = http.request(self.method.clone(), server.url(&self.path)).headers(headers);
        Answer::of(request.body(self.body.clone()).send().await.unwrap()).await
    }

    /// What is not as the row says.
    fn wrong(&self, answer: &Answer) -> Option<String> {
        let body = &answer.body;
        let told = body.to_string();
        let code = match self.code.as_str() {
            "" => true,
            "isError" => body["result"]["isError"] == true,
            "page" => {
                let kind = answer.headers.get("content-type");
                kind.is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"))
                    && !answer.headers.contains_key("location")
            }
            code => match code.parse::<i64>() {
                Ok(code) => body["error"]["code"] == code && body["jsonrpc"] == "2.0",
                Err(_) => body["error"] == code && body["error_description"].is_string(),
            },
        };
        let id =
            serde_json::from_str::<Value>(&self.body).ok().and_then(|sent| sent.get("id").cloned());
        let answers_the_request = answer.status != 200 || id.is_none_or(|id| body["id"] == id);
        let right = answer.status == self.status
            && code
            && told.contains(&self.says)
            && answers_the_request;
        (!right).then(|| format!("{self:?}\n  was answered {} {told}", answer.status))
    }
}

async fn try_rows(section: &str, server: &Server, session: Option<&str>) -> usize {
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let rows = rows(section);
    let mut wrong = Vec::new();
    for row in &rows {
        wrong.extend(row.wrong(&row.send(&http, server, session).await));
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    rows.len()
}

async fn without_a_session(on: &Deployment) {
    let server = on.open();
    assert!(try_rows("Without a session", &server, None).await > 40);
}

async fn in_a_session(on: &Deployment) {
    let server = on.open();
    let client = Mcp::anonymous(&server).await;
    assert!(try_rows("In a session", &server, client.session.as_deref()).await > 40);
    // Nothing was lost by it.
    let echoed = client.call("echo", serde_json::json!({ "message": "hi" })).await;
    assert_eq!(echoed.text(), "Echo: hi");
}

/// What is wrong with a message that was accepted is said on the stream.
async fn http_with_sse(on: &Deployment) {
    let server = on.open();
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let mut client = Sse::open(&server, None).await;
    client.initialize().await;
    let session = client.endpoint.query().unwrap().to_owned();
    let rows = rows("HTTP with SSE");
    assert!(rows.len() > 25);
    let mut wrong = Vec::new();
    for mut row in rows {
        row.path = row.path.replace("sessionId={session}", &session);
        let mut answer = row.send(&http, &server, None).await;
        if answer.status == 202 && !row.code.is_empty() {
            answer.body = client.stream.next().await.unwrap();
        }
        wrong.extend(row.wrong(&answer));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(client.call("echo", serde_json::json!({ "message": "hi" })).await, "Echo: hi");
}

async fn without_sessions_at_all(on: &Deployment) {
    let server = on.open();
    assert!(try_rows("2026-07-28", &server, None).await > 10);
}

async fn authorization(on: &Deployment) {
    let server = on.start();
    assert!(try_rows("Authorization", &server, None).await > 20);
}
