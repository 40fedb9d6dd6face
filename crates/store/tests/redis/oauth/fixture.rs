//! Records of which only the name matters.

use std::time::Duration;

use mcp_everything_store::{
    SystemRandom, Timestamp,
    oauth::{
        AttemptId, ClientAuth, ClientRecord, Document, GrantId, GrantRecord, Sealed, SecretHash,
    },
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);
/// Within this an operation gives up (and in tests, whatever else is awaited).
pub(super) const SOON: Duration = Duration::from_secs(3);

pub(super) fn name(number: u32) -> SecretHash {
    SecretHash::of(&number.to_string())
}

pub(super) fn body<T>(bytes: usize) -> Sealed<T> {
    Sealed::from_bytes(vec![b'x'; bytes])
}

pub(super) fn id(number: u8) -> GrantId {
    GrantId::from_bytes([number; 16])
}

pub(super) fn attempt() -> AttemptId {
    AttemptId::draw(&SystemRandom)
}

pub(super) fn grant() -> GrantRecord {
    GrantRecord {
        user: "alice".into(),
        client: "c".into(),
        client_name: Some("A Client".into()),
        redirect_uri: Some("https://client.example/callback".into()),
        scope: "mcp:read".into(),
        resource: "https://server.example/mcp".into(),
        created_at: Timestamp::from_millis(1),
    }
}

pub(super) fn client(id: &str) -> ClientRecord {
    ClientRecord {
        id: id.into(),
        name: None,
        uri: None,
        redirect_uris: Vec::new(),
        auth: ClientAuth::None,
        grant_types: Vec::new(),
        scope: None,
        application_type: None,
        software_id: None,
        software_version: None,
        dpop_bound_access_tokens: false,
        registered_at: Timestamp::from_millis(0),
    }
}

pub(super) fn document() -> Document {
    Document { text: "{}".into(), fetched_at: Timestamp::from_millis(0) }
}

/// Tries again until it is done, and gives the answer.
pub(super) async fn until_done<T, E>(operation: impl AsyncFn() -> Result<T, E>) -> T {
    let trying = async {
        loop {
            match operation().await {
                Ok(answer) => return answer,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(10 * SOON, trying).await.expect("it is done in the end")
}
