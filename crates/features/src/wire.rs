//! Which of the two kinds of protocol a request speaks.

use rmcp::{
    ErrorData, RoleServer,
    model::{ProtocolVersion, RequestMetaObject},
    service::RequestContext,
};
use serde_json::Value;

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// The kind of protocol that a request speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Up to 2025-11-25: `initialize`, a session, and requests from the server to the client.
    Stateful,
    /// From 2026-07-28: each request stands alone, and a result may ask for input.
    Stateless,
}

impl Wire {
    /// The kind of the request that `context` belongs to.
    ///
    /// A `logLevel` in the request's metadata that is no level is `-32602` (2026-07-28, Logging):
    /// this is the one place all requests pass, and rmcp drops such a value without a word.
    pub(crate) fn of(context: &RequestContext<RoleServer>) -> Result<Self, ErrorData> {
        // As it stands there, where it stands there: each request comes by here.
        let stateless = match context.meta.get(VERSION).and_then(Value::as_str) {
            Some(version) => version >= ProtocolVersion::NO_INITIALIZE.as_str(),
            None => context
                .protocol_version()
                .is_some_and(|version| version >= ProtocolVersion::NO_INITIALIZE),
        };
        if !stateless {
            return Ok(Self::Stateful);
        }
        check_log_level(&context.meta)?;
        Ok(Self::Stateless)
    }
}

fn check_log_level(meta: &RequestMetaObject) -> Result<(), ErrorData> {
    if meta.contains_key(LOG_LEVEL) && meta.log_level().is_none() {
        return Err(ErrorData::invalid_params(
            format!("{LOG_LEVEL} in _meta is not a log level"),
            None,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_eight_levels_are_levels() {
        let meta = |value: serde_json::Value| {
            RequestMetaObject::from(serde_json::Map::from_iter([(LOG_LEVEL.to_owned(), value)]))
        };
        assert!(check_log_level(&RequestMetaObject::new()).is_ok());
        assert!(check_log_level(&meta(json!("warning"))).is_ok());
        for bad in [json!("warn"), json!("INFO"), json!(3), json!(null)] {
            assert!(check_log_level(&meta(bad.clone())).is_err(), "{bad}");
        }
    }
}
