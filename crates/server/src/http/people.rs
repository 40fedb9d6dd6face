//! What people are told who open in a browser what is for programs, or is not there.
//!
//! The status and the headers are the protocol's, whoever asks. Only the body is another, and only
//! where HTML was asked for by name: no client of MCP or OAuth does that.

use askama::Template;
use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use super::{Site, splash::shown};

/// Errors are short: what is longer is none of ours.
const LONGEST: usize = 64 * 1024;

/// Where MCP is spoken.
const ENDPOINTS: [&str; 3] = ["/mcp", "/sse", "/message"];

#[derive(Template)]
#[template(path = "mistake.html")]
struct Mistake<'a> {
    site: &'a Site,
    kind: Kind,
    status: u16,
    said: String,
}

/// What somebody has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An endpoint of MCP.
    Endpoint,
    /// Nothing.
    NotThere,
    /// Something else for programs.
    Other,
}

/// Somebody opens a URL in a browser.
pub(super) struct Visit {
    is_endpoint: bool,
}

impl Visit {
    /// `None`: a program asks.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let is_visit = request.method() == Method::GET && asks_for_a_page(request.headers());
        is_visit.then(|| Self { is_endpoint: ENDPOINTS.contains(&request.uri().path()) })
    }

    /// What is answered, with a page in place of an error in JSON.
    pub(super) async fn answered(self, response: Response, site: &Site) -> Response {
        let status = response.status();
        let is_error = status.is_client_error() || status.is_server_error();
        if !(is_error && is_json(response.headers())) {
            return response;
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, LONGEST).await.unwrap_or_default();
        let Some(said) = said(&body) else {
            return Response::from_parts(parts, Body::from(body));
        };
        let kind = match status {
            _ if self.is_endpoint => Kind::Endpoint,
            StatusCode::NOT_FOUND => Kind::NotThere,
            _ => Kind::Other,
        };
        let page = Mistake { site, kind, status: status.as_u16(), said };
        let (of_page, html) = shown(status, &page).into_parts();
        let mut response = Response::from_parts(parts, html);
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.extend(of_page.headers);
        headers.append(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// Whether HTML is asked for by name, as by a browser that opens a URL, and no event stream.
fn asks_for_a_page(headers: &HeaderMap) -> bool {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> = accept.flat_map(|value| value.split(',')).map(essence).collect();
    let has = |kind: &str| ranges.iter().any(|range| range.eq_ignore_ascii_case(kind));
    has("text/html") && !has("text/event-stream")
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| essence(kind).eq_ignore_ascii_case("application/json"))
}

fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// What an error says, in the form of OAuth or of JSON-RPC.
fn said(body: &[u8]) -> Option<String> {
    let error: Value = serde_json::from_slice(body).ok()?;
    let said = error["error_description"].as_str().or_else(|| error["error"]["message"].as_str());
    said.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_names_html_is_shown_a_page() {
        let asks = |accept: &[&str]| {
            let values = accept.iter().map(|value| (header::ACCEPT, value.parse().unwrap()));
            asks_for_a_page(&values.collect())
        };
        assert!(asks(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]));
        assert!(asks(&["TEXT/HTML; q=0.5"]));
        for program in [
            &[][..],
            &["*/*"],
            &["text/*"],
            &["application/json, text/event-stream"],
            &["text/event-stream"],
            &["text/event-stream, text/html"],
            &["text/html", "text/event-stream"],
        ] {
            assert!(!asks(program), "{program:?}");
        }
    }
}
