//! Each method, right and wrong.

use axum::response::IntoResponse as _;

use super::*;
use crate::testing::{TestServer, basic, client};

struct Case {
    headers: Vec<String>,
    body: String,
    answer: Result<&'static str, (u16, &'static str, bool)>,
}

fn case(
    headers: &[&str],
    body: &str,
    answer: Result<&'static str, (u16, &'static str, bool)>,
) -> Case {
    Case {
        headers: headers.iter().map(|value| (*value).to_owned()).collect(),
        body: body.into(),
        answer,
    }
}

async fn check(cases: Vec<Case>) {
    let server = TestServer::new();
    for (id, auth) in [
        ("public", ClientAuth::None),
        ("basic", ClientAuth::ClientSecretBasic { secret: SecretHash::of("s3 cr:et%") }),
        ("post", ClientAuth::ClientSecretPost { secret: SecretHash::of("s3 cr:et%") }),
    ] {
        let client = ClientRecord { auth, ..client(id) };
        server.put_client(&client).await;
    }
    for Case { headers: sent, body, answer } in cases {
        let mut headers = HeaderMap::new();
        for value in &sent {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        let params = Params::parse(body.as_bytes()).unwrap();
        let got = authenticate(&server.context, &headers, &params).await;
        let got = got.map(|client| client.id).map_err(|error| {
            let response = ErrorResponse::from(&error);
            let code = response.code;
            let response = response.into_response();
            let challenged = response.headers().contains_key(header::WWW_AUTHENTICATE);
            (response.status().as_u16(), code, challenged)
        });
        assert_eq!(got, answer.map(String::from), "{sent:?} {body}");
    }
}

#[tokio::test]
async fn the_registered_method_is_accepted() {
    check(vec![
        case(&[], "client_id=public", Ok("public")),
        case(&[], "client_id=post&client_secret=s3+cr%3Aet%25", Ok("post")),
        case(&[&basic("basic", "s3+cr%3Aet%25")], "", Ok("basic")),
        case(&[&basic("basic", "s3%20cr%3Aet%25")], "client_id=basic", Ok("basic")),
        case(&[&basic("basic", "s3 cr:et%25").replace("Basic", "bAsIc")], "", Ok("basic")),
    ])
    .await;
}

#[tokio::test]
async fn another_method_or_a_wrong_secret_is_not() {
    let refused = |challenged| Err((401, "invalid_client", challenged));
    check(vec![
        case(&[], "", refused(false)),
        case(&[], "client_secret=s3", refused(false)),
        case(&[], "client_id=", refused(false)),
        case(&[], "client_id=unknown", refused(false)),
        case(&[], "client_id=PUBLIC", refused(false)),
        case(&[], "client_id=basic", refused(false)),
        case(&[], "client_id=post", refused(false)),
        case(&[], "client_id=post&client_secret=wrong", refused(false)),
        case(&[], "client_id=basic&client_secret=s3+cr%3Aet%25", refused(false)),
        case(&[], "client_id=public&client_secret=x", refused(false)),
        case(&[&basic("unknown", "x")], "", refused(true)),
        case(&[&basic("basic", "wrong")], "", refused(true)),
        case(&[&basic("basic", "")], "", refused(true)),
        case(&[&basic("public", "")], "", refused(true)),
        case(&[&basic("post", "s3+cr%3Aet%25")], "", refused(true)),
        case(&["Bearer abc"], "client_id=public", refused(true)),
        case(&["Basic"], "", refused(true)),
        case(&["Basic %%%"], "", refused(true)),
        case(&[&format!("Basic {}", STANDARD.encode("no-colon"))], "", refused(true)),
        case(&[&format!("Basic {}", STANDARD.encode([0xff, b':']))], "", refused(true)),
        case(&[&format!("Basic {}", STANDARD.encode("%ff:x"))], "", refused(true)),
    ])
    .await;
}

#[tokio::test]
async fn a_request_that_contradicts_itself_is_invalid() {
    let invalid = || Err((400, "invalid_request", false));
    let right = basic("basic", "s3+cr%3Aet%25");
    check(vec![
        case(&[&right], "client_secret=s3+cr%3Aet%25", invalid()),
        case(&[&right], "client_id=public", invalid()),
        case(&[&right, &right], "", invalid()),
        case(&[], "client_id=public&client_id=public", invalid()),
        case(&[], "client_id=post&client_secret=a&client_secret=b", invalid()),
    ])
    .await;
}

#[tokio::test]
async fn a_store_that_is_away_is_no_reason_to_register_again() {
    let server = TestServer::with_broken_store();
    let params = Params::parse(b"client_id=public").unwrap();
    let error = authenticate(&server.context, &HeaderMap::new(), &params).await.unwrap_err();
    let response = ErrorResponse::from(&error);
    assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers.contains_key(header::RETRY_AFTER));
    let long = Params::parse(&[b"client_id=", &[b'x'; 257][..]].concat()).unwrap();
    let error = authenticate(&server.context, &HeaderMap::new(), &long).await.unwrap_err();
    assert!(matches!(error, ClientAuthError::Unknown { .. }), "it is not even looked up");
}
