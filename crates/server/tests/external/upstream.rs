//! Users sign in at a real identity provider.

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use crate::{
    it::support::{
        Deployment, Mcp, Server, SignIn,
        sign_in::{Form, forms},
    },
    oidc_provider::OidcProvider,
};

const SECRET: &str = "hush-hush-hush";
const CALLBACKS: [&str; 2] =
    ["http://localhost/upstream/callback", "http://127.0.0.1/upstream/callback"];

/// A provider that knows this server, which authenticates there in this way.
fn provider(method: &str) -> OidcProvider {
    OidcProvider::new().knows(json!({
        "client_id": "us", "client_secret": SECRET, "redirect_uris": CALLBACKS,
        "token_endpoint_auth_method": method,
    }))
}

fn settings(issuer: &str) -> [(&str, &str); 3] {
    let client = [("UPSTREAM_CLIENT_ID", "us"), ("UPSTREAM_CLIENT_SECRET", SECRET)];
    [("UPSTREAM_ISSUER", issuer), client[0], client[1]]
}

/// Where a browser is when it has followed every redirect.
enum Place {
    Page(Page),
    Client(Url),
}

struct Page {
    url: Url,
    status: StatusCode,
    html: String,
}

impl Place {
    async fn of(sign_in: &SignIn<'_>, mut url: Url, mut answer: Response) -> Self {
        while answer.status().is_redirection() {
            url = url.join(answer.headers()["location"].to_str().unwrap()).unwrap();
            if url.as_str().starts_with(&sign_in.redirect_uri) {
                return Self::Client(url);
            }
            answer = sign_in.browser.get(url.as_str()).await;
        }
        let status = answer.status();
        Self::Page(Page { url, status, html: answer.text().await.unwrap() })
    }

    async fn at(sign_in: &SignIn<'_>, url: Url) -> Self {
        let answer = sign_in.browser.get(url.as_str()).await;
        Self::of(sign_in, url, answer).await
    }

    #[track_caller]
    fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Client(url) => panic!("it went on to {url}"),
        }
    }

    #[track_caller]
    fn client(self) -> Vec<(String, String)> {
        match self {
            Self::Page(page) => panic!("{} at {}: {}", page.status, page.url, page.html),
            Self::Client(url) => url.query_pairs().into_owned().collect(),
        }
    }
}

impl Page {
    fn form(&self) -> Form {
        assert_eq!(self.status, StatusCode::OK, "{}: {}", self.url, self.html);
        forms(&self.html).swap_remove(0)
    }

    async fn submit(&self, sign_in: &SignIn<'_>) -> Place {
        self.submit_with(sign_in, &[]).await
    }

    async fn submit_with(&self, sign_in: &SignIn<'_>, more: &[(&str, &str)]) -> Place {
        let mut form = self.form();
        form.fields.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let answer = sign_in.browser.submit(&self.url, &form).await;
        Place::of(sign_in, self.url.join(&form.action).unwrap(), answer).await
    }
}

/// As far as the page of the provider.
async fn sent_away(sign_in: &SignIn<'_>, provider: &OidcProvider) -> Page {
    let consent = Place::at(sign_in, sign_in.authorization_url()).await.page();
    let page = consent.submit(sign_in).await.page();
    assert!(page.url.as_str().starts_with(&provider.issuer()), "{}", page.url);
    page
}

#[track_caller]
fn has(answer: &[(String, String)], name: &str, value: &str) {
    assert!(answer.contains(&(name.into(), value.into())), "{name}={value}: {answer:?}");
}

