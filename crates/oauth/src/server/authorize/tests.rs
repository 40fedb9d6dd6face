use std::{collections::HashMap, time::Duration};

use mcp_everything_store::oauth::ClientRecord;

use crate::{
    ListedClients,
    testing::{CHALLENGE, TestServer, authorize_url, client, form},
};

const BACK: &str = "https://client.example/callback";
const HERE: &str = "http://localhost/callback";

/// A client on the user's own computer.
fn native() -> ClientRecord {
    ClientRecord { redirect_uris: vec![HERE.into()], ..client("n") }
}

#[tokio::test]
async fn a_good_request_is_put_to_the_user() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let page = server.get(&authorize_url("c", &[])).await;
    assert_eq!(page.status, 200);
    for said in ["Test Client", "client.example", "Everything", "mcp:read", "/mcp"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert!(!page.body.contains("mcp:tools"), "it was not asked for");
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("form-action"), "{policy}");
    assert_eq!(page.header("cache-control"), "no-store");
    let form = page.form();
    assert_eq!((form.method.as_str(), form.action.as_str()), ("post", "/authorize/consent"));
}

#[tokio::test]
async fn the_request_may_be_posted() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let (path, query) = authorize_url("c", &[]).split_once('?').map(own).unwrap();
    let page = server.post_form(&path, &query).await;
    assert_eq!(page.status, 200);
    assert_eq!(server.post(&path, "text/plain", &query).await.status, 400);
}

fn own((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[tokio::test]
async fn nothing_is_kept_before_the_user_agrees() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let drawn = server.random.drawn();
    let page = server.get(&authorize_url("c", &[])).await;
    assert_eq!(server.random.drawn(), drawn + 2, "the cookie and the form, and no login yet");
    assert!(page.header("set-cookie").contains("HttpOnly; SameSite=Lax; Path=/; Max-Age=600"));
    server.get(&authorize_url("c", &[])).await;
    assert_eq!(server.random.drawn(), drawn + 3, "a browser keeps its cookie");
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host() {
    let server = TestServer::at("https://example.com/base");
    server.put_client(&client("c")).await;
    let page = server.get(&authorize_url("c", &[("resource", "")])).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-"), "{cookie}");
    assert!(cookie.contains("; Secure") && cookie.contains("; Path=/;"), "{cookie}");
    assert_eq!(page.form().action, "/base/authorize/consent");
}

/// An unverified redirect URI is never followed (RFC 6749, section 4.1.2.1).
#[tokio::test]
async fn without_a_verified_redirect_uri_the_user_is_told() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let two = vec![BACK.to_owned(), "https://client.example/other".to_owned()];
    server.put_client(&ClientRecord { redirect_uris: two, ..client("two") }).await;
    for changes in [
        &[("client_id", "")][..],
        &[("client_id", "unknown")],
        &[("client_id", "<script>")],
        &[("client_id", "two"), ("redirect_uri", "")],
        &[("redirect_uri", "https://evil.example/")],
        &[("redirect_uri", "https://client.example/callback/")],
        &[("redirect_uri", "https://client.example/CALLBACK")],
        &[("redirect_uri", "https://CLIENT.example/callback")],
        &[("redirect_uri", "https://client.example/callback?a=b")],
        &[("redirect_uri", "https://client.example/x/../callback")],
        &[("redirect_uri", "https://client.example:443/callback")],
        &[("redirect_uri", "https://client.example@evil.example/callback")],
        &[("redirect_uri", "javascript:alert(1)")],
        // Also when something else is wrong.
        &[("redirect_uri", "https://evil.example/"), ("response_type", "token")],
    ] {
        let page = server.get(&authorize_url("c", changes)).await;
        assert_eq!(page.status, 400, "{changes:?}");
        assert!(!page.headers.contains_key("location"), "{changes:?}");
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(!page.body.contains("evil.example") && !page.body.contains("<script>"));
    }
    for name in ["client_id", "redirect_uri"] {
        let url = format!("{}&{name}=x", authorize_url("c", &[]));
        let page = server.get(&url).await;
        assert_eq!(page.status, 400, "{name}");
        assert!(page.body.contains("more than once"), "{}", page.body);
    }
    let long = authorize_url("c", &[("state", &"x".repeat(20_000))]);
    assert_eq!(server.get(&long).await.status, 413);
}

#[tokio::test]
async fn every_other_error_goes_to_the_client() {
    let server = TestServer::new();
    server.put_client(&native()).await;
    let padded = format!("{CHALLENGE}=");
    for (changes, error) in [
        (&[("response_type", "")][..], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("code_challenge", padded.as_str())], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "s256")], "invalid_request"),
        (&[("dpop_jkt", "short")], "invalid_request"),
        (&[("dpop_jkt", padded.as_str())], "invalid_request"),
        (&[("scope", "mcp:read everything")], "invalid_scope"),
        (&[("scope", "MCP:READ")], "invalid_scope"),
        (&[("resource", "https://elsewhere.example/mcp")], "invalid_target"),
        (&[("resource", "http://localhost:3232/mcp#x")], "invalid_target"),
        (&[("resource", "http://localhost:3232/other")], "invalid_target"),
    ] {
        let changes = [&[("redirect_uri", HERE)], changes].concat();
        let page = server.get(&authorize_url("n", &changes)).await;
        assert_eq!(page.status, 303, "{changes:?}");
        let answer = page.redirected_to(HERE);
        assert_eq!(answer["error"], error, "{changes:?}");
        assert_eq!(answer["state"], "the state", "{changes:?}");
        assert_eq!(answer["iss"], "http://localhost:3232", "{changes:?}");
        // RFC 6749, section 4.1.2.1.
        let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        assert!(answer["error_description"].chars().all(allowed), "{answer:?}");
    }
}

