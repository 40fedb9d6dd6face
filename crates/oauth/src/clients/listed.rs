//! Clients that the operator has registered.

use std::{collections::HashMap, fmt, sync::Arc};

use mcp_everything_store::{
    Timestamp,
    oauth::{ClientAuth, ClientRecord, SecretHash},
};
use serde_json::Value;
use thiserror::Error;

use crate::{
    ScopeSet, UnknownScope,
    client_metadata::{AuthMethod, Fields, Metadata, MetadataError, Terms},
    server::LONGEST_CLIENT_ID,
};

/// Clients that are known from the start and never forgotten, by their `client_id`.
#[derive(Clone, Default)]
pub struct ListedClients(Arc<HashMap<String, ClientRecord>>);

/// A problem with a list of clients.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ListedClientsError {
    /// The text is not a JSON array.
    #[error("it is not a JSON array ({0})")]
    NotAList(String),
    /// An entry cannot be used.
    #[error("entry {entry}: {reason}")]
    Entry {
        /// Which, from 1.
        entry: usize,
        /// Which member of it, and why.
        reason: String,
    },
}

/// What is wrong with an entry.
#[derive(Debug, Error)]
enum EntryError {
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("{0} is not a member that is known")]
    Member(String),
    #[error("client_id is missing")]
    NoId,
    #[error("client_id must be 1 to {LONGEST_CLIENT_ID} printable ASCII characters")]
    Id,
    #[error("client_id {0} is in an earlier entry too")]
    Twice(String),
    #[error("scope: {0}")]
    Scope(#[from] UnknownScope),
    #[error("client_secret or client_secret_sha256 is needed for {0}, and not both")]
    NoSecret(&'static str),
    #[error("client_secret and client_secret_sha256 are not for {0}")]
    NeedlessSecret(&'static str),
    #[error("client_secret must be at least {SHORTEST_SECRET} characters long")]
    ShortSecret,
    #[error("client_secret_sha256 must be 64 hexadecimal digits")]
    NotAHash,
    #[error(transparent)]
    Metadata(#[from] MetadataError),
}

/// It is looked up by its SHA-256, which is no way to keep what can be guessed.
const SHORTEST_SECRET: usize = 32;

const MEMBERS: [&str; 15] = [
    "client_id",
    "client_name",
    "client_uri",
    "redirect_uris",
    "token_endpoint_auth_method",
    "client_secret",
    "client_secret_sha256",
    "jwks",
    "jwks_uri",
    "grant_types",
    "response_types",
    "scope",
    "application_type",
    "software_id",
    "dpop_bound_access_tokens",
];

impl ListedClients {
    /// Reads a JSON array of clients, each with the members of RFC 7591, section 2, and `client_id`
    /// and `client_secret` or `client_secret_sha256`. Gives everything that is wrong with it.
    ///
    /// `app_schemes` are the schemes of native apps that a browser may be sent to.
    pub fn parse(json: &str, app_schemes: &[String]) -> Result<Self, Vec<ListedClientsError>> {
        let entries: Vec<Value> = serde_json::from_str(json)
            .map_err(|error| vec![ListedClientsError::NotAList(error.to_string())])?;
        let (mut clients, mut problems) = (HashMap::new(), Vec::new());
        for (index, entry) in entries.into_iter().enumerate() {
            let client = read(entry, app_schemes).and_then(|client| {
                let again = clients.contains_key(&client.id);
                if again { Err(EntryError::Twice(client.id)) } else { Ok(client) }
            });
            match client {
                Ok(client) => {
                    clients.insert(client.id.clone(), client);
                }
                Err(error) => {
                    let (entry, reason) = (index + 1, error.to_string());
                    problems.push(ListedClientsError::Entry { entry, reason });
                }
            }
        }
        if problems.is_empty() { Ok(Self(Arc::new(clients))) } else { Err(problems) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&ClientRecord> {
        self.0.get(id)
    }
}

impl fmt::Debug for ListedClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn read(entry: Value, app_schemes: &[String]) -> Result<ClientRecord, EntryError> {
    let Value::Object(fields) = entry else { return Err(EntryError::NotAnObject) };
    let fields = Fields::new(fields);
    if let Some(unknown) = fields.names().find(|name| !MEMBERS.contains(name)) {
        return Err(EntryError::Member(unknown.to_owned()));
    }
    let id = fields.str("client_id")?.ok_or(EntryError::NoId)?;
    let is_printable = id.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if id.is_empty() || id.len() > LONGEST_CLIENT_ID || !is_printable {
        return Err(EntryError::Id);
    }
    ScopeSet::parse(fields.str("scope")?.unwrap_or_default())?;
    let terms = Terms {
        app_schemes,
        client_credentials: Some(ScopeSet::ALL),
        assertions: true,
        default_method: "client_secret_basic",
    };
    let (metadata, auth_method) = Metadata::read(&fields, &terms)?;
    let secret = secret(&fields)?;
    let auth = match (auth_method, secret) {
        (AuthMethod::None, None) => ClientAuth::None,
        (AuthMethod::PrivateKeyJwt(keys), None) => ClientAuth::PrivateKeyJwt { keys },
        (AuthMethod::Basic, Some(secret)) => ClientAuth::ClientSecretBasic { secret },
        (AuthMethod::Post, Some(secret)) => ClientAuth::ClientSecretPost { secret },
        (AuthMethod::None, Some(_)) => return Err(EntryError::NeedlessSecret("none")),
        (AuthMethod::PrivateKeyJwt(_), Some(_)) => {
            return Err(EntryError::NeedlessSecret("private_key_jwt"));
        }
        (AuthMethod::Basic, None) => return Err(EntryError::NoSecret("client_secret_basic")),
        (AuthMethod::Post, None) => return Err(EntryError::NoSecret("client_secret_post")),
    };
    // When it was, is not said.
    Ok(metadata.into_record(id.to_owned(), auth, Timestamp::from_millis(0)))
}

/// The hash of its secret, which can be written instead of the secret.
fn secret(fields: &Fields) -> Result<Option<SecretHash>, EntryError> {
    match (fields.str("client_secret")?, fields.str("client_secret_sha256")?) {
        (None, None) => Ok(None),
        (Some(secret), None) if secret.len() < SHORTEST_SECRET => Err(EntryError::ShortSecret),
        (Some(secret), None) => Ok(Some(SecretHash::of(secret))),
        (None, Some(hash)) => {
            let hash = SecretHash::try_from(hash.to_ascii_lowercase());
            hash.map(Some).map_err(|_| EntryError::NotAHash)
        }
        (Some(_), Some(_)) => Err(EntryError::NoSecret("a client with a secret")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SECRET: &str = "a secret of at least 32 characters";
    const URI: &str = "https://client.example/cb";

    fn problems(list: &Value) -> Vec<String> {
        let listed = ListedClients::parse(&list.to_string(), &[]);
        listed.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_kind_of_client_can_be_listed() {
        let hash = SecretHash::of(SECRET).to_string();
        let jwks = json!({"keys": [crate::testing::Signer::es256().jwk()]});
        let list = json!([
            {"client_id": "public", "redirect_uris": [URI], "token_endpoint_auth_method": "none"},
            {"client_id": "basic", "redirect_uris": [URI], "client_secret": SECRET},
            {"client_id": "post", "redirect_uris": [URI], "client_secret_sha256": hash,
                "token_endpoint_auth_method": "client_secret_post", "scope": "mcp:admin"},
            {"client_id": "keys", "grant_types": ["client_credentials"], "jwks": jwks,
                "token_endpoint_auth_method": "private_key_jwt", "scope": "mcp:admin"},
            {"client_id": "https://client.example/a", "grant_types": ["client_credentials"],
                "jwks_uri": "https://client.example/jwks",
                "token_endpoint_auth_method": "private_key_jwt"},
        ]);
        let listed = ListedClients::parse(&list.to_string(), &[]).unwrap();
        assert_eq!(listed.len(), 5);
        let secret = SecretHash::of(SECRET);
        let basic = listed.get("basic").unwrap();
        assert_eq!(basic.auth, ClientAuth::ClientSecretBasic { secret });
        assert_eq!(basic.grant_types, ["authorization_code", "refresh_token"]);
        let post = listed.get("post").unwrap();
        assert_eq!(post.auth, ClientAuth::ClientSecretPost { secret });
        let keys = listed.get("keys").unwrap();
        assert_eq!(
            (&*keys.grant_types[0], keys.scope.as_deref()),
            ("client_credentials", Some("mcp:admin"))
        );
        assert!(!format!("{listed:?}").contains(SECRET));
        assert!(ListedClients::parse("[]", &[]).unwrap().is_empty());
    }

    #[test]
    fn each_problem_is_named_with_its_entry_and_member() {
        let good = json!({"client_id": "c", "redirect_uris": [URI], "client_secret": SECRET});
        for (member, value, says) in [
            ("client_id", json!(null), "client_id is missing"),
            ("client_id", json!(""), "client_id must be"),
            ("client_id", json!("a\u{e9}"), "client_id must be"),
            ("client_id", json!("x".repeat(257)), "client_id must be"),
            ("client_id", json!(7), "client_id must be a string"),
            ("redirect_uris", json!(null), "redirect_uris is missing"),
            ("redirect_uris", json!(["javascript:x"]), "redirect_uris: number 1"),
            ("redirect_uri", json!(URI), "redirect_uri is not a member"),
            ("client_secret", json!(null), "client_secret_sha256 is needed"),
            ("client_secret", json!("short"), "client_secret must be at least"),
            ("client_secret_sha256", json!("00"), "not both"),
            ("token_endpoint_auth_method", json!("none"), "not for none"),
            ("token_endpoint_auth_method", json!("magic"), "token_endpoint_auth_method"),
            ("token_endpoint_auth_method", json!("private_key_jwt"), "jwks or jwks_uri"),
            ("grant_types", json!(["password"]), "grant_types"),
            ("scope", json!("mcp:read mcp:write"), "scope"),
            ("scope", json!(["mcp:read"]), "scope must be a string"),
            ("client_name", json!("a\nb"), "client_name"),
            ("jwks_uri", json!(7), ""),
        ] {
            let mut entry = good.clone();
            entry[member] = value;
            if member == "jwks_uri" {
                entry["token_endpoint_auth_method"] = json!("private_key_jwt");
            }
            let told = problems(&json!([good, entry]));
            // The first entry is good, and so is each id unless it is the one before.
            let told = if member == "client_id" {
                told
            } else {
                entry["client_id"] = json!("d");
                problems(&json!([good, entry]))
            };
            assert_eq!(told.len(), 1, "{entry}: {told:?}");
            assert!(told[0].starts_with("entry 2: ") && told[0].contains(says), "{told:?}");
            assert!(!told[0].contains(SECRET), "{told:?}");
        }
        let mut hash = good.clone();
        hash["client_secret"] = Value::Null;
        hash["client_secret_sha256"] = json!("00");
        assert_eq!(
            problems(&json!([hash])),
            ["entry 1: client_secret_sha256 must be 64 hexadecimal digits"]
        );
        let machine = json!({"client_id": "m", "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "none"});
        assert!(problems(&json!([machine]))[0].contains("token_endpoint_auth_method"));
        assert_eq!(problems(&json!([good, 7, good])).len(), 2, "all at once");
        assert!(problems(&json!([good, good]))[0].contains("client_id c is in an earlier entry"));
        assert!(problems(&json!({}))[0].contains("not a JSON array"));
    }
}
