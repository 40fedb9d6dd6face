//! Signing in through the pages, with a cookie jar and no JavaScript.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{Server, secrets};

pub(crate) const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";

/// A browser: it keeps cookies, and follows redirects only when told to.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) http: Client,
}

/// The forms of a page, each by its action, with the inputs that Enter sends.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) post: bool,
    pub(crate) fields: HashMap<String, String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let http = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
        Self { http }
    }

    /// One whose user signs in at `start`, as the pages of the server have it, and the page that is
    /// shown then, which is `page` and names the user.
    pub(crate) async fn signed_in(user: &str, start: &str, page: &str) -> (Self, String) {
        let browser = Self::new();
        let mut url = Url::parse(start).unwrap();
        let mut answer = browser.get(url.as_str()).await;
        for _ in 0..2 {
            let mut form = forms(&answer.text().await.unwrap()).swap_remove(0);
            if let Some(id) = form.fields.get_mut("userId") {
                user.clone_into(id);
            }
            answer = browser.submit(&url, &form).await;
            while answer.status().is_redirection() {
                url = url.join(answer.headers()["location"].to_str().unwrap()).unwrap();
                answer = browser.get(url.as_str()).await;
            }
        }
        assert_eq!(url.as_str(), page);
        let shown = answer.text().await.unwrap();
        assert!(shown.contains(&format!("<code>{user}</code>")), "{shown}");
        (browser, shown)
    }

    pub(crate) async fn get(&self, url: &str) -> Response {
        sent(self.http.get(url)).await
    }

    /// Submits a form as a browser does.
    pub(crate) async fn submit(&self, page: &Url, form: &Form) -> Response {
        let mut url = page.join(&form.action).unwrap();
        if form.post {
            return sent(self.http.post(url).form(&form.fields)).await;
        }
        url.query_pairs_mut().clear().extend_pairs(&form.fields);
        sent(self.http.get(url)).await
    }
}

async fn sent(request: RequestBuilder) -> Response {
    let answer = request.send().await.unwrap();
    secrets::seen_in_answer(&answer);
    answer
}

/// The forms of a page. Buttons with names are left out: they are what Enter does not press.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let attribute = |tag: &str, name: &str| {
        let rest = tag.split_once(&format!(" {name}=\""))?.1;
        Some(rest.split_once('"')?.0.replace("&#38;", "&").replace("&amp;", "&"))
    };
    let forms = html.split("<form").skip(1).map(|rest| rest.split("</form>").next().unwrap());
    forms
        .map(|form| {
            let opening = form.split('>').next().unwrap();
            let inputs = form.split("<input").skip(1).map(|tag| tag.split('>').next().unwrap());
            let fields = inputs.filter_map(|tag| {
                let field = (attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default());
                if ["signature", "state"].contains(&&*field.0) {
                    secrets::seen(&field.1);
                }
                Some(field)
            });
            Form {
                action: attribute(opening, "action").unwrap(),
                post: attribute(opening, "method").as_deref() == Some("post"),
                fields: fields.collect(),
            }
        })
        .collect()
}

#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) client_id: String,
}

/// One client's way to a token.
pub(crate) struct SignIn<'a> {
    pub(crate) server: &'a Server,
    pub(crate) browser: Browser,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    /// `None`: what the server gives unasked.
    pub(crate) scope: Option<&'a str>,
    /// The path of the resource it asks for; `None`: it names none.
    pub(crate) resource: Option<&'a str>,
    /// What the user chooses on the consent page.
    pub(crate) answers: Vec<(&'a str, &'a str)>,
}

impl<'a> SignIn<'a> {
    /// Registers a public client.
    pub(crate) async fn register(server: &'a Server) -> Self {
        Self::register_as("Test", server).await
    }

    pub(crate) async fn register_as(name: &str, server: &'a Server) -> Self {
        let redirect_uri = "http://127.0.0.1:9/callback".to_owned();
        let browser = Browser::new();
        let document = json!({
            "client_name": name, "redirect_uris": [redirect_uri],
            "token_endpoint_auth_method": "none"
        });
        let url = server.auth_url("/register");
        let answer = browser.http.post(url).json(&document).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let registered: Value = answer.json().await.unwrap();
        secrets::seen_in_json(&registered);
        let client_id = registered["client_id"].as_str().unwrap().to_owned();
        Self { browser, ..Self::of(server, client_id, redirect_uri) }
    }

    /// A client that is known by another way than registering.
    pub(crate) fn of(server: &'a Server, client_id: String, redirect_uri: String) -> Self {
        let (browser, scope, resource, answers) = (Browser::new(), None, Some("/mcp"), Vec::new());
        Self { server, browser, client_id, redirect_uri, scope, resource, answers }
    }

    pub(crate) fn authorization_url(&self) -> Url {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut url = Url::parse(&self.server.auth_url("/authorize")).unwrap();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", "the state");
        if let Some(path) = self.resource {
            url.query_pairs_mut().append_pair("resource", &self.server.url(path));
        }
        if let Some(scope) = self.scope {
            url.query_pairs_mut().append_pair("scope", scope);
        }
        url
    }

    /// Through the pages as `user`; where the browser is sent at the end.
    pub(crate) async fn walk(&self, user: &str) -> Url {
        let mut url = self.authorization_url();
        let mut answer = self.browser.get(url.as_str()).await;
        for _ in 0..6 {
            while answer.status().is_redirection() {
                url = url.join(answer.headers()["location"].to_str().unwrap()).unwrap();
                if url.as_str().starts_with(&self.redirect_uri) {
                    return url;
                }
                answer = self.browser.get(url.as_str()).await;
            }
            assert_eq!(answer.status(), StatusCode::OK, "at {url}");
            let mut form = forms(&answer.text().await.unwrap()).swap_remove(0);
            if let Some(id) = form.fields.get_mut("userId") {
                user.clone_into(id);
            } else {
                let answers = self.answers.iter().map(|(name, value)| (*name, *value));
                form.fields.extend(answers.map(|(n, v)| (n.to_owned(), v.to_owned())));
            }
            answer = self.browser.submit(&url, &form).await;
            url = url.join(&form.action).unwrap();
        }
        panic!("the pages lead nowhere")
    }

    pub(crate) async fn code(&self, user: &str) -> String {
        let back = self.walk(user).await;
        let get = |name: &str| {
            back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        assert_eq!(get("state").as_deref(), Some("the state"), "{back}");
        assert_eq!(get("iss").as_deref(), Some(self.server.issuer()), "{back}");
        get("code").unwrap()
    }

    pub(crate) async fn redeem(&self, code: &str) -> Response {
        [code, VERIFIER].into_iter().for_each(secrets::seen);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("client_id", &self.client_id),
            ("code_verifier", VERIFIER),
        ];
        self.browser.http.post(self.server.auth_url("/token")).form(&form).send().await.unwrap()
    }

    pub(crate) async fn tokens(&self, user: &str) -> Tokens {
        let code = self.code(user).await;
        let answer = self.redeem(&code).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let tokens: Value = answer.json().await.unwrap();
        secrets::seen_in_json(&tokens);
        Tokens {
            access: tokens["access_token"].as_str().unwrap().to_owned(),
            refresh: tokens["refresh_token"].as_str().unwrap().to_owned(),
            client_id: self.client_id.clone(),
        }
    }
}
