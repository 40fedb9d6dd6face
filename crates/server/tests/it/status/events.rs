//! Somebody who looks.

use futures::{StreamExt as _, stream::BoxStream};
use http::StatusCode;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::support::{Server, rows::client, soon};

/// What the page is told.
pub(super) struct Looking {
    body: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    text: String,
}

impl Looking {
    /// From the machine of the server, at whichever instance.
    pub(super) async fn at(server: &Server) -> Self {
        Self::sent(client().get(server.url("/status/events"))).await
    }

    /// The same, watching a session.
    pub(super) async fn watching(server: &Server, session: &str) -> Self {
        Self::sent(client().get(events_of(server, session))).await
    }

    pub(super) async fn sent(request: RequestBuilder) -> Self {
        Self::of(soon(request.send()).await.unwrap())
    }

    #[track_caller]
    pub(super) fn of(response: Response) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        Self { body, text: String::new() }
    }

    /// The next event, by its name; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
                if let Some((name, data)) = field("event: ").zip(field("data: ")) {
                    return Some((name.to_owned(), serde_json::from_str(data).unwrap()));
                }
            }
            let chunk = soon(self.body.next()).await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event of this name of which that is true.
    pub(super) async fn until(&mut self, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let (other, data) = self.next().await.expect("the stream goes on");
                if other == name && is_it(&data) {
                    return data;
                }
            }
        };
        soon(found).await
    }

    /// Steps, until this is true of all that there were.
    pub(super) async fn steps(&mut self, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut steps = Vec::new();
        while !enough(&steps) {
            let more = self.until("steps", |_| true).await;
            steps.extend(more.as_array().unwrap().clone());
        }
        steps
    }
}

/// Where a session is watched.
pub(super) fn events_of(server: &Server, session: &str) -> String {
    server.url(&format!("/status/events?session={session}"))
}
