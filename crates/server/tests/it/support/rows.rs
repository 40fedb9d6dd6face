//! Pages of wrong requests, one in each row of a table, with what they are answered.

use reqwest::{
    Client, Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderName},
    redirect::Policy,
};
use serde_json::Value;

use super::{Answer, Server};

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Instead of the usual ones; `None` takes one away.
    pub(crate) headers: Vec<(String, Option<String>)>,
    pub(crate) body: String,
    pub(crate) status: u16,
    pub(crate) code: String,
    /// Part of what the answer says.
    pub(crate) says: String,
}

/// A client that is not led anywhere.
pub(crate) fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().unwrap()
}

impl Row {
    /// All rows of the tables in a text. A seventh cell, if there is one, is for people.
    pub(crate) fn all(text: &str) -> Vec<Self> {
        let lines = text.lines().filter(|line| line.starts_with("| "));
        lines.filter(|line| !line.starts_with("| request")).map(Self::read).collect()
    }

    fn read(line: &str) -> Self {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let ([request, headers, body, status, code, says]
        | [request, headers, body, status, code, says, _]) = cells[..]
        else {
            panic!("a row has six or seven cells: {line}")
        };
        let (method, path) = request.split_once(' ').unwrap();
        let headers = headers.split("; ").filter(|header| !header.is_empty()).map(|header| {
            if let Some(name) = header.strip_prefix('-') {
                return (name.to_owned(), None);
            }
            let (name, value) = header.split_once(':').unwrap();
            (name.to_owned(), Some(value.trim().to_owned()))
        });
        Self {
            method: method.parse().unwrap(),
            path: with_long_texts(path),
            headers: headers.collect(),
            body: with_long_texts(body.trim_matches('`')),
            status: status.parse().unwrap(),
            code: code.to_owned(),
            says: says.to_owned(),
        }
    }

    /// Sends it, where a POST that says nothing else has a body of this type.
    pub(crate) async fn send(
        &self,
        http: &Client,
        server: &Server,
        content_type: &str,
        session: Option<&str>,
    ) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("accept", "application/json, text/event-stream".parse().unwrap());
        if self.method == Method::POST {
            headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        }
        if let Some(session) = session {
            headers.insert("mcp-session-id", session.parse().unwrap());
        }
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            match value {
                Some(value) => _ = headers.insert(name, value.parse().unwrap()),
                None => _ = headers.remove(name),
            }
        }
        let request = http.request(self.method.clone(), server.url(&self.path)).headers(headers);
        Answer::of(request.body(self.body.clone()).send().await.unwrap()).await
    }

    /// What is not as the row says.
    pub(crate) fn wrong(&self, answer: &Answer) -> Option<String> {
        let body = &answer.body;
        let told = body.to_string();
        let code = match self.code.as_str() {
            "" => true,
            "isError" => body["result"]["isError"] == true,
            "page" => {
                let kind = answer.headers.get(CONTENT_TYPE);
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

/// `<5 x>` is `xxxxx`.
fn with_long_texts(text: &str) -> String {
    let Some((before, rest)) = text.split_once('<') else { return text.to_owned() };
    let Some((length, after)) = rest.split_once(" x>") else { return text.to_owned() };
    format!("{before}{}{after}", "x".repeat(length.parse().unwrap()))
}
