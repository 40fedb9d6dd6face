//! What the tests of this crate share: a whole server in the process, and browsers for it.

mod asked;
mod browser;
mod bus;
mod elsewhere;
mod faulty;
pub(crate) mod logs;
pub(crate) mod provider;
mod signer;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mcp_everything_fetch::{Fetcher, Guard, testing::HttpsServer};
use mcp_everything_store::{
    Clock as _, SecretKeys, TestClock, TestRandom,
    memory::MemoryOAuth,
    oauth::{ClientAuth, ClientRecord, GrantId, Limits, OAuthStore, SecretHash},
};
use tower::ServiceExt as _;

use asked::Asked;
pub(crate) use browser::{Form, Jar, Page, Tokens};
use bus::TestBus;
pub(crate) use elsewhere::{Answer, Elsewhere};
pub(crate) use faulty::FaultyStore;
pub(crate) use signer::Signer;

use crate::{
    BaseUri, ClientDocuments, Config,
    secret::AccessToken,
    server::{Context, routes},
    upstream::FakeUpstream,
};

/// The pair of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Reads from loopback, where it trusts these servers and no other.
fn documents(hosts: &[&HttpsServer]) -> ClientDocuments {
    let certificates = hosts.iter().map(|host| host.certificate());
    let builder = reqwest::Client::builder().tls_certs_only(certificates);
    ClientDocuments::new(Fetcher::with(Guard::public_or_loopback(), builder).unwrap())
}

/// An authorization server with one browser in front of it.
pub(crate) struct TestServer {
    pub(crate) context: Arc<Context>,
    pub(crate) store: Arc<dyn OAuthStore>,
    /// The same store, to make it fail.
    pub(crate) faults: Arc<FaultyStore>,
    pub(crate) bus: Arc<TestBus>,
    pub(crate) clock: TestClock,
    pub(crate) random: Arc<TestRandom>,
    pub(crate) asked: Arc<Asked>,
    router: Router,
    jar: Jar,
}

impl TestServer {
    pub(crate) fn new() -> Self {
        Self::at("http://localhost:3232")
    }

    pub(crate) fn at(base: &str) -> Self {
        Self::build(base, Limits::default(), |_| {}, documents(&[]))
    }

    pub(crate) fn with_config(change: impl FnOnce(&mut Config)) -> Self {
        Self::build("http://localhost:3232", Limits::default(), change, documents(&[]))
    }