/// A site that anybody may have registered is not gone to before the user says so.
#[tokio::test]
async fn a_link_to_this_server_leads_to_no_other_site_by_itself() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let wrong = [("scope", "mcp:read <b>"), ("state", "a&b")];
    let (path, query) = authorize_url("c", &wrong).split_once('?').map(own).unwrap();
    for page in
        [server.get(&format!("{path}?{query}")).await, server.post_form(&path, &query).await]
    {
        assert_eq!(page.status, 400);
        assert!(!page.headers.contains_key("location"));
        assert!(page.body.contains("<bdi>client.example</bdi>"), "{}", page.body);
        assert!(page.body.contains("the scope &#60;b&#62; is not known"), "{}", page.body);
        let (_, link) = page.body.split_once("<a href=\"").unwrap();
        let link = link.split('"').next().unwrap().replace("&#38;", "&");
        let (target, answer) = link.split_once('?').unwrap();
        assert_eq!(target, BACK);
        let answer: HashMap<_, _> = form_urlencoded::parse(answer.as_bytes()).collect();
        assert_eq!(answer["error"], "invalid_scope");
        assert_eq!(answer["state"], "a&b");
        assert_eq!(answer["iss"], "http://localhost:3232");
    }
}

/// The operator knows its site.
#[tokio::test]
async fn but_to_that_of_a_client_that_is_listed() {
    let list = format!(
        "[{{\"client_id\":\"c\",\"token_endpoint_auth_method\":\"none\",\"redirect_uris\":[\"{BACK}\"]}}]"
    );
    let list = ListedClients::parse(&list, &[]).unwrap();
    let server = TestServer::with_config(|config| config.listed_clients = list);
    let page = server.get(&authorize_url("c", &[("scope", "nonsense")])).await;
    assert_eq!(page.redirected_to(BACK)["error"], "invalid_scope");
}

#[tokio::test]
async fn repeated_parameters_are_refused() {
    let server = TestServer::new();
    server.put_client(&native()).await;
    for (name, error) in [
        ("response_type", "invalid_request"),
        ("scope", "invalid_request"),
        ("state", "invalid_request"),
        ("code_challenge", "invalid_request"),
        ("code_challenge_method", "invalid_request"),
        ("response_mode", "invalid_request"),
        // May be repeated by RFC 8707, but a token is good for one.
        ("resource", "invalid_target"),
    ] {
        let url =
            format!("{}&{name}=query&{name}=query", authorize_url("n", &[("redirect_uri", HERE)]));
        let answer = server.get(&url).await.redirected_to(HERE);
        assert_eq!(answer["error"], error, "{name}");
        assert_eq!(answer.contains_key("state"), name != "state", "which one would it be?");
    }
    let ignored = format!("{}&foo=1&foo=2", authorize_url("n", &[("redirect_uri", HERE)]));
    assert_eq!(server.get(&ignored).await.status, 200);
}

