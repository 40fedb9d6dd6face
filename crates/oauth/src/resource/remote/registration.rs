//! Becoming a client that may ask about tokens (RFC 7591), where none is configured.

use serde_json::json;

use super::{IntrospectionClient, claims::Claims};
use crate::http::{Http, HttpError};

/// Registers a client with a secret, and for nothing else: nobody ever signs in with it, but a
/// server may want to see a redirect URI. None listens on that port.
pub(super) async fn register(
    http: &Http,
    endpoint: &str,
) -> Result<IntrospectionClient, HttpError> {
    let request = http.post(endpoint).json(&json!({
        "client_name": "MCP server asking about tokens",
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1:9/"],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
    }));
    let answer = http.json(request).await?;
    let claims = Claims::new(answer).ok_or(HttpError::NotJson)?;
    let text = |name| claims.text(name).ok().flatten().ok_or(HttpError::NotJson);
    Ok(IntrospectionClient::new(text("client_id")?, text("client_secret")?))
}
