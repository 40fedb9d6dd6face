//! Who is asking, at the endpoints that clients call directly (RFC 6749, sections 2.3 and 3.2.1).

mod assertion;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mcp_everything_store::{
    StoreError,
    oauth::{ClientAuth, ClientRecord, SecretHash},
};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use zeroize::Zeroizing;

use self::assertion::AssertionError;
use crate::{
    clients::{DocumentError, LookupError},
    events,
    jose::{Jws, KeySet},
    params::{Params, Repeated},
    server::Context,
    wire::{Code, ErrorResponse},
};

/// The methods this server knows, as metadata lists them.
pub(crate) const METHODS: [&str; 4] =
    ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

/// Why a client was not let in. The text is for the log; it has nothing of a secret in it.
#[derive(Debug, Error)]
pub(crate) enum ClientAuthError {
    #[error("no client_id was sent")]
    Nobody,
    #[error("the Authorization header is not Basic")]
    OtherScheme,
    #[error("the Basic credentials cannot be read")]
    Malformed,
    #[error("several methods were used at once")]
    SeveralMethods,
    #[error("different clients are named")]
    TwoClients,
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("the client is not known")]
    Unknown { id: String, basic: bool },
    #[error("the client did not use its method, {registered}")]
    OtherMethod { id: String, registered: &'static str, basic: bool },
    #[error("the secret of the client is wrong")]
    WrongSecret { id: String, basic: bool },
    #[error("the client assertion is not good: {reason}")]
    Assertion { id: Option<String>, reason: AssertionError },
    #[error("{reason}")]
    Document { id: String, basic: bool, reason: DocumentError },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientAuthError {
    fn lookup(id: String, basic: bool, error: LookupError) -> Self {
        match error {
            LookupError::Store(error) => Self::Store(error),
            LookupError::Document(reason) => Self::Document { id, basic, reason },
        }
    }

    /// Whom the request says it is from, as far as it was read.
    fn client_id(&self) -> Option<&str> {
        match self {
            Self::Unknown { id, .. }
            | Self::Document { id, .. }
            | Self::OtherMethod { id, .. }
            | Self::WrongSecret { id, .. } => Some(id),
            Self::Assertion { id, .. } => id.as_deref(),
            Self::Nobody
            | Self::OtherScheme
            | Self::Malformed
            | Self::SeveralMethods
            | Self::TwoClients
            | Self::Repeated(_)
            | Self::Store(_) => None,
        }
    }
}

impl From<&ClientAuthError> for ErrorResponse {
    fn from(error: &ClientAuthError) -> Self {
        match error {
            ClientAuthError::Store(error) => error.into(),
            ClientAuthError::Repeated(repeated) => (*repeated).into(),
            ClientAuthError::SeveralMethods => {
                Self::bad(Code::InvalidRequest, "use one method to authenticate, not several")
            }
            ClientAuthError::TwoClients => Self::bad(
                Code::InvalidRequest,
                "client_id and what proves who the client is name different clients",
            ),
            ClientAuthError::Nobody => invalid_client("no client_id was sent", false),
            ClientAuthError::OtherScheme => {
                invalid_client("the Authorization header must be Basic", true)
            }
            ClientAuthError::Malformed => {
                invalid_client("the Basic credentials cannot be read", true)
            }
            ClientAuthError::Unknown { basic, .. } => {
                invalid_client("this client is not registered; register again", *basic)
            }
            ClientAuthError::Document { reason, .. } if reason.is_passing() => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::TemporarilyUnavailable,
                reason.in_public(),
            )
            .with(header::RETRY_AFTER, HeaderValue::from(5)),
            ClientAuthError::Document { basic, reason, .. } => {
                invalid_client(reason.in_public(), *basic)
            }
            ClientAuthError::OtherMethod { basic, .. } => invalid_client(
                "the client must use the token_endpoint_auth_method it registered",
                *basic,
            ),
            ClientAuthError::WrongSecret { basic, .. } => {
                invalid_client("the client secret is wrong", *basic)
            }
            ClientAuthError::Assertion { .. } => invalid_client(error.to_string(), false),
        }
    }
}

/// 401, and the scheme to use if the client tried the header (RFC 6749, section 5.2).
fn invalid_client(description: impl Into<Cow<'static, str>>, tried_header: bool) -> ErrorResponse {
    let response = ErrorResponse::new(StatusCode::UNAUTHORIZED, Code::InvalidClient, description);
    if tried_header {
        let basic = HeaderValue::from_static("Basic realm=\"oauth\", charset=\"UTF-8\"");
        response.with(header::WWW_AUTHENTICATE, basic)
    } else {
        response
    }
}

/// The client that sent this request, or why it was not let in, which is logged here.
pub(crate) async fn authenticate(
    context: &Context,
    headers: &HeaderMap,
    params: &Params,
) -> Result<ClientRecord, ClientAuthError> {
    let result = match Credentials::read(headers, params) {
        Ok(credentials) => credentials.check(context).await,
        Err(error) => Err(error),
    };
    match &result {
        // A store that fails is logged as such.
        Ok(_) | Err(ClientAuthError::Store(_)) => {}
        Err(ClientAuthError::Document { id, reason, .. }) => events::document_refused(id, reason),
        Err(error) => events::client_rejected(error.client_id(), error),
    }
    result
}

struct Credentials {
    id: String,
    method: Method,
}

