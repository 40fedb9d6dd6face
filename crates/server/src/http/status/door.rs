//! Who sees what of the status page.
//!
//! Whoever is on the server's own machine and whoever has the scope `mcp:admin` sees everything but
//! what is in other people's messages. A user who is signed in sees their own sessions. Everybody
//! else is told what they lack.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mcp_everything_oauth::{BaseUri, Caller, CookieName, Scope, SignedIn};
use mcp_everything_store::{Clock, Owner, Random, SecretKeys, Timestamp, User};
use tokio::time::Duration;
use tower::ServiceExt as _;

use super::{StatusPage, page};
use crate::http::Lookers;

/// What the cookie is signed for.
const SESSION: &str = "status session";
/// How long a browser sees what a token let it see, at most.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// Where users show who they are.
#[derive(Clone)]
pub(crate) enum SignIn {
    /// Here, as for the account page.
    Here(SignedIn),
    /// At another server: an access token of it is shown.
    Elsewhere,
    /// Nowhere: everybody is one user.
    Nowhere,
}

/// Finds out who looks.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) lookers: Lookers,
    pub(crate) sign_in: SignIn,
    pub(crate) base: BaseUri,
    pub(crate) keys: SecretKeys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// Whoever looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Viewer {
    /// Whether they may see all that goes on here.
    pub(crate) all: bool,
    /// Whose sessions are theirs.
    pub(crate) user: Option<User>,
    /// Until when.
    pub(crate) until: Option<Timestamp>,
    /// Whether a token that was shown to a form lets them look.
    pub(crate) by_token: bool,
}

/// On the server's own machine.
const ANYBODY_HERE: Viewer = Viewer { all: true, user: None, until: None, by_token: false };

impl Viewer {
    pub(crate) fn owns(&self, owner: &Owner) -> bool {
        self.user.as_ref().is_some_and(|user| *user == User::from(owner))
    }

    /// Whether there is such a session for them.
    pub(crate) fn may_see(&self, owner: &Owner) -> bool {
        self.all || self.owns(owner)
    }
}

impl From<&Caller> for Viewer {
    fn from(caller: &Caller) -> Self {
        Self {
            all: caller.may(Scope::Admin),
            user: Some(User::from(&caller.owner)),
            until: Some(caller.expires_at),
            by_token: false,
        }
    }
}

impl Door {
    /// Lets those in who may see anything at all.
    pub(super) fn before(&self, routes: Router, page: &Arc<StatusPage>) -> Router {
        let with_token = self.lookers.only(routes.clone().route_layer(middleware::from_fn(told)));
        let state = (Arc::clone(page), with_token);
        routes.route_layer(middleware::from_fn_with_state(state, choose))
    }

    /// Who it is, by where the request comes from and by its cookies.
    fn viewer(&self, request: &Request) -> Option<Viewer> {
        let headers = request.headers();
        let here = self.lookers.are_here(request);
        let by_token = self.read(headers);
        let mut viewer = match (&self.sign_in, by_token) {
            (SignIn::Nowhere, _) if here => {
                let user = Some(User::from(&Owner::anonymous()));
                Some(Viewer { all: true, user, until: None, by_token: false })
            }
            (_, Some(viewer)) => Some(viewer),
            (SignIn::Here(signed_in), None) => signed_in.user(headers).map(|(id, until)| {
                let issuer = self.base.as_str().to_owned();
                Viewer {
                    all: false,
                    user: Some(User { id, issuer }),
                    until: Some(until),
                    by_token: false,
                }
            }),
            (SignIn::Elsewhere | SignIn::Nowhere, None) => None,
        };
        if here {
            viewer.get_or_insert(ANYBODY_HERE).all = true;
        }
        viewer
    }

    /// The cookie by which a browser goes on seeing what a token let it see.
    pub(super) fn cookie(&self, viewer: &Viewer) -> Option<HeaderValue> {
        let (now, user) = (self.clock.now(), viewer.user.as_ref()?);
        let until = viewer.until.map_or(now + LIFE, |until| until.min(now + LIFE));
        let nonce = self.random.token::<12>();
        let sees = if viewer.all { "all" } else { "own" };
        let until_millis = until.as_millis().to_string();
        let parts = [until_millis.as_str(), &nonce, sees, &user.id, &user.issuer];
        let tag = URL_SAFE_NO_PAD.encode(self.keys.sign(SESSION, &parts.map(str::as_bytes)));
        let [id, issuer] = [&user.id, &user.issuer].map(|text| URL_SAFE_NO_PAD.encode(text));
        let value = format!("{until_millis}.{nonce}.{sees}.{id}.{issuer}.{tag}");
        self.name().set(&value, until.since(now))
    }

    /// The cookie that takes the place of one.
    pub(super) fn no_cookie(&self) -> Option<HeaderValue> {
        self.name().set("", Duration::ZERO)
    }

    fn name(&self) -> CookieName {
        CookieName::status(self.base.is_https())
    }

    fn read(&self, headers: &HeaderMap) -> Option<Viewer> {
        self.name().values(headers).find_map(|value| self.read_one(&value))
    }

    fn read_one(&self, value: &str) -> Option<Viewer> {
        let fields: Vec<&str> = value.split('.').collect();
        let [until, nonce, sees, id, issuer, tag] = fields[..] else { return None };
        let text = |field: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(field).ok()?).ok();
        let (id, issuer, tag) = (text(id)?, text(issuer)?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        let parts = [until, nonce, sees, &id, &issuer].map(str::as_bytes);
        let until = Timestamp::from_millis(until.parse().ok()?);
        let is_good = self.keys.verify(SESSION, &parts, &tag) && self.clock.now() < until;
        is_good.then(|| Viewer {
            all: sees == "all",
            user: Some(User { id, issuer }),
            until: Some(until),
            by_token: true,
        })
    }
}

/// A token in the header says who it is, and counts alone.
async fn choose(
    State((page, with_token)): State<(Arc<StatusPage>, Router)>,
    mut request: Request,
    next: Next,
) -> Response {
    if request.headers().contains_key(header::AUTHORIZATION) {
        return with_token.oneshot(request).await.into_response();
    }
    if let Some(viewer) = page.door.viewer(&request) {
        request.extensions_mut().insert(viewer);
        return next.run(request).await;
    }
    let is_page = request.uri().path() == "/status";
    let refusal = with_token.oneshot(request).await.into_response();
    // Whoever sits before a browser can sign in.
    let can_sign_in = !matches!(page.door.sign_in, SignIn::Nowhere);
    if !is_page || !can_sign_in || refusal.status() != StatusCode::UNAUTHORIZED {
        return refusal;
    }
    let (parts, _) = refusal.into_parts();
    let challenge = parts.headers.get(header::WWW_AUTHENTICATE).cloned();
    let mut response = page::sign_in(&page, None);
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    if let Some(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// Says whose token it was. On this machine none is asked for, and none is looked at.
async fn told(mut request: Request, next: Next) -> Response {
    let viewer = request.extensions().get::<Caller>().map(Viewer::from);
    let viewer = viewer.unwrap_or(ANYBODY_HERE);
    request.extensions_mut().insert(viewer);
    next.run(request).await
}
