//! What the rows name in braces.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::support::{
    Server, SignIn, VERIFIER,
    rows::{Row, client},
    sign_in::forms,
};

const REDIRECT: &str = "http://127.0.0.1:9/callback";

pub(super) struct Known {
    values: HashMap<&'static str, String>,
    requests: HashMap<&'static str, Vec<(String, String)>>,
}

impl Known {
    /// Clients that registered, and what one of them was given.
    pub(super) async fn of(server: &Server) -> Self {
        let mut values = HashMap::from([
            ("base", server.base.clone()),
            ("redirect", REDIRECT.to_owned()),
            ("verifier", VERIFIER.to_owned()),
        ]);
        for (name, change) in [
            ("other", json!({})),
            ("two", json!({ "redirect_uris": [REDIRECT, "http://127.0.0.1:9/other"] })),
            ("site", json!({ "redirect_uris": ["https://client.example/cb"] })),
            ("code-only", json!({ "grant_types": ["authorization_code"] })),
            ("poster", json!({ "token_endpoint_auth_method": "client_secret_post" })),
            ("keeper", json!({ "token_endpoint_auth_method": "client_secret_basic" })),
        ] {
            let registered = register(server, &change).await;
            let text = |name: &str| registered[name].as_str().unwrap_or_default().to_owned();
            values.insert(name, text("client_id"));
            if name == "keeper" {
                let basic =
                    |secret: &str| STANDARD.encode(format!("{}:{secret}", text("client_id")));
                values.insert("basic", format!("Basic {}", basic(&text("client_secret"))));
                values.insert("wrong-basic", format!("Basic {}", basic("wrong")));
            }
        }

        let sign_in = SignIn::register(server).await;
        values.insert("client", sign_in.client_id.clone());
        let tokens = sign_in.tokens("alice").await;
        values.extend([("access", tokens.access), ("refresh-token", tokens.refresh)]);
        values.insert("code", sign_in.code("alice").await);
        let used = sign_in.code("alice").await;
        let revoked: Value = sign_in.redeem(&used).await.json().await.unwrap();
        let text = |name: &str| revoked[name].as_str().unwrap().to_owned();
        let form = [("client_id", sign_in.client_id.clone()), ("token", text("refresh_token"))];
        let answer = client().post(server.url("/revoke")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        values.extend([
            ("revoked", text("access_token")),
            ("revoked-refresh", text("refresh_token")),
        ]);
        values.insert("used-code", used);
        for (name, resource, scope) in
            [("sse-access", "/sse", None), ("read-access", "/mcp", Some("mcp:read"))]
        {
            let register = SignIn::register(server).await;
            let sign_in = SignIn { resource: Some(resource), scope, ..register };
            values.insert(name, sign_in.tokens("alice").await.access);
        }

        // A login that a browser has begun.
        let url = sign_in.authorization_url();
        let page = sign_in.browser.get(url.as_str()).await.text().await.unwrap();
        let form = forms(&page).swap_remove(0);
        let away = sign_in.browser.submit(&url, &form).await;
        let away = Url::parse(away.headers()["location"].to_str().unwrap()).unwrap();
        let state = away.query_pairs().find(|(name, _)| name == "state").unwrap().1;
        values.insert("state", state.into_owned());
        values.insert("consent", encoded(form.fields));

        let request: Vec<_> = url.query_pairs().into_owned().collect();
        let challenge = request.iter().find(|(name, _)| name == "code_challenge").unwrap();
        values.insert("challenge", challenge.1.clone());
        let token = |grant_type, names: &[(&str, &str)]| -> Vec<(String, String)> {
            let names = names.iter().map(|(name, known)| (*name, values[known].as_str()));
            let all = [("grant_type", grant_type)].into_iter().chain(names);
            all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let (who, back) = (("client_id", "client"), ("redirect_uri", "redirect"));
        let code = [who, back, ("code", "code"), ("code_verifier", "verifier")];
        let requests = HashMap::from([
            ("request", request),
            ("exchange", token("authorization_code", &code)),
            ("refresh", token("refresh_token", &[who, ("refresh_token", "refresh-token")])),
        ]);
        Self { values, requests }
    }

    /// Puts them into the row.
    pub(super) fn fill_in(&self, row: &mut Row) {
        let values = row.headers.iter_mut().filter_map(|(_, value)| value.as_mut());
        for text in values.chain([&mut row.path, &mut row.body]) {
            for (name, value) in &self.values {
                *text = text.replace(&format!("{{{name}}}"), value);
            }
            for (name, request) in &self.requests {
                *text = with_request(text, name, request);
            }
        }
    }

    /// Nothing was used up by a wrong request.
    pub(super) async fn are_unharmed(&self, server: &Server) {
        for request in ["exchange", "refresh"] {
            let answer = client().post(server.url("/token")).form(&self.requests[request]);
            assert_eq!(answer.send().await.unwrap().status(), StatusCode::OK, "{request}");
        }
        let form = [("client_id", &self.values["client"]), ("token", &self.values["access"])];
        let answer = client().post(server.url("/introspect")).form(&form).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap()["active"], true);
    }
}

async fn register(server: &Server, change: &Value) -> Value {
    let mut document = json!({ "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none" });
    document.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let answer = client().post(server.url("/register")).json(&document).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}

/// `{name}` and `{name: parameter=value; other=}` in a text.
fn with_request(text: &str, name: &str, request: &[(String, String)]) -> String {
    let Some((before, rest)) = text.split_once(&format!("{{{name}")) else {
        return text.to_owned();
    };
    let (changes, after) = rest.split_once('}').unwrap();
    let mut request = request.to_vec();
    for change in changes.trim_start_matches(": ").split("; ").filter(|one| !one.is_empty()) {
        let (name, value) = change.split_once('=').unwrap();
        request.retain(|(other, _)| other != name);
        if !value.is_empty() {
            request.push((name.to_owned(), value.to_owned()));
        }
    }
    format!("{before}{}{after}", encoded(request))
}

fn encoded(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
