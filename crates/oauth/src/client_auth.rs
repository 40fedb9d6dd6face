//! Who is asking, at the endpoints that clients call directly (RFC 6749, sections 2.3 and 3.2.1).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mcp_everything_store::{
    StoreError,
    oauth::{ClientAuth, ClientRecord, SecretHash},
};
use percent_encoding::percent_decode_str;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    events,
    params::{Params, Repeated},
    server::Context,
    wire::{Code, ErrorResponse},
};

/// The methods this server knows, as metadata lists them.
pub(crate) const METHODS: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

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
    #[error("the header and the body name different clients")]
    TwoClients,
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("the client is not known")]
    Unknown { id: String, basic: bool },
    #[error("the client did not use its method, {registered}")]
    OtherMethod { id: String, registered: &'static str, basic: bool },
    #[error("the secret of the client is wrong")]
    WrongSecret { id: String, basic: bool },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ClientAuthError {
    /// Whom the request says it is from, as far as it was read.
    fn client_id(&self) -> Option<&str> {
        match self {
            Self::Unknown { id, .. }
            | Self::OtherMethod { id, .. }
            | Self::WrongSecret { id, .. } => Some(id),
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
                "the Authorization header and client_id name different clients",
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
            ClientAuthError::OtherMethod { basic, .. } => invalid_client(
                "the client must use the token_endpoint_auth_method it registered",
                *basic,
            ),
            ClientAuthError::WrongSecret { basic, .. } => {
                invalid_client("the client secret is wrong", *basic)
            }
        }
    }
}

/// 401, and the scheme to use if the client tried the header (RFC 6749, section 5.2).
fn invalid_client(description: &'static str, tried_header: bool) -> ErrorResponse {
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
}

impl Credentials {
    fn read(headers: &HeaderMap, params: &Params) -> Result<Self, ClientAuthError> {
        let in_body = params.one("client_secret")?;
        let id = params.one("client_id")?;
        let mut in_header = headers.get_all(header::AUTHORIZATION).iter();
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
        let Some(client) = context.client(&self.id).await? else {
            return Err(ClientAuthError::Unknown { id, basic });
        };
        let is_right = match (&client.auth, &self.method) {
            (ClientAuth::None, Method::None) => true,
            // Hashes compare in constant time.
            (ClientAuth::ClientSecretBasic { secret }, Method::Basic(sent))
            | (ClientAuth::ClientSecretPost { secret }, Method::Post(sent)) => {
                *secret == SecretHash::of(sent)
            }
            // No method of this kind is read yet.
            (
                ClientAuth::PrivateKeyJwt { .. },
                Method::None | Method::Basic(_) | Method::Post(_),
            )
            | (ClientAuth::None, Method::Basic(_) | Method::Post(_))
            | (ClientAuth::ClientSecretBasic { .. }, Method::None | Method::Post(_))
            | (ClientAuth::ClientSecretPost { .. }, Method::None | Method::Basic(_)) => {
                let registered = client.auth.method();
                return Err(ClientAuthError::OtherMethod { id, registered, basic });
            }
        };
        if is_right { Ok(client) } else { Err(ClientAuthError::WrongSecret { id, basic }) }
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

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;
    use crate::testing::{TestServer, basic, client};

    struct Case {
        headers: Vec<String>,
        body: String,
        answer: Result<&'static str, (u16, &'static str, bool)>,
    }

    fn case(
        headers: &[&str],
        body: &str,
        answer: Result<&'static str, (u16, &'static str, bool)>,
    ) -> Case {
        Case {
            headers: headers.iter().map(|value| (*value).to_owned()).collect(),
            body: body.into(),
            answer,
        }
    }

    async fn check(cases: Vec<Case>) {
        let server = TestServer::new();
        for (id, auth) in [
            ("public", ClientAuth::None),
            ("basic", ClientAuth::ClientSecretBasic { secret: SecretHash::of("s3 cr:et%") }),
            ("post", ClientAuth::ClientSecretPost { secret: SecretHash::of("s3 cr:et%") }),
        ] {
            let client = ClientRecord { auth, ..client(id) };
            server.put_client(&client).await;
        }
        for Case { headers: sent, body, answer } in cases {
            let mut headers = HeaderMap::new();
            for value in &sent {
                headers.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            let params = Params::parse(body.as_bytes()).unwrap();
            let got = authenticate(&server.context, &headers, &params).await;
            let got = got.map(|client| client.id).map_err(|error| {
                let response = ErrorResponse::from(&error);
                let code = response.code;
                let response = response.into_response();
                let challenged = response.headers().contains_key(header::WWW_AUTHENTICATE);
                (response.status().as_u16(), code, challenged)
            });
            assert_eq!(got, answer.map(String::from), "{sent:?} {body}");
        }
    }

    #[tokio::test]
    async fn the_registered_method_is_accepted() {
        check(vec![
            case(&[], "client_id=public", Ok("public")),
            case(&[], "client_id=post&client_secret=s3+cr%3Aet%25", Ok("post")),
            case(&[&basic("basic", "s3+cr%3Aet%25")], "", Ok("basic")),
            case(&[&basic("basic", "s3%20cr%3Aet%25")], "client_id=basic", Ok("basic")),
            case(&[&basic("basic", "s3 cr:et%25").replace("Basic", "bAsIc")], "", Ok("basic")),
        ])
        .await;
    }

    #[tokio::test]
    async fn another_method_or_a_wrong_secret_is_not() {
        let refused = |challenged| Err((401, "invalid_client", challenged));
        check(vec![
            case(&[], "", refused(false)),
            case(&[], "client_secret=s3", refused(false)),
            case(&[], "client_id=", refused(false)),
            case(&[], "client_id=unknown", refused(false)),
            case(&[], "client_id=PUBLIC", refused(false)),
            case(&[], "client_id=basic", refused(false)),
            case(&[], "client_id=post", refused(false)),
            case(&[], "client_id=post&client_secret=wrong", refused(false)),
            case(&[], "client_id=basic&client_secret=s3+cr%3Aet%25", refused(false)),
            case(&[], "client_id=public&client_secret=x", refused(false)),
            case(&[&basic("unknown", "x")], "", refused(true)),
            case(&[&basic("basic", "wrong")], "", refused(true)),
            case(&[&basic("basic", "")], "", refused(true)),
            case(&[&basic("public", "")], "", refused(true)),
            case(&[&basic("post", "s3+cr%3Aet%25")], "", refused(true)),
            case(&["Bearer abc"], "client_id=public", refused(true)),
            case(&["Basic"], "", refused(true)),
            case(&["Basic %%%"], "", refused(true)),
            case(&[&format!("Basic {}", STANDARD.encode("no-colon"))], "", refused(true)),
            case(&[&format!("Basic {}", STANDARD.encode([0xff, b':']))], "", refused(true)),
            case(&[&format!("Basic {}", STANDARD.encode("%ff:x"))], "", refused(true)),
        ])
        .await;
    }

    #[tokio::test]
    async fn a_request_that_contradicts_itself_is_invalid() {
        let invalid = || Err((400, "invalid_request", false));
        let right = basic("basic", "s3+cr%3Aet%25");
        check(vec![
            case(&[&right], "client_secret=s3+cr%3Aet%25", invalid()),
            case(&[&right], "client_id=public", invalid()),
            case(&[&right, &right], "", invalid()),
            case(&[], "client_id=public&client_id=public", invalid()),
            case(&[], "client_id=post&client_secret=a&client_secret=b", invalid()),
        ])
        .await;
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_no_reason_to_register_again() {
        let server = TestServer::with_broken_store();
        let params = Params::parse(b"client_id=public").unwrap();
        let error = authenticate(&server.context, &HeaderMap::new(), &params).await.unwrap_err();
        let response = ErrorResponse::from(&error);
        assert_eq!(response.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers.contains_key(header::RETRY_AFTER));
        let long = Params::parse(&[b"client_id=", &[b'x'; 257][..]].concat()).unwrap();
        let error = authenticate(&server.context, &HeaderMap::new(), &long).await.unwrap_err();
        assert!(matches!(error, ClientAuthError::Unknown { .. }), "it is not even looked up");
    }
}
