//! `/elicitation/{id}`: where a user answers what must not pass through a client (MCP, Elicitation,
//! URL mode).
//!
//! The link says nothing of the user and opens nothing by itself: whoever comes by it must be signed
//! in as the user in whose name the client asked (Elicitation, Phishing). They sign in as they do
//! for the account page, and the session is the same. Each form is signed for the browser, the
//! elicitation and the user it is shown to, so no other site can submit one.
//!
//! Where nobody signs in at all, everybody is one user, and the page is everybody's.

mod error;
mod form;
mod sign_in;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use mcp_everything_store::{
    Clock, Elicitation, ElicitationId, ElicitationState, Owner, Random, SecretKeys,
    SettledElicitation, Settlement, StoreError,
};

use self::error::ElicitationError;
use super::{Context, account::Session, assets};
use crate::{
    BaseUri,
    browser::Browser,
    pages::{self, ElicitationOverPage, ElicitationPage, Site},
};

/// What users are asked on pages, as the server beside keeps it.
#[async_trait]
pub trait Elicitations: Send + Sync + 'static {
    /// An elicitation, whosever it is. `None` for one that is not there, or is too old.
    async fn find(&self, id: ElicitationId) -> Result<Option<Elicitation>, StoreError>;

    /// Settles an elicitation, unless it is settled otherwise, and tells whoever waits for that.
    async fn settle(
        &self,
        id: ElicitationId,
        to: Settlement,
    ) -> Result<Option<SettledElicitation>, StoreError>;
}

/// The pages of a server where nobody signs in: everybody is one user.
pub struct ElicitationPages {
    /// The server's public URL.
    pub base: BaseUri,
    /// What it is called.
    pub service: String,
    /// What is asked.
    pub elicitations: Arc<dyn Elicitations>,
    /// Signs forms.
    pub keys: SecretKeys,
    /// The time for what it signs.
    pub clock: Arc<dyn Clock>,
    /// Where the names of browsers come from.
    pub random: Arc<dyn Random>,
}

impl ElicitationPages {
    /// The pages, and the style they have.
    pub fn router(self) -> Router {
        routes(Desk { pages: self, server: None }).merge(assets::router())
    }
}

/// The path of an elicitation's page, below that of the server.
pub fn elicitation_path(id: impl std::fmt::Display) -> String {
    format!("/elicitation/{id}")
}

/// The pages of a server whose users sign in here, if it has any.
pub(super) fn router(context: &Arc<Context>) -> Option<Router<Arc<Context>>> {
    let pages = ElicitationPages {
        base: context.config.issuer.clone(),
        service: context.config.service.clone(),
        elicitations: Arc::clone(context.elicitations.as_ref()?),
        keys: context.keys.clone(),
        clock: Arc::clone(&context.clock),
        random: Arc::clone(&context.random),
    };
    let server = Some(Arc::clone(context));
    Some(routes(Desk { pages, server }).route_layer(axum::middleware::from_fn_with_state(
        Arc::clone(context),
        super::limits::pages,
    )))
}

fn routes<S: Clone + Send + Sync + 'static>(desk: Desk) -> Router<S> {
    Router::new()
        .route("/elicitation/{id}", get(show).post(form::post))
        .route("/elicitation/{id}/sign-in", post(sign_in::post))
        .with_state(Arc::new(desk))
}

/// What the pages stand on.
struct Desk {
    pages: ElicitationPages,
    /// Where users sign in; `None` where nobody does.
    server: Option<Arc<Context>>,
}

/// Whoever sits before the browser.
struct Visitor {
    user: String,
    issuer: String,
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match shown(&desk, &id, &headers).await {
        Ok(response) => response,
        Err(error) => error.respond(&desk),
    }
}

async fn shown(desk: &Desk, id: &str, headers: &HeaderMap) -> Result<Response, ElicitationError> {
    let (id, elicitation) = desk.find(id).await?;
    let Some(visitor) = desk.visitor(headers) else { return Ok(sign_in::ask(desk, id, headers)) };
    visitor.is_asked(&elicitation)?;
    let over = |completed| {
        let page = ElicitationOverPage { site: desk.site(), completed };
        Ok(pages::respond(StatusCode::OK, &page))
    };
    match elicitation.state {
        ElicitationState::Waiting => Ok(ask(desk, id, &elicitation, &visitor, headers).await),
        ElicitationState::Completed | ElicitationState::Used => over(true),
        ElicitationState::Declined => over(false),
    }
}

