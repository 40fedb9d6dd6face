//! Requests that nobody thought of: whatever is asked, nobody is sent to a place that was not
//! registered, and nothing breaks.

use axum::{
    body::Body,
    http::{Request, header},
};
use mcp_everything_store::oauth::ClientRecord;
use proptest::{
    prelude::*,
    sample::{select, subsequence},
};

use crate::testing::{CHALLENGE, TestServer, VERIFIER, client};

const HERE: &str = "http://localhost/callback";
const PATHS: [&str; 9] = [
    "/authorize",
    "/authorize/consent",
    "/fakeupstreamauth/authorize",
    "/fakeupstreamauth/redirect",
    "/fakeupstreamauth/callback",
    "/token",
    "/revoke",
    "/introspect",
    "/register",
];
/// The parameters of a request that is right.
const RIGHT: [(&str, &str); 7] = [
    ("response_type", "code"),
    ("client_id", "n"),
    ("redirect_uri", HERE),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
    ("grant_type", "authorization_code"),
    ("code_verifier", VERIFIER),
];
const NAMES: [&str; 19] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "resource",
    "grant_type",
    "code",
    "refresh_token",
    "token",
    "request",
    "signature",
    "userId",
    "request_uri",
];
const VALUES: [&str; 16] = [
    "https://evil.example/",
    "//evil.example",
    "http://localhost@evil.example/callback",
    "http://localhost:80@evil.example/callback",
    "http://localhost\\@evil.example/callback",
    "http://localhost/callback/../../evil",
    "http://localhost/callback#@evil.example",
    "http://localhost:99999/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "\r\nLocation: https://evil.example/",
    "refresh_token",
    "none",
    "\u{202e}",
    "\0",
    "",
];

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let value = prop_oneof![select(&VALUES[..]).prop_map(String::from), ".{0,30}"];
    let wrong = (select(&NAMES[..]).prop_map(String::from), value);
    let right = subsequence(RIGHT.to_vec(), 0..=RIGHT.len());
    let right = right.prop_map(|pairs| {
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    });
    (right, prop::collection::vec(wrong, 0..4))
        .prop_map(|(right, wrong): (Vec<_>, _)| [right, wrong].concat())
}

fn request(path: &str, in_body: bool, content_type: &str, encoded: &str) -> Request<Body> {
    if in_body {
        let request = Request::post(path).header(header::CONTENT_TYPE, content_type);
        return request.body(Body::from(encoded.to_owned())).unwrap();
    }
    Request::get(format!("{path}?{encoded}")).body(Body::empty()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nobody_is_sent_elsewhere_and_nothing_breaks(
        path in select(&PATHS[..]),
        in_body in any::<bool>(),
        content_type in select(vec!["application/x-www-form-urlencoded", "application/json", ""]),
        pairs in pairs(),
        raw in prop::option::of("[ -~]{0,40}"),
    ) {
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let encoded = raw.filter(|_| in_body).map_or(encoded.clone(), |raw| encoded + "&" + &raw);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let server = TestServer::new();
            let native = ClientRecord { redirect_uris: vec![HERE.into()], ..client("n") };
            server.put_client(&native).await;
            server.put_client(&client("c")).await;
            let page = server.send(request(path, in_body, content_type, &encoded)).await;
            prop_assert!(page.status < 500, "{}: {}", page.status, page.body);
            if let Some(location) = page.headers.get("location") {
                let url = url::Url::parse(location.to_str().unwrap()).unwrap();
                prop_assert_eq!(url.host_str(), Some("localhost"));
                prop_assert_eq!(url.path(), "/callback");
                prop_assert_eq!((url.username(), url.fragment()), ("", None));
            }
            Ok(())
        })?;
    }
}
