//! Reads an authorization request, in the order that decides who is told of an error.

use mcp_everything_store::oauth::ClientRecord;

use super::{AuthorizeError, PageError, Refusal, ReturnTo};
use crate::{ScopeSet, dpop, events, params::Params, pkce, server::Context};

/// A request that can be put to the user.
#[derive(Debug)]
pub(in crate::server) struct AuthorizationRequest {
    pub(in crate::server) client: ClientRecord,
    pub(in crate::server) return_to: ReturnTo,
    pub(in crate::server) code_challenge: String,
    pub(in crate::server) scope: ScopeSet,
    pub(in crate::server) resource: String,
    pub(in crate::server) dpop_jkt: Option<String>,
}

/// What is left once the client and the redirect URI are known.
struct Rest {
    code_challenge: String,
    scope: ScopeSet,
    resource: String,
    dpop_jkt: Option<String>,
}

impl AuthorizationRequest {
    /// The parameters that are read; the others are ignored.
    pub(in crate::server) const PARAMETERS: [&'static str; 10] = [
        "response_type",
        "response_mode",
        "client_id",
        "redirect_uri",
        "scope",
        "state",
        "code_challenge",
        "code_challenge_method",
        "resource",
        "dpop_jkt",
    ];

    pub(in crate::server) async fn read(
        context: &Context,
        params: &Params,
    ) -> Result<Self, AuthorizeError> {
        let id = params.one("client_id")?.ok_or(PageError::NoClient)?;
        let client = context
            .client(id)
            .await
            .map_err(|error| PageError::lookup(id, error))?
            .ok_or_else(|| PageError::UnknownClient(events::loggable(id)))?;
        let uri = match (params.one("redirect_uri")?, &client.redirect_uris[..]) {
            (Some(uri), _) => uri,
            // It may be left out if there is no choice (RFC 6749, section 3.1.2.3).
            (None, [only]) => only,
            (None, _) => return Err(PageError::NoRedirectUri.into()),
        };
        let state = params.one("state");
        let return_to = ReturnTo::verify(&client, uri, state.unwrap_or_default())
            .ok_or_else(|| PageError::OtherRedirectUri(client.id.clone()))?;
        // From here on the client is told.
        let rest = match state {
            Ok(_) => Rest::read(context, params, &client),
            Err(repeated) => Err(repeated.into()),
        };
        match rest {
            Ok(Rest { code_challenge, scope, resource, dpop_jkt }) => {
                Ok(Self { client, return_to, code_challenge, scope, resource, dpop_jkt })
            }
            Err(refusal) => Err(AuthorizeError::Redirect(return_to, refusal)),
        }
    }
}

impl Rest {
    fn read(context: &Context, params: &Params, client: &ClientRecord) -> Result<Self, Refusal> {
        match params.one("response_type")? {
            Some("code") => {}
            Some(_) => return Err(Refusal::ResponseType),
            None => return Err(Refusal::NoResponseType),
        }
        if params.one("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(Refusal::ResponseMode);
        }
        let code_challenge = params.one("code_challenge")?.ok_or(Refusal::NoChallenge)?;
        // Left out it means `plain` (RFC 7636, section 4.3).
        if params.one("code_challenge_method")? != Some("S256") {
            return Err(Refusal::ChallengeMethod);
        }
        if !pkce::is_challenge(code_challenge) {
            return Err(Refusal::Challenge);
        }
        let dpop_jkt = params.one("dpop_jkt")?;
        if dpop_jkt.is_some_and(|text| !dpop::is_thumbprint(text)) {
            return Err(Refusal::Thumbprint);
        }
        Ok(Self {
            code_challenge: code_challenge.to_owned(),
            dpop_jkt: dpop_jkt.map(String::from),
            resource: resource(context, params)?,
            scope: scope(context, params, client)?,
        })
    }
}

fn resource(context: &Context, params: &Params) -> Result<String, Refusal> {
    let mut asked = params.all("resource");
    let first = asked.next();
    if asked.next().is_some() {
        return Err(Refusal::SeveralResources);
    }
    let selected = context.config.resources.select(first).map_err(|_| Refusal::Resource)?;
    Ok(selected.to_owned())
}

/// What is asked for, or else what the client registered for, or else the usual.
fn scope(context: &Context, params: &Params, client: &ClientRecord) -> Result<ScopeSet, Refusal> {
    let asked = ScopeSet::parse(params.one("scope")?.unwrap_or_default())?;
    let registered = ScopeSet::parse_known(client.scope.as_deref().unwrap_or_default());
    let first = [asked, registered].into_iter().find(|set| !set.is_empty());
    Ok(first.unwrap_or(context.config.default_scope))
}
