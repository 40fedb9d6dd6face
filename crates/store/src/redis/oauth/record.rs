//! A record with a sealed body: a line that says how it stands, which scripts read and change, and
//! after it the body.

use redis::Cmd;

use super::{RedisOAuth, millis, script, unreadable};
use crate::{StoreError, oauth::Sealed};

/// A record as it is kept.
pub(super) struct Kept<T> {
    pub(super) state: String,
    pub(super) body: Sealed<T>,
}

/// The command that keeps a record which is new, and does nothing to one that is there.
pub(super) fn put(key: &str, value: &[u8], life: std::time::Duration) -> Cmd {
    let mut put = script::call(&script::OAUTH_PUT, key);
    put.arg(value).arg(millis(life));
    put
}

pub(super) fn value<T>(state: &str, body: &Sealed<T>) -> Vec<u8> {
    [state.as_bytes(), b"\n", body.as_bytes()].concat()
}

pub(super) fn parse<T>(key: &str, value: &[u8]) -> Result<Kept<T>, StoreError> {
    let line = value.iter().position(|byte| *byte == b'\n');
    let (state, body) = line
        .and_then(|line| Some((str::from_utf8(&value[..line]).ok()?, &value[line + 1..])))
        .ok_or_else(|| unreadable(key.to_owned(), "it does not say how it stands"))?;
    Ok(Kept { state: state.to_owned(), body: Sealed::from_bytes(body) })
}

pub(super) async fn read<T>(store: &RedisOAuth, key: &str) -> Result<Option<Kept<T>>, StoreError> {
    let value: Option<Vec<u8>> = store.ask(key, redis::cmd("GET").arg(key)).await?;
    value.map(|value| parse(key, &value)).transpose()
}

/// A state or an answer that this program does not know.
pub(super) fn unknown(key: &str, word: &str) -> StoreError {
    unreadable(key.to_owned(), &format!("{word:?} is no state of it"))
}
