//! An authorization server on a port of its own.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// What is answered at a path.
#[derive(Clone)]
pub(crate) enum Answer {
    Json(Value),
    Status(u16),
    Text(String),
    /// Elsewhere.
    Redirect(String),
    /// Nothing, and the connection stays open.
    Never,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

#[derive(Default)]
struct Inner {
    answers: Mutex<HashMap<String, Answer>>,
    asked: Mutex<Vec<Asked>>,
}

pub(crate) struct Elsewhere {
    pub(crate) issuer: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Elsewhere {
    /// With metadata at the usual place and nothing behind it.
    pub(crate) fn start() -> Self {
        let server = Self::silent("");
        server.answer(
            "/.well-known/oauth-authorization-server",
            Answer::Json(server.metadata(&json!({}))),
        );
        server
    }

    /// With nothing. Its issuer has this path.
    pub(crate) fn silent(path: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let issuer = format!("http://{}{path}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner::default());
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { issuer, inner, task }
    }

    /// Nobody listens there any more.
    pub(crate) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    pub(crate) fn metadata(&self, changes: &Value) -> Value {
        let mut metadata = json!({
            "issuer": self.issuer,
            "introspection_endpoint": format!("{}/introspect", self.issuer),
            "jwks_uri": format!("{}/keys", self.issuer),
        });
        for (name, value) in changes.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        metadata
    }

    pub(crate) fn answer(&self, path: &str, answer: Answer) {
        self.inner.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// What was asked at a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.inner.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let authorization = request.headers().get("authorization");
    let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 10_000).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    inner.asked.lock().unwrap().push(Asked { path: path.clone(), authorization, body });
    let answer = inner.answers.lock().unwrap().get(&path).cloned();
    match answer {
        Some(Answer::Json(value)) => Json(value).into_response(),
        Some(Answer::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Answer::Text(text)) => text.into_response(),
        Some(Answer::Redirect(url)) => (StatusCode::FOUND, [("location", url)]).into_response(),
        Some(Answer::Never) => std::future::pending().await,
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
