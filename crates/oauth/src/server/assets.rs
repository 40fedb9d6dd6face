//! `/auth-assets/`: the style and script of the pages.

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

const ASSETS: [(&str, &str, &[u8]); 2] = [
    ("/auth-assets/auth.css", "text/css; charset=utf-8", include_bytes!("../../assets/auth.css")),
    (
        "/auth-assets/fake-upstream.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../../assets/fake-upstream.js"),
    ),
];

pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new();
    for (path, content_type, content) in ASSETS {
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(content)[..12]));
        let Ok(tag) = HeaderValue::from_str(&tag) else { continue };
        let answer = async move |headers: HeaderMap| respond(&headers, &tag, content_type, content);
        router = router.route(path, get(answer));
    }
    router
}

fn respond(
    headers: &HeaderMap,
    tag: &HeaderValue,
    content_type: &'static str,
    content: &'static [u8],
) -> Response {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| {
        known.split(',').any(|one| one.trim().trim_start_matches("W/").as_bytes() == tag.as_bytes())
    });
    let cache = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, cache).into_response();
    }
    let kind = [(header::CONTENT_TYPE, content_type), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (cache, kind, Bytes::from_static(content)).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};

    use crate::testing::TestServer;

    #[tokio::test]
    async fn each_has_its_type_and_is_sent_once() {
        let server = TestServer::new();
        for (path, content_type) in [
            ("/auth-assets/auth.css", "text/css; charset=utf-8"),
            ("/auth-assets/fake-upstream.js", "text/javascript; charset=utf-8"),
        ] {
            let first = server.get(path).await;
            assert_eq!(first.status, 200);
            assert_eq!(first.header("content-type"), content_type);
            assert!(first.header("cache-control").contains("max-age"));
            assert!(!first.body.is_empty());
            let tag = first.header("etag");
            for (sent, status) in [(tag, 304), (&format!("\"x\", W/{tag}"), 304), ("\"x\"", 200)] {
                let request = Request::get(path).header("if-none-match", sent);
                let again = server.send(request.body(Body::empty()).unwrap()).await;
                assert_eq!(again.status, status, "{sent}");
            }
        }
        assert_eq!(server.get("/auth-assets/other").await.status, 404);
    }

    #[test]
    fn the_script_talks_to_nobody() {
        let script = include_str!("../../assets/fake-upstream.js");
        for word in ["fetch", "XMLHttpRequest", "innerHTML", "eval", "document.write", "http:"] {
            assert!(!script.contains(word), "{word}");
        }
    }
}
