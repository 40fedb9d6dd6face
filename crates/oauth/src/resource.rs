//! The resource server's side: who may come in, and where others are told to go.

mod away;
mod bearer;
mod credentials;
mod local;
mod metadata;
mod protected;
mod remote;
#[cfg(test)]
mod tests;
mod verify;

pub use away::WhileAway;
pub use bearer::{Bearer, BearerLayer};
pub use local::LocalVerifier;
pub use metadata::protected_resource_metadata;
pub use protected::ProtectedResource;
pub(crate) use remote::NotSaid;
pub use remote::{
    IntrospectionClient, NoAudience, RemoteTokens, RemoteVerifier, TokenAudience, TokenCheck,
    TrustedIssuers, TrustedServer, UnknownTokenCheck,
};
pub use verify::{Caller, Flaw, TokenVerifier, VerifyError};
