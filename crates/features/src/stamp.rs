//! What 2026-07-28 adds to results: the server's name (Base Protocol, General Fields) and how long
//! they may be kept (Caching).

use rmcp::model::{
    CacheScope, CallToolResponse, CompleteResult, GetPromptResponse, GetTaskResult, Implementation,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    MetaObject, ReadResourceResult,
};
use serde_json::json;

use crate::{freshness::Freshness, wire::Wire};

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// A result that has room for metadata.
pub(crate) trait Meta {
    /// Its metadata, or `None` for a kind of result this server does not make.
    fn meta(&mut self) -> Option<&mut Option<MetaObject>>;
}

/// A result that may be kept.
pub(crate) trait Cacheable: Meta {
    /// Sets how long, in milliseconds, and by whom.
    fn keep(&mut self, hints: (u64, CacheScope));
}

macro_rules! results {
    ($trait:ident { $($result:ty),+ $(,)? } $body:tt) => {
        $(impl $trait for $result $body)+
    };
}

results!(Meta {
    CompleteResult,
    GetTaskResult,
    ListPromptsResult,
    ListResourceTemplatesResult,
    ListResourcesResult,
    ListToolsResult,
    ReadResourceResult,
} {
    fn meta(&mut self) -> Option<&mut Option<MetaObject>> {
        Some(&mut self.meta)
    }
});

impl Meta for CallToolResponse {
    fn meta(&mut self) -> Option<&mut Option<MetaObject>> {
        match self {
            Self::Complete(result) => Some(&mut result.meta),
            Self::InputRequired(result) => Some(&mut result.meta),
            Self::Task(result) => Some(&mut result.meta),
            _ => None,
        }
    }
}

impl Meta for GetPromptResponse {
    fn meta(&mut self) -> Option<&mut Option<MetaObject>> {
        match self {
            Self::Complete(result) => Some(&mut result.meta),
            Self::InputRequired(result) => Some(&mut result.meta),
            _ => None,
        }
    }
}

results!(Cacheable {
    ListPromptsResult,
    ListResourceTemplatesResult,
    ListResourcesResult,
    ListToolsResult,
    ReadResourceResult,
} {
    fn keep(&mut self, (ttl_ms, scope): (u64, CacheScope)) {
        self.ttl_ms = Some(ttl_ms);
        self.cache_scope = Some(scope);
    }
});

/// The server's name, ready to be put on results: all of their metadata, as most have no other.
pub(crate) struct Stamp(MetaObject);

impl Stamp {
    /// The name and version, and not what is said about the server once, by `server/discover`: it
    /// goes on every result.
    pub(crate) fn new(server: &Implementation) -> Self {
        let mut meta = MetaObject::default();
        let name = Implementation::new(&server.name, &server.version);
        meta.insert(SERVER_INFO.to_owned(), json!(name));
        Self(meta)
    }

    /// Completes a result. Clients of older revisions got the name with `initialize`.
    pub(crate) fn put<R: Meta>(&self, wire: Wire, mut result: R) -> R {
        if wire == Wire::Stateless
            && let Some(meta) = result.meta()
        {
            let stamp = self.0.clone();
            match meta {
                Some(meta) => meta.extend(stamp),
                None => *meta = Some(stamp),
            }
        }
        result
    }

    /// Completes a result that may be kept.
    pub(crate) fn put_cacheable<R: Cacheable>(
        &self,
        wire: Wire,
        fresh: Freshness,
        mut result: R,
    ) -> R {
        if wire == Wire::Stateless {
            result.keep(fresh.hints());
        }
        self.put(wire, result)
    }
}