/// The page with the question.
async fn ask(
    desk: &Desk,
    id: ElicitationId,
    elicitation: &Elicitation,
    visitor: &Visitor,
    headers: &HeaderMap,
) -> Response {
    let browser = desk.browser(headers);
    let until = desk.pages.clock.now() + desk.life();
    let asked = visitor.form(id);
    let signature = browser.sign(&desk.pages.keys, &asked, until, &*desk.pages.random);
    let client = desk.client(&elicitation.owner).await;
    let page = ElicitationPage {
        site: desk.site(),
        user: desk.server.is_some().then_some(visitor.user.as_str()),
        client: client.as_deref(),
        message: &elicitation.message,
        id: &id.to_string(),
        signature: &signature,
    };
    desk.respond(&page, &browser)
}

impl Desk {
    fn site(&self) -> Site<'_> {
        Site { base: self.pages.base.path(), service: &self.pages.service }
    }

    /// How long a form is good.
    fn life(&self) -> std::time::Duration {
        let lives = self.server.as_ref().map(|server| server.config.lifetimes);
        lives.unwrap_or_default().pending
    }

    async fn find(&self, id: &str) -> Result<(ElicitationId, Elicitation), ElicitationError> {
        let id = id.parse().map_err(|_| ElicitationError::NoSuch)?;
        let found = self.pages.elicitations.find(id).await?;
        Ok((id, found.ok_or(ElicitationError::NoSuch)?))
    }

    /// Who is signed in; where nobody signs in, whoever comes.
    fn visitor(&self, headers: &HeaderMap) -> Option<Visitor> {
        let Some(server) = &self.server else {
            let Owner { user, issuer, client: _ } = Owner::anonymous();
            return Some(Visitor { user, issuer });
        };
        let session = Session::of(server, headers)?;
        let issuer = server.config.issuer.as_str().to_owned();
        Some(Visitor { user: session.user().to_owned(), issuer })
    }

    fn browser(&self, headers: &HeaderMap) -> Browser {
        let https = self.pages.base.is_https();
        Browser::of(headers, https).unwrap_or_else(|| Browser::new(&*self.pages.random, https))
    }

    /// What the client that asks calls itself, as far as it is known.
    async fn client(&self, owner: &Owner) -> Option<String> {
        let client = self.server.as_ref()?.client(&owner.client).await;
        client.ok().flatten()?.name
    }

    /// A page with a form that is signed for this browser.
    fn respond(&self, page: &impl askama::Template, browser: &Browser) -> Response {
        let mut response = pages::respond(StatusCode::OK, page);
        if let Some(cookie) = browser.cookie(self.life()) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }

    /// Sends the browser to the page of an elicitation.
    fn to_page(&self, id: ElicitationId) -> Response {
        to(&self.pages.base, id, None)
    }
}

/// Sends the browser to the page of an elicitation. With a cookie it begins a session.
pub(super) fn to(base: &BaseUri, id: ElicitationId, cookie: Option<HeaderValue>) -> Response {
    let url = base.join(&elicitation_path(id));
    let headers = [
        (header::LOCATION, HeaderValue::from_str(&url).ok()),
        (header::CACHE_CONTROL, Some(HeaderValue::from_static("no-store"))),
        (header::REFERRER_POLICY, Some(HeaderValue::from_static("no-referrer"))),
        (header::SET_COOKIE, cookie),
    ];
    let mut response = StatusCode::SEE_OTHER.into_response();
    for (name, value) in headers {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl Visitor {
    /// The client that had the user asked may be any: it is the user who answers.
    fn is_asked(&self, elicitation: &Elicitation) -> Result<(), ElicitationError> {
        let Owner { user, issuer, client: _ } = &elicitation.owner;
        if self.user == *user && self.issuer == *issuer {
            return Ok(());
        }
        Err(ElicitationError::OtherUser)
    }

    /// What the form of an elicitation asks this visitor.
    fn form(&self, id: ElicitationId) -> String {
        format!("elicitation {id} {}", self.user)
    }
}
