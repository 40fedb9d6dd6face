//! Finding the server.

use axum::{body::Body, http::Request};
use tower::ServiceExt as _;

use super::*;
use crate::{http::Http, resource::remote::discovery, testing::Page};

async fn discover(server: &Elsewhere) -> Result<discovery::ServerMetadata, String> {
    let (http, issuer) = (Http::new().unwrap(), BaseUri::parse(&server.issuer).unwrap());
    discovery::discover(&http, &issuer).await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn every_place_is_looked_at() {
    for place in [
        "/.well-known/oauth-authorization-server/t/1",
        "/.well-known/openid-configuration/t/1",
        "/t/1/.well-known/openid-configuration",
    ] {
        let server = Elsewhere::silent("/t/1");
        server.answer(place, Answer::Json(server.metadata(&json!({}))));
        let found = discover(&server).await.unwrap();
        let expected = format!("{}/introspect", server.issuer);
        assert_eq!(found.introspection_endpoint, Some(expected), "{place}");
        assert_eq!(found.document, server.metadata(&json!({})));
    }
}

#[tokio::test]
async fn what_openid_adds_is_copied_where_it_belongs() {
    let server = Elsewhere::start();
    let more = server.metadata(&json!({"subject_types_supported": ["public"]}));
    server.answer("/.well-known/openid-configuration", Answer::Json(more.clone()));
    let found = discover(&server).await.unwrap();
    assert_eq!(found.document, server.metadata(&json!({})));
    assert_eq!(found.openid, Some(more));
    let other = server.metadata(&json!({"issuer": "https://other.example"}));
    server.answer("/.well-known/openid-configuration", Answer::Json(other));
    assert_eq!(discover(&server).await.unwrap().openid, None);
}

#[tokio::test]
async fn what_is_wrong_is_said_of_each_place() {
    let server = Elsewhere::start();
    let other = json!({"issuer": format!("{}/", server.issuer)});
    let in_clear = json!({"jwks_uri": "ftp://keys.example"});
    for (answer, said) in [
        (
            Answer::Json(server.metadata(&other)),
            "AUTH_SERVER_URL or ENTERPRISE_ISSUERS must be the same",
        ),
        (Answer::Json(server.metadata(&in_clear)), "its jwks_uri is no https URL"),
        (Answer::Json(json!({})), "it is no metadata"),
        (Answer::Json(json!({"issuer": 7})), "it is no metadata"),
        (Answer::Json(json!([])), "it is no metadata"),
        (Answer::Text("<html>".into()), "no JSON"),
        (Answer::Text("x".repeat(300_000)), "longer than"),
        (Answer::Redirect(format!("{}/elsewhere", server.issuer)), "302"),
        (Answer::Status(500), "500"),
    ] {
        server.answer("/.well-known/oauth-authorization-server", answer);
        let told = discover(&server).await.unwrap_err();
        assert!(told.contains(said), "{told}");
        assert!(told.contains("openid-configuration: it answers 404"), "{told}");
    }
    assert!(server.asked("/elsewhere").is_empty(), "nothing is followed");
}

#[tokio::test]
async fn until_then_no_token_is_blamed() {
    let mut server = Elsewhere::start();
    let verifier = Verifier::unfound(&server, RemoteTokens::default());
    assert!(Verifier::away(verifier.verify("x").await).contains("not found yet"));
    server.stop().await;
    assert!(!discover(&server).await.unwrap_err().contains("openid-configuration"));
}

#[tokio::test]
async fn older_clients_are_given_a_copy() {
    let server = Elsewhere::silent("");
    let trusted = Arc::new(TrustedServer::new(BaseUri::parse(&server.issuer).unwrap()).unwrap());
    let routes = trusted.metadata_copy(&BaseUri::parse("https://mcp.example.com/base").unwrap());
    let get = async |path: &str| {
        let request = Request::get(format!("/.well-known/{path}")).body(Body::empty()).unwrap();
        Page::read(routes.clone().oneshot(request).await.unwrap()).await
    };
    let early = get("oauth-authorization-server").await;
    early.assert_error(503, "temporarily_unavailable");
    assert_eq!(early.header("retry-after"), "2");
    // It comes while it is looked for.
    let document = server.metadata(&json!({"x": [1]}));
    let comes = async {
        while server.asked("/.well-known/openid-configuration").is_empty() {
            tokio::task::yield_now().await;
        }
        server.answer("/.well-known/openid-configuration", Answer::Json(document.clone()));
        trusted.found().await;
    };
    tokio::select! {
        () = trusted.keep_finding() => {}
        () = comes => {}
    }
    for path in [
        "oauth-authorization-server",
        "openid-configuration",
        "oauth-authorization-server/base",
        "openid-configuration/base",
    ] {
        assert_eq!(get(path).await.json(), document, "{path}");
    }
}
