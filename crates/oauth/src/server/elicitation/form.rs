//! The form: the user's answer, or that there is none.
//!
//! What the user typed is looked at and dropped: this server shows the way such a thing goes, and
//! has no use for it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use mcp_everything_store::Settlement;

use super::{Desk, ElicitationError};
use crate::{
    browser::{Browser, is_sent_by_others},
    events,
    params::Params,
};

/// The longest answer, in characters. The page says so.
const LONGEST: usize = 200;

pub(super) async fn post(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(&desk, &id, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.respond(&desk),
    }
}

async fn take(
    desk: &Desk,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ElicitationError> {
    if is_sent_by_others(headers) {
        return Err(ElicitationError::OtherForm);
    }
    let form = Params::from_body(headers, body).await?;
    let (id, elicitation) = desk.find(id).await?;
    let visitor = desk.visitor(headers).ok_or(ElicitationError::SignedOut)?;
    visitor.is_asked(&elicitation)?;
    let pages = &desk.pages;
    let browser = Browser::of(headers, pages.base.is_https()).ok_or(ElicitationError::OtherForm)?;
    let signature = form.one("signature")?.unwrap_or_default();
    browser
        .verify(&pages.keys, &visitor.form(id), signature, "", pages.clock.now())
        .ok_or(ElicitationError::OtherForm)?;
    let to = match form.one("decision")? {
        Some("decline") => Settlement::Declined,
        Some(_) => return Err(ElicitationError::NoAnswer),
        None => {
            let answer = form.one("answer")?.unwrap_or_default();
            if !(1..=LONGEST).contains(&answer.chars().count()) {
                return Err(ElicitationError::NoAnswer);
            }
            Settlement::Completed
        }
    };
    let settled = pages.elicitations.settle(id, to).await?.ok_or(ElicitationError::NoSuch)?;
    if settled.by_this {
        events::elicitation_settled(&elicitation.owner.client, &visitor.user, to);
    }
    // The page says how it stands, also if it was settled otherwise before.
    Ok(desk.to_page(id))
}
