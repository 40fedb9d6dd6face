//! A refusal before the user has been asked anything.
//!
//! Anybody can register a client, and with it a site: a link to this server that led on to that site
//! by itself would lend it this server's name. So the user decides about going there (RFC 9700,
//! section 4.11.2). A program on the user's own computer, or an app, is no such site, nor is one
//! whose client the operator has listed.

use axum::{http::StatusCode, response::Response};

use super::{Refusal, ReturnTo};
use crate::{
    events,
    pages::{self, RefusedPage},
    redirect_uri::{Destination, destination},
    server::Context,
};

pub(super) fn refuse(context: &Context, return_to: &ReturnTo, why: &Refusal) -> Response {
    let is_listed = context.is_listed(return_to.client());
    let host = match destination(return_to.uri()) {
        Destination::Host(host) if !is_listed => host,
        Destination::Host(_) | Destination::ThisComputer(_) | Destination::App(_) => {
            events::request_refused(Some(return_to.client()), why, true);
            return return_to.refuse(context, why);
        }
    };
    events::request_refused(Some(return_to.client()), why, false);
    let (site, why_not) = (context.site(), why.to_string());
    let page =
        RefusedPage { site, why: &why_not, host: &host, back: &return_to.refusal(context, why) };
    pages::respond(StatusCode::BAD_REQUEST, &page)
}