async fn user_of(sign_in: &SignIn<'_>, token: &str) -> String {
    let form = [("token", token), ("client_id", &sign_in.client_id)];
    let url = sign_in.server.url("/introspect");
    let told = sign_in.browser.http.post(url).form(&form).send().await.unwrap();
    let told: Value = told.json().await.unwrap();
    told["sub"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[tokio::test]
async fn a_user_of_an_openid_provider_signs_in() {
    let mut provider = provider("client_secret_basic");
    provider.start().await;
    let issuer = provider.issuer();
    let server = Server::with(&settings(&issuer));
    assert_eq!(server.logged("auth.upstream.found")["host"], issuer["http://".len()..]);
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    assert_eq!(user_of(&sign_in, &tokens.access).await, format!("{issuer}#alice"));
    let mut client = Mcp::new(&server);
    client.token = Some(tokens.access);
    client.initialize(json!({})).await;
    client.is_served().await;
    for path in ["/fakeupstreamauth/authorize?state=x", "/fakeupstreamauth/redirect?state=x"] {
        let absent = sign_in.browser.get(&server.url(path)).await;
        assert_eq!(absent.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert!(server.log().iter().all(|line| !line.to_string().contains(SECRET)));
}

#[tokio::test]
async fn a_user_of_a_plain_oauth_2_provider_signs_in() {
    let mut provider = provider("client_secret_post");
    provider.start().await;
    let [authorize, token, userinfo] = ["/auth", "/token", "/me"].map(|path| provider.url(path));
    let server = Server::with(&[
        ("UPSTREAM_AUTHORIZE_URL", &authorize),
        ("UPSTREAM_TOKEN_URL", &token),
        ("UPSTREAM_USERINFO_URL", &userinfo),
        ("UPSTREAM_CLIENT_ID", "us"),
        ("UPSTREAM_CLIENT_SECRET", SECRET),
        ("UPSTREAM_SCOPE", "openid"),
    ]);
    let sign_in = SignIn::register(&server).await;
    let tokens = sign_in.tokens("alice").await;
    assert_eq!(user_of(&sign_in, &tokens.access).await, format!("{userinfo}#alice"));
}

/// What a login needs until the browser is back, any instance finds.
#[tokio::test]
async fn any_instance_goes_on_with_a_login() {
    let mut provider = provider("client_secret_basic");
    provider.start().await;
    let issuer = provider.issuer();
    let deployment = Deployment::three_on_redis();
    let server = deployment.with(&settings(&issuer));
    for user in ["alice", "bob"] {
        let sign_in = SignIn::register(&server).await;
        let tokens = sign_in.tokens(user).await;
        assert_eq!(user_of(&sign_in, &tokens.access).await, format!("{issuer}#{user}"));
    }
    drop(server);
    deployment.every_instance_answered();
}

/// The provider knows all clients as one, and asks its user nothing the second time.
#[tokio::test]
async fn each_client_is_agreed_to_before_the_provider_is_gone_to() {
    let mut provider = provider("client_secret_basic");
    provider.start().await;
    let issuer = provider.issuer();
    let server = Server::with(&settings(&issuer));
    let first = SignIn::register(&server).await;
    first.tokens("alice").await;
    let second = SignIn { browser: first.browser.clone(), ..SignIn::register(&server).await };
    let consent = Place::at(&second, second.authorization_url()).await.page();
    assert_eq!(consent.url.path(), "/authorize");
    let host = &issuer["http://".len()..];
    for said in ["Test", &second.redirect_uri, host, "<code>openid</code>"] {
        assert!(consent.html.contains(said), "{said}: {}", consent.html);
    }
    let denied = consent.submit_with(&second, &[("decision", "deny")]).await.client();
    has(&denied, "error", "access_denied");
    let answer = consent.submit(&second).await.client();
    assert!(answer.iter().any(|(name, _)| name == "code"), "{answer:?}");
}

#[tokio::test]
async fn who_says_no_at_the_provider_is_sent_back_to_the_client() {
    let mut provider = provider("client_secret_basic");
    provider.start().await;
    let server = Server::with(&settings(&provider.issuer()));
    let sign_in = SignIn::register(&server).await;
    let page = sent_away(&sign_in, &provider).await;
    let answer = page.submit_with(&sign_in, &[("deny", "yes")]).await.client();
    has(&answer, "error", "access_denied");
    has(&answer, "state", "the state");
    has(&answer, "iss", &server.base);
    let line = server.logged("auth.login.failed");
    assert!(line["reason"].as_str().unwrap().contains("refused"), "{line}");
}

#[tokio::test]
async fn a_provider_that_is_away_is_waited_for() {
    let mut provider = provider("client_secret_basic");
    let issuer = provider.issuer();
    let server = Server::with(&settings(&issuer));
    server.logged("auth.upstream.failed");
    let sign_in = SignIn::register(&server).await;
    let consent = Place::at(&sign_in, sign_in.authorization_url()).await.page();
    let form = consent.form();
    let refused = sign_in.browser.submit(&consent.url, &form).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    assert!(refused.text().await.unwrap().contains("cannot be reached"));
    provider.start().await;
    server.logged("auth.upstream.found");
    let page = consent.submit(&sign_in).await.page();
    assert!(page.url.as_str().starts_with(&issuer), "{}", page.url);

    // The browser comes back, and the provider is away.
    let mut form = page.form();
    form.fields.insert("userId".into(), "alice".into());
    let mut answer = sign_in.browser.submit(&page.url, &form).await;
    let mut url = page.url.join(&form.action).unwrap();
    while answer.status().is_redirection() {
        url = url.join(answer.headers()["location"].to_str().unwrap()).unwrap();
        if url.as_str().starts_with(&server.base) {
            break;
        }
        answer = sign_in.browser.get(url.as_str()).await;
    }
    assert_eq!(url.path(), "/upstream/callback");
    provider.stop();
    let refused = sign_in.browser.get(url.as_str()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    // It has forgotten its code, and has other keys: the user goes there again.
    provider.start().await;
    let refused = sign_in.browser.get(url.as_str()).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(refused.text().await.unwrap().contains("Go back and try again"));
    let page = consent.submit(&sign_in).await.page();
    let answer = page.submit_with(&sign_in, &[("userId", "alice")]).await.client();
    assert!(answer.iter().any(|(name, _)| name == "code"), "{answer:?}");
}

#[tokio::test]
async fn what_only_an_operator_can_mend_is_said_to_be_so() {
    let mut provider = provider("client_secret_basic");
    provider.start().await;
    let issuer = provider.issuer();
    let wrong = "another-secret-than-that";
    let server = Server::with(&[
        ("UPSTREAM_ISSUER", &issuer),
        ("UPSTREAM_CLIENT_ID", "us"),
        ("UPSTREAM_CLIENT_SECRET", wrong),
    ]);
    let sign_in = SignIn::register(&server).await;
    let page = sent_away(&sign_in, &provider).await;
    let page = page.submit_with(&sign_in, &[("userId", "alice")]).await.page();
    assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    assert!(page.html.contains("Tell whoever runs this server"), "{}", page.html);
    let line = server.logged("auth.upstream.failed");
    assert!(line["reason"].as_str().unwrap().contains("invalid_client"), "{line}");
    assert!(server.log().iter().all(|line| !line.to_string().contains(wrong)));

    // With a slash that its own name does not have.
    let server = Server::with(&settings(&format!("{issuer}/")));
    let line = server.logged("auth.upstream.failed");
    assert!(line["reason"].as_str().unwrap().contains(&format!("`{issuer}`")), "{line}");
}
