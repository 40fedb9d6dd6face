//! Tokens that come without a login: a grant that lives as long as its one access token, and no
//! refresh token, since the client can ask again.

use mcp_everything_store::oauth::{ClientRecord, GrantId, GrantRecord};

use super::{Context, GrantType, TokenError};
use crate::{
    ScopeSet,
    dpop::Proof,
    events,
    tokens::{Granted, Issued},
};

/// What the token is to be.
pub(super) struct Wanted<'a> {
    /// How it is asked for.
    pub(super) by: GrantType,
    pub(super) user: &'a str,
    pub(super) scope: ScopeSet,
    pub(super) resource: &'a str,
}

pub(super) async fn issue(
    context: &Context,
    client: &ClientRecord,
    wanted: Wanted<'_>,
    proof: Option<&Proof>,
) -> Result<Issued, TokenError> {
    let Wanted { by, user, scope, resource } = wanted;
    let life = context.config.lifetimes.access_token;
    let grant = GrantId::draw(&*context.random);
    let record = GrantRecord {
        user: user.to_owned(),
        client: client.id.clone(),
        client_name: client.name.clone(),
        redirect_uri: None,
        scope: scope.to_string(),
        resource: resource.to_owned(),
        created_at: context.clock.now(),
    };
    context.store.create_grant(&grant, &record, life).await?;
    context.prolong_client(&client.id).await?;
    let confirmation = proof.map(Proof::thumbprint);
    let granted = Granted { grant, user, client: &client.id, scope, resource, confirmation };
    let access = context.issue_access_token(&granted).await?;
    events::token_issued(by, &client.id, user, grant, &record.scope);
    Ok(Issued { access, bound: proof.is_some(), refresh: None, expires_in: life.as_secs(), scope })
}
