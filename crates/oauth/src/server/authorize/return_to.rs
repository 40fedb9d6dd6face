//! Where the browser goes in the end.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use mcp_everything_store::oauth::ClientRecord;

use super::{PageError, Refusal};
use crate::{redirect_uri, server::Context};

/// A redirect URI that was found among the client's, with the state that goes with it. There is no
/// other way to get one, and no other way to redirect: so nobody is sent to an unverified URI.
#[derive(Debug)]
pub(in crate::server) struct ReturnTo {
    client: String,
    uri: String,
    state: Option<String>,
}

impl ReturnTo {
    /// Takes a redirect URI that the client registered.
    pub(in crate::server) fn verify(
        client: &ClientRecord,
        uri: &str,
        state: Option<&str>,
    ) -> Option<Self> {
        let is_registered = client.redirect_uris.iter().any(|one| redirect_uri::permits(one, uri));
        is_registered.then(|| Self {
            client: client.id.clone(),
            uri: uri.to_owned(),
            state: state.map(String::from),
        })
    }

    pub(in crate::server) fn client(&self) -> &str {
        &self.client
    }

    pub(in crate::server) fn uri(&self) -> &str {
        &self.uri
    }

    pub(in crate::server) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Sends the browser back with a code.
    pub(in crate::server) fn grant(&self, context: &Context, code: &str) -> Response {
        redirect(context, &self.url(context, &[("code", code)]))
    }

    /// Sends the browser back with an error (RFC 6749, section 4.1.2.1).
    pub(in crate::server) fn refuse(&self, context: &Context, why: &Refusal) -> Response {
        redirect(context, &self.refusal(context, why))
    }

    /// The URL that says so.
    pub(in crate::server) fn refusal(&self, context: &Context, why: &Refusal) -> String {
        let description = why.to_string();
        self.url(context, &[("error", why.code().as_str()), ("error_description", &description)])
    }

    /// Every response names its issuer (RFC 9207), errors too.
    fn url(&self, context: &Context, params: &[(&str, &str)]) -> String {
        let mut params = params.to_vec();
        if let Some(state) = &self.state {
            params.push(("state", state));
        }
        params.push(("iss", context.config.issuer.as_str()));
        redirect_uri::with_params(&self.uri, &params)
    }
}

/// 303: whatever the method was, the browser goes on with GET and takes no form along (OAuth 2.1,
/// section 7.5.1).
pub(in crate::server) fn redirect(context: &Context, url: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else {
        return PageError::Unsendable.respond(context);
    };
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
