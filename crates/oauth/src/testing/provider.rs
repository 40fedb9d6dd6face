//! An identity provider on a loopback port that answers as a test says.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use tokio::net::TcpListener;

/// Ends with the test's runtime.
pub(crate) struct TestProvider {
    base: String,
    state: Arc<ProviderState>,
}

#[derive(Default)]
struct ProviderState {
    replies: Mutex<HashMap<String, Arc<ReplyTo>>>,
    asked: Mutex<Vec<Asked>>,
}

type ReplyTo = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A request.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) form: HashMap<String, String>,
}

/// What it answers.
pub(crate) struct Reply(Response);

impl Reply {
    pub(crate) fn json(body: &(impl ToString + ?Sized)) -> Self {
        Self::with(StatusCode::OK, "application/json", &body.to_string())
    }

    pub(crate) fn with(status: StatusCode, content_type: &str, body: &str) -> Self {
        let headers = [(header::CONTENT_TYPE, content_type)];
        Self((status, headers, Body::from(body.to_owned())).into_response())
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self((StatusCode::FOUND, [(header::LOCATION, to)]).into_response())
    }
}

impl TestProvider {
    /// One that knows nothing: 404 for everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<ProviderState>::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { base, state }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What it answers at a path from now on.
    pub(crate) fn on(&self, path: &str, reply: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        self.state.replies.lock().unwrap().insert(path.to_owned(), Arc::new(reply));
    }

    /// The requests for a path so far.
    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.path == path).cloned().collect()
    }
}

async fn answer(
    State(state): State<Arc<ProviderState>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = form_urlencoded::parse(&body).into_owned().collect();
    let asked = Asked { path: uri.path().to_owned(), headers, form };
    state.asked.lock().unwrap().push(asked.clone());
    let reply = state.replies.lock().unwrap().get(uri.path()).cloned();
    reply.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |reply| reply(&asked).0)
}