#[tokio::test]
async fn what_is_left_out_has_a_default() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    let reader = ClientRecord { scope: Some("mcp:read".into()), ..client("reader") };
    server.put_client(&reader).await;
    for (changes, scope) in [
        (&[("scope", "")][..], "mcp:read mcp:tools"),
        (&[("scope", "mcp")], "mcp:read mcp:tools"),
        (&[("scope", "offline_access")], "mcp:read mcp:tools"),
        (&[("scope", "mcp:admin offline_access")], "mcp:admin"),
        (&[("scope", ""), ("client_id", "reader")], "mcp:read"),
        (&[("scope", "mcp:tools"), ("client_id", "reader")], "mcp:tools"),
    ] {
        let page = server.get(&authorize_url("c", changes)).await;
        let shown: Vec<_> = ["mcp:read", "mcp:tools", "mcp:admin"]
            .into_iter()
            .filter(|scope| page.body.contains(&format!("<code>{scope}</code>")))
            .collect();
        assert_eq!(shown.join(" "), scope, "{changes:?}");
    }
    let page = server.get(&authorize_url("c", &[("resource", ""), ("state", "")])).await;
    assert!(page.body.contains("http://localhost:3232/mcp"), "{}", page.body);
    let only = server.get(&authorize_url("c", &[("redirect_uri", "")])).await;
    assert_eq!(only.status, 200, "there is only one place to go back to");
}

#[tokio::test]
async fn native_apps_come_with_any_port() {
    let server = TestServer::new();
    let uris = ["http://localhost/callback", "http://127.0.0.1:1/cb", "http://[::1]/cb"];
    let native = ClientRecord { redirect_uris: uris.map(String::from).into(), ..client("n") };
    server.put_client(&native).await;
    for (uri, status) in [
        ("http://localhost:51234/callback", 200),
        ("http://127.0.0.1:2/cb", 200),
        ("http://[::1]:3/cb", 200),
        ("http://localhost:51234/cb", 400),
        ("http://localhost:51234/callback?x", 400),
        ("http://127.0.0.1:2/callback", 400),
        ("http://localhost:0/callback", 400),
    ] {
        let page = server.get(&authorize_url("n", &[("redirect_uri", uri)])).await;
        assert_eq!(page.status, status, "{uri}");
        assert_eq!(page.body.contains("this computer"), status == 200, "{uri}");
        assert!(status != 200 || page.body.contains(uri.split('/').nth(2).unwrap()), "{uri}");
    }
}

#[tokio::test]
async fn resources_may_be_spelt_in_several_ways() {
    let server = TestServer::new();
    server.put_client(&client("c")).await;
    for resource in [
        "http://localhost:3232",
        "http://localhost:3232/",
        "http://localhost:3232/mcp/",
        "http://LOCALHOST:3232/sse",
    ] {
        let page = server.get(&authorize_url("c", &[("resource", resource)])).await;
        assert_eq!(page.status, 200, "{resource}");
    }
}

#[tokio::test]
async fn a_registration_ends() {
    let server = TestServer::new();
    server.put_short_lived_client(&client("c"), Duration::from_secs(60)).await;
    assert_eq!(server.get(&authorize_url("c", &[])).await.status, 200);
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.get(&authorize_url("c", &[])).await.status, 400);
}

#[tokio::test]
async fn a_store_that_is_away_is_told_as_such() {
    let server = TestServer::with_broken_store();
    let page = server.get(&authorize_url("c", &[])).await;
    assert_eq!(page.status, 503);
    assert!(page.headers.contains_key("retry-after"));
    assert!(!page.body.contains("broken on purpose"), "{}", page.body);
}

#[test]
fn test_requests_are_complete() {
    assert_eq!(form(&[("a", "1"), ("b", "2")], &[("b", ""), ("c", "3")]), "a=1&c=3");
}
