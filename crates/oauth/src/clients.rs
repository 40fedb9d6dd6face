//! Who a client is.
//!
//! There are three sources, asked in this order: the clients that the operator has registered, those
//! whose identifier is the URL of a document about them, and those that registered themselves.
//! Everything that needs to know a client asks here.

mod client_url;
mod described;
mod documents;
mod error;
mod flights;
mod freshness;
mod keys;
mod listed;
#[cfg(test)]
mod tests;

use mcp_everything_store::{StoreError, oauth::ClientRecord};

pub use described::DocumentHosts;
pub use documents::ClientDocuments;
pub(crate) use error::{DocumentError, LookupError};
pub use listed::{ListedClients, ListedClientsError};

use crate::{AuthorizationServer, server::LONGEST_CLIENT_ID};

impl AuthorizationServer {
    /// The client of this identifier, if there is one.
    pub(crate) async fn client(&self, id: &str) -> Result<Option<ClientRecord>, LookupError> {
        if let Some(client) = self.config.listed_clients.get(id) {
            return Ok(Some(client.clone()));
        }
        if self.describes_itself(id) {
            return self.described(id).await.map(Some);
        }
        if id.len() > LONGEST_CLIENT_ID {
            return Ok(None);
        }
        Ok(self.store.client(id).await?)
    }

    /// Whether the operator has listed a client.
    pub(crate) fn is_listed(&self, id: &str) -> bool {
        self.config.listed_clients.get(id).is_some()
    }

    /// Notes that a client is in use, which keeps its registration. The others do not end.
    pub(crate) async fn prolong_client(&self, id: &str) -> Result<(), StoreError> {
        if !self.is_listed(id) && !self.describes_itself(id) {
            self.store.prolong_client(id, self.config.lifetimes.client).await?;
        }
        Ok(())
    }

    /// The host that vouches for a client which describes itself: nothing else of it is verified.
    pub(crate) fn vouching_host(&self, id: &str) -> Option<String> {
        if self.is_listed(id) || !self.describes_itself(id) {
            return None;
        }
        let url = client_url::parse(id).ok()?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }
}