enum Method {
    None,
    Basic(Zeroizing<String>),
    Post(Zeroizing<String>),
    Assertion(Zeroizing<String>),
}

impl Credentials {
    fn read(headers: &HeaderMap, params: &Params) -> Result<Self, ClientAuthError> {
        let in_body = params.one("client_secret")?;
        let id = params.one("client_id")?;
        let mut in_header = headers.get_all(header::AUTHORIZATION).iter();
        if let Some(assertion) = read_assertion(params)? {
            if in_header.next().is_some() || in_body.is_some() {
                return Err(ClientAuthError::SeveralMethods);
            }
            let signed_by = assertion::claimed_client(assertion).map_err(nobodys)?;
            if id.is_some_and(|id| id != signed_by) {
                return Err(ClientAuthError::TwoClients);
            }
            let method = Method::Assertion(Zeroizing::new(assertion.to_owned()));
            return Ok(Self { id: signed_by, method });
        }
        let Some(value) = in_header.next() else {
            let id = id.ok_or(ClientAuthError::Nobody)?.to_owned();
            let method = match in_body {
                Some(secret) => Method::Post(Zeroizing::new(secret.to_owned())),
                None => Method::None,
            };
            return Ok(Self { id, method });
        };
        if in_header.next().is_some() || in_body.is_some() {
            return Err(ClientAuthError::SeveralMethods);
        }
        let (header_id, secret) = read_basic(value)?;
        if id.is_some_and(|id| id != header_id) {
            return Err(ClientAuthError::TwoClients);
        }
        Ok(Self { id: header_id, method: Method::Basic(secret) })
    }

    async fn check(self, context: &Context) -> Result<ClientRecord, ClientAuthError> {
        let basic = matches!(self.method, Method::Basic(_));
        let id = events::loggable(&self.id);
        let lookup = |error| ClientAuthError::lookup(id.clone(), basic, error);
        let Some(client) = context.client(&self.id).await.map_err(lookup)? else {
            return Err(ClientAuthError::Unknown { id, basic });
        };
        let is_right = match (&client.auth, &self.method) {
            (ClientAuth::None, Method::None) => true,
            // Hashes compare in constant time.
            (ClientAuth::ClientSecretBasic { secret }, Method::Basic(sent))
            | (ClientAuth::ClientSecretPost { secret }, Method::Post(sent)) => {
                *secret == SecretHash::of(sent)
            }
            (ClientAuth::PrivateKeyJwt { keys }, Method::Assertion(text)) => {
                let bad = |reason| ClientAuthError::Assertion { id: Some(id.clone()), reason };
                let jws = Jws::read(text).map_err(|error| bad(error.into()))?;
                let sought = |set: &KeySet| set.has_one_for(&jws);
                let keys = context.client_keys(keys, sought).await.map_err(lookup)?;
                let verified = assertion::verify(context, &client, &keys, text).map_err(bad)?;
                if !verified.is_first(context).await? {
                    return Err(bad(AssertionError::Replayed));
                }
                true
            }
            (ClientAuth::None, Method::Basic(_) | Method::Post(_) | Method::Assertion(_))
            | (
                ClientAuth::ClientSecretBasic { .. },
                Method::None | Method::Post(_) | Method::Assertion(_),
            )
            | (
                ClientAuth::ClientSecretPost { .. },
                Method::None | Method::Basic(_) | Method::Assertion(_),
            )
            | (
                ClientAuth::PrivateKeyJwt { .. },
                Method::None | Method::Basic(_) | Method::Post(_),
            ) => {
                let registered = client.auth.method();
                return Err(ClientAuthError::OtherMethod { id, registered, basic });
            }
        };
        if is_right { Ok(client) } else { Err(ClientAuthError::WrongSecret { id, basic }) }
    }
}

/// An assertion about a client that is not known yet.
const fn nobodys(reason: AssertionError) -> ClientAuthError {
    ClientAuthError::Assertion { id: None, reason }
}

/// The assertion, if one was sent (RFC 7521, section 4.2).
fn read_assertion(params: &Params) -> Result<Option<&str>, ClientAuthError> {
    match (params.one("client_assertion_type")?, params.one("client_assertion")?) {
        (None, None) => Ok(None),
        (Some(assertion::TYPE), Some(assertion)) => Ok(Some(assertion)),
        (Some(assertion::TYPE), None) => Err(nobodys(AssertionError::Missing)),
        (_, _) => Err(nobodys(AssertionError::OtherKind)),
    }
}

/// RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
fn read_basic(value: &HeaderValue) -> Result<(String, Zeroizing<String>), ClientAuthError> {
    let value = value.to_str().map_err(|_| ClientAuthError::Malformed)?;
    let (scheme, encoded) = value.split_once(' ').ok_or(ClientAuthError::OtherScheme)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(ClientAuthError::OtherScheme);
    }
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| ClientAuthError::Malformed)?;
    let decoded = Zeroizing::new(decoded);
    let text = std::str::from_utf8(&decoded).map_err(|_| ClientAuthError::Malformed)?;
    let (id, secret) = text.split_once(':').ok_or(ClientAuthError::Malformed)?;
    Ok((form_decode(id)?, Zeroizing::new(form_decode(secret)?)))
}

fn form_decode(text: &str) -> Result<String, ClientAuthError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded.map(String::from).map_err(|_| ClientAuthError::Malformed)
}
