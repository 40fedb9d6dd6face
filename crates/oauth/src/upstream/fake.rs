//! A provider that believes everybody, for development and tests.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use mcp_everything_store::Random;

use super::{Answer, Departure, Provider, Upstream, UpstreamError, UserId};
use crate::{
    BaseUri,
    pages::{self, ErrorPage, FakeUpstreamPage, Site},
    params::Params,
};

const LONGEST_USER_ID: usize = 128;

/// A provider at `/fakeupstreamauth/`. Its user types a user id, or keeps the one it suggests.
pub struct FakeUpstream {
    page: Arc<Page>,
}

struct Page {
    base: BaseUri,
    service: String,
    random: Arc<dyn Random>,
}

impl FakeUpstream {
    /// A provider on the pages of the server at `base`, which calls itself `service`.
    pub fn new(base: BaseUri, service: impl Into<String>, random: Arc<dyn Random>) -> Self {
        Self { page: Arc::new(Page { base, service: service.into(), random }) }
    }
}

#[async_trait]
impl Upstream for FakeUpstream {
    fn callback_paths(&self) -> &[&'static str] {
        &["/fakeupstreamauth/redirect", "/fakeupstreamauth/callback"]
    }

    fn pages(&self) -> Router {
        Router::new()
            .route("/fakeupstreamauth/authorize", get(show))
            .with_state(Arc::clone(&self.page))
    }

    fn provider(&self) -> Option<&Provider> {
        None
    }

    async fn prepare(&self) -> Result<(), UpstreamError> {
        Ok(())
    }

    async fn begin(&self, state: &str) -> Result<Departure, UpstreamError> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("redirect_uri", &self.page.base.join("/fakeupstreamauth/redirect"))
            .append_pair("state", state)
            .finish();
        let url = self.page.base.join("/fakeupstreamauth/authorize");
        Ok(Departure { url: format!("{url}?{query}"), memo: String::new() })
    }

    async fn identify(&self, answer: &Answer<'_>, _memo: &str) -> Result<UserId, UpstreamError> {
        if answer.get("error")?.is_some() {
            return Err(UpstreamError::Denied);
        }
        answer.get("userId")?.and_then(user_id).ok_or_else(|| UpstreamError::BadAnswer {
            reason: format!("userId is not 1 to {LONGEST_USER_ID} letters, digits or ._~@+:-"),
        })
    }
}

/// Stricter than what a real provider may send, because anybody can send anything here.
fn user_id(text: &str) -> Option<UserId> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~@+:-".contains(&byte);
    let is_sound = text.len() <= LONGEST_USER_ID && text.bytes().all(allowed);
    UserId::parse(text).filter(|_| is_sound)
}

async fn show(State(page): State<Arc<Page>>, RawQuery(query): RawQuery) -> Response {
    let site = Site { base: page.base.path(), service: &page.service };
    let params = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let Ok(Some(state)) = params.one("state") else {
        let what = "This page was opened without a login under way.";
        let advice = "Go back to the program or page that sent you here, and start again there.";
        return pages::respond(
            StatusCode::BAD_REQUEST,
            &ErrorPage { site, what, advice, to_account: false },
        );
    };
    let mut bytes = [0; 16];
    page.random.fill(&mut bytes);
    let suggestion = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
    pages::respond(StatusCode::OK, &FakeUpstreamPage { site, state, suggestion: &suggestion })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestServer;

    async fn identified(query: &str) -> Result<UserId, UpstreamError> {
        let params = Params::parse(query.as_bytes()).unwrap();
        let base = BaseUri::parse("http://localhost:3232").unwrap();
        let random = Arc::new(mcp_everything_store::TestRandom::seeded(1));
        FakeUpstream::new(base, "Test", random).identify(&Answer(&params), "").await
    }

    #[tokio::test]
    async fn the_user_id_is_believed_if_it_is_sound() {
        for good in ["alice", "0b9cd0a4-8d6c-4d43-8b0a-0e5f3f3ff1d5", "a.b_c~d@e-f", "x:y"] {
            assert_eq!(identified(&format!("userId={good}")).await, Ok(UserId(good.into())));
        }
        let longest = "x".repeat(128);
        assert!(identified(&format!("userId={longest}")).await.is_ok());
        for bad in [
            "",
            "userId=",
            "userId=a&userId=b",
            "userId=a%20b",
            "userId=a%0Ab",
            "userId=%3Cscript%3E",
            "userId=%C3%A9",
            &format!("userId={longest}x"),
        ] {
            let refused = identified(bad).await;
            assert!(matches!(refused, Err(UpstreamError::BadAnswer { .. })), "{bad}");
        }
        assert_eq!(identified("error=access_denied&userId=a").await, Err(UpstreamError::Denied));
    }

    #[tokio::test]
    async fn the_page_suggests_a_new_id_each_time() {
        let server = TestServer::new();
        let mut seen = Vec::new();
        for _ in 0..2 {
            let page = server.get("/fakeupstreamauth/authorize?state=a%22b").await;
            assert_eq!(page.status, 200);
            assert!(page.header("content-security-policy").contains("script-src 'self'"));
            let form = page.form();
            assert_eq!(form.action, "/fakeupstreamauth/redirect");
            assert_eq!(form.value("state"), "a\"b");
            let id = form.value("userId");
            assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
            seen.push(id);
        }
        assert_ne!(seen[0], seen[1]);
    }

    #[tokio::test]
    async fn without_a_login_there_is_nothing_to_sign_in_to() {
        let server = TestServer::new();
        for query in ["", "?", "?state=", "?state=a&state=b"] {
            let page = server.get(&format!("/fakeupstreamauth/authorize{query}")).await;
            assert_eq!(page.status, 400, "{query}");
            assert!(page.body.contains("without a login"), "{query}");
        }
    }
}
