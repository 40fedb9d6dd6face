//! A login: the user's way to the upstream provider and back.

use axum::{
    http::{HeaderMap, header},
    response::Response,
};
use mcp_everything_store::oauth::{
    AttemptId, LoginPurpose, PendingAuthorization, PendingLogin, Sealed, SecretHash,
};

use super::{
    Context,
    account::Page,
    authorize::{PageError, ReturnTo, redirect},
};
use crate::{browser::Browser, params::Params, secret::PlainSecret};

/// Sends the browser to the provider.
pub(super) async fn begin(
    context: &Context,
    browser: &Browser,
    state: &PlainSecret,
    purpose: LoginPurpose,
) -> Result<Response, PageError> {
    let departure = context.upstream.begin(state.expose()).await?;
    let pending = PendingLogin {
        purpose,
        browser: browser.hash(),
        upstream_url: departure.url,
        upstream_memo: departure.memo,
    };
    let body = Sealed::seal(&pending, state.expose(), &*context.random)?;
    let life = context.config.lifetimes.pending;
    // If the form was submitted before, the login that it began goes on: the provider's answer to
    // another departure would not fit what is kept.
    let kept = context.store.put_pending(&state.hash(), &body, life).await?;
    let kept = kept.ok_or(PageError::NoLogin)?.open(state.expose())?;
    let mut response = redirect(context, &kept.upstream_url);
    // Its time begins anew with the login's.
    if let Some(cookie) = browser.cookie(life) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// A login that an answer of the provider belongs to.
pub(super) struct Login {
    name: SecretHash,
    /// What the provider's adapter had to remember.
    pub(super) memo: String,
    pub(super) awaited: Awaited,
}

/// Who waits for it.
pub(super) enum Awaited {
    /// A client, at its redirect URI.
    ByClient(Box<ClientWaits>),
    /// A page of this server.
    ByPage(Page),
}

/// A client that waits for a code.
pub(super) struct ClientWaits {
    pub(super) authorization: PendingAuthorization,
    pub(super) client_name: Option<String>,
    pub(super) return_to: ReturnTo,
}

impl Login {
    pub(super) async fn find(
        context: &Context,
        headers: &HeaderMap,
        params: &Params,
    ) -> Result<Self, PageError> {
        let state = params.one("state")?.ok_or(PageError::NoLogin)?;
        let name = SecretHash::of(state);
        let pending = context.store.pending(&name).await?.ok_or(PageError::NoLogin)?.open(state)?;
        Browser::of(headers, context.config.issuer.is_https())
            .filter(|browser| browser.hash() == pending.browser)
            .ok_or(PageError::OtherBrowser)?;
        let awaited = match pending.purpose {
            LoginPurpose::Authorize(authorization) => {
                Awaited::ByClient(Box::new(ClientWaits::check(context, authorization).await?))
            }
            LoginPurpose::Account => Awaited::ByPage(Page::Account),
            LoginPurpose::Status => Awaited::ByPage(Page::Status),
            LoginPurpose::Elicitation(id) => {
                Awaited::ByPage(Page::Elicitation(id.parse().map_err(|_| PageError::NoLogin)?))
            }
        };
        Ok(Self { name, memo: pending.upstream_memo, awaited })
    }

    /// Ends it. Of two answers to one login only one gets out.
    pub(super) async fn end(
        &self,
        context: &Context,
        attempt: &AttemptId,
    ) -> Result<(), PageError> {
        let is_first = context.store.take_pending(&self.name, attempt).await?;
        if is_first { Ok(()) } else { Err(PageError::NoLogin) }
    }
}

impl ClientWaits {
    /// Checked again: the registration may have ended while the user was away.
    async fn check(
        context: &Context,
        authorization: PendingAuthorization,
    ) -> Result<Self, PageError> {
        let client = context
            .client(&authorization.client)
            .await
            .map_err(|error| PageError::lookup(&authorization.client, error))?
            .ok_or_else(|| PageError::UnknownClient(authorization.client.clone()))?;
        let return_to =
            ReturnTo::verify(&client, &authorization.redirect_uri, authorization.state.as_deref())
                .ok_or(PageError::OtherRedirectUri(client.id))?;
        Ok(Self { authorization, client_name: client.name, return_to })
    }
}