    /// A server whose store keeps no more than this.
    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self::build("http://localhost:3232", limits, |_| {}, documents(&[]))
    }

    /// A server that reads documents on loopback, from these servers.
    pub(crate) fn reading_from(hosts: &[&HttpsServer], change: impl FnOnce(&mut Config)) -> Self {
        Self::build("http://localhost:3232", Limits::default(), change, documents(hosts))
    }

    /// A server whose store is away.
    pub(crate) fn with_broken_store() -> Self {
        let server = Self::new();
        server.faults.is_away_after(0);
        server
    }

    fn build(
        base: &str,
        limits: Limits,
        change: impl FnOnce(&mut Config),
        documents: ClientDocuments,
    ) -> Self {
        let base = BaseUri::parse(base).unwrap();
        let clock = TestClock::default();
        let random = Arc::new(TestRandom::seeded(42));
        let memory = Arc::new(MemoryOAuth::with_limits(Arc::new(clock.clone()), limits));
        let bus = Arc::new(TestBus::new(Arc::clone(&memory) as _));
        let faults = Arc::new(FaultyStore::new(memory));
        let store: Arc<dyn OAuthStore> = Arc::<FaultyStore>::clone(&faults);
        let asked = Asked::new(Arc::new(clock.clone()), Arc::<TestRandom>::clone(&random));
        let asked = Arc::new(asked);
        let mut config = Config::integrated(base.clone(), "Everything");
        change(&mut config);
        let context = Arc::new(Context {
            config,
            store: Arc::clone(&store),
            bus: Arc::clone(&bus) as _,
            keys: SecretKeys::generate(&*random),
            clock: Arc::new(clock.clone()),
            random: Arc::<TestRandom>::clone(&random),
            upstream: Arc::new(FakeUpstream::new(
                base,
                "Everything",
                Arc::<TestRandom>::clone(&random),
            )),
            documents,
            elicitations: Some(Arc::clone(&asked) as _),
        });
        let router = routes(Arc::clone(&context));
        let jar = Jar::default();
        Self { context, store, faults, bus, clock, random, asked, router, jar }
    }

    /// The same server, seen by a browser without cookies.
    pub(crate) fn another_browser(&self) -> Self {
        Self {
            context: Arc::clone(&self.context),
            store: Arc::clone(&self.store),
            faults: Arc::clone(&self.faults),
            bus: Arc::clone(&self.bus),
            clock: self.clock.clone(),
            random: Arc::clone(&self.random),
            asked: Arc::clone(&self.asked),
            router: self.router.clone(),
            jar: Jar::default(),
        }
    }

    pub(crate) async fn put_client(&self, client: &ClientRecord) {
        self.put_short_lived_client(client, Duration::from_secs(86_400)).await;
    }

    pub(crate) async fn put_short_lived_client(&self, client: &ClientRecord, life: Duration) {
        self.store.put_client(client, life, 100).await.unwrap();
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Page {
        self.jar.add_to(request.headers_mut());
        let response = self.router.clone().oneshot(request).await.unwrap();
        self.jar.take_from(response.headers());
        Page::read(response).await
    }

    /// Follows the URL wherever it says this server is.
    pub(crate) async fn get(&self, url: &str) -> Page {
        let path = url.strip_prefix(self.context.config.issuer.as_str()).unwrap_or(url);
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: &str) -> Page {
        let request = Request::post(path).header(header::CONTENT_TYPE, content_type);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    pub(crate) async fn post_form(&self, path: &str, body: &str) -> Page {
        self.post(path, "application/x-www-form-urlencoded", body).await
    }

    pub(crate) async fn post_form_as(&self, authorization: &str, path: &str, body: &str) -> Page {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::AUTHORIZATION, authorization);
        self.send(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Submits a form as a browser without JavaScript does.
    pub(crate) async fn submit(&self, form: &Form, changes: &[(&str, &str)]) -> Page {
        let values = form.encode(changes);
        match form.method.as_str() {
            "post" => self.post_form(&form.action, &values).await,
            _ => self.get(&format!("{}?{values}", form.action)).await,
        }
    }

    /// Goes through the pages as `user`, and gives the code.
    pub(crate) async fn code(
        &self,
        client_id: &str,
        user: &str,
        changes: &[(&str, &str)],
    ) -> String {
        let consent = self.get(&authorize_url(client_id, changes)).await.form();
        let away = self.submit(&consent, &[("decision", "allow")]).await;
        let sign_in = self.get(away.header("location")).await.form();
        let back = self.submit(&sign_in, &[("userId", user)]).await;
        back.query_of_location()["code"].clone()
    }

    /// Goes through everything as `user` of a public client.
    pub(crate) async fn log_in(
        &self,
        client_id: &str,
        user: &str,
        changes: &[(&str, &str)],
    ) -> Tokens {
        let code = self.code(client_id, user, changes).await;
        let request = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ];
        self.post_form("/token", &form(&request, &[])).await.tokens()
    }

    /// The public URL.
    pub(crate) fn base(&self) -> &str {
        self.context.config.issuer.as_str()
    }

    /// The value of one of the browser's cookies.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.get(name)
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        self.jar.set(name, value);
    }

    /// A text that was not drawn before.
    pub(crate) fn unique(&self) -> String {
        let random: &dyn mcp_everything_store::Random = &*self.random;
        random.token::<16>()
    }

    /// The values of the browser's cookies.
    pub(crate) fn cookies(&self) -> Vec<String> {
        self.jar.values()
    }

    /// Whether an access token is good.
    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let token = AccessToken::parse(token).unwrap();
        self.store.access_token(&token.name(), &token.grant()).await.unwrap().is_some()
    }

    /// The grant a token belongs to.
    pub(crate) fn grant_of(token: &str) -> GrantId {
        AccessToken::parse(token).unwrap().grant()
    }
}

/// A public client that may be sent back to `https://client.example/callback`.
pub(crate) fn client(id: &str) -> ClientRecord {
    ClientRecord {
        id: id.into(),
        name: Some("Test Client".into()),
        uri: None,
        redirect_uris: vec!["https://client.example/callback".into()],
        auth: ClientAuth::None,
        grant_types: vec!["authorization_code".into(), "refresh_token".into()],
        scope: None,
        application_type: None,
        software_id: None,
        software_version: None,
        dpop_bound_access_tokens: false,
        registered_at: TestClock::default().now(),
    }
}

/// The same with a secret for the `Authorization` header.
pub(crate) fn confidential(id: &str, secret: &str) -> ClientRecord {
    let auth = ClientAuth::ClientSecretBasic { secret: SecretHash::of(secret) };
    ClientRecord { auth, ..client(id) }
}

pub(crate) fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// An authorization request that is right, but for the changes.
pub(crate) fn authorize_url(client_id: &str, changes: &[(&str, &str)]) -> String {
    let usual = [
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", "https://client.example/callback"),
        ("scope", "mcp:read"),
        ("state", "the state"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("resource", "http://localhost:3232/mcp"),
    ];
    format!("/authorize?{}", form(&usual, changes))
}

/// A form with some values changed; an empty one is left out.
pub(crate) fn form(usual: &[(&str, &str)], changes: &[(&str, &str)]) -> String {
    let mut pairs: Vec<(&str, &str)> = usual.to_vec();
    for (name, value) in changes {
        pairs.retain(|(other, _)| other != name);
        pairs.push((name, value));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
