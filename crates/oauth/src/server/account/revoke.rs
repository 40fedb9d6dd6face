//! `/account/revoke`: ends one grant of the user's, or all of them.

use std::sync::Arc;

use axum::{body::Body, extract::State, http::HeaderMap, response::Response};
use futures::future::try_join_all;
use mcp_everything_store::oauth::GrantId;

use super::{AccountError, Context, MOST, PATH, session::Session, to_page};
use crate::{browser::is_sent_by_others, events, params::Params};

pub(super) async fn post(
    State(context): State<Arc<Context>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match revoke(&context, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.respond(&context),
    }
}

async fn revoke(
    context: &Context,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, AccountError> {
    if is_sent_by_others(headers) {
        return Err(AccountError::OtherSession);
    }
    let form = Params::from_body(headers, body).await?;
    let session = Session::of(context, headers).ok_or(AccountError::SignedOut)?;
    if !session.has_shown(context, form.one("signature")?.unwrap_or_default()) {
        return Err(AccountError::OtherSession);
    }
    match form.one("grant")? {
        Some("all") => revoke_all(context, &session).await?,
        Some(id) => revoke_one(context, &session, id).await?,
        None => return Err(AccountError::NoGrant),
    }
    Ok(to_page(context, PATH, None))
}

/// A grant of another user's is as unknown as one that never was. One that was revoked before is
/// revoked again, as a button may be pressed twice.
async fn revoke_one(context: &Context, session: &Session, id: &str) -> Result<(), AccountError> {
    let id: GrantId = id.parse().map_err(|_| AccountError::NoGrant)?;
    let grant = context.store.grant(&id).await?.ok_or(AccountError::NoGrant)?;
    if grant.record.user != session.user() {
        return Err(AccountError::NoGrant);
    }
    end(context, session, id, &grant.record.client).await
}

/// What is revoked is not listed again, so this comes to an end.
async fn revoke_all(context: &Context, session: &Session) -> Result<(), AccountError> {
    loop {
        let grants = context.store.grants_of(session.user(), MOST).await?;
        if grants.is_empty() {
            return Ok(());
        }
        // Each waits until every instance knows.
        let ends = grants.iter().map(|one| end(context, session, one.id, &one.record.client));
        try_join_all(ends).await?;
    }
}

async fn end(
    context: &Context,
    session: &Session,
    id: GrantId,
    client: &str,
) -> Result<(), AccountError> {
    context.revoke_grant(id).await?;
    events::account_revoked(client, session.user(), id);
    Ok(())
}
