//! Where clients are known from that do not register themselves.

use mcp_everything_fetch::{BuildError, Fetcher, Guard};
use mcp_everything_oauth::{ClientDocuments, Config, DocumentHosts};
use reqwest::{Client, ClientBuilder};

use crate::settings::{Settings, is_loopback};

const USER_AGENT: &str = concat!("mcp-everything/", env!("CARGO_PKG_VERSION"));

/// Says in the configuration which clients there are, and gives what their documents are fetched
/// with. A machine that trusts no certificate cannot fetch any, and says so.
pub(super) fn documents(
    settings: &Settings,
    config: &mut Config,
) -> Result<ClientDocuments, BuildError> {
    config.listed_clients = settings.clients.listed.clone();
    config.client_documents = settings.clients.documents.clone();
    let guard = guard(settings);
    let client = || Client::builder().user_agent(USER_AGENT);
    let fetcher = Fetcher::with(guard, client()).or_else(|error| {
        tracing::warn!(event = "auth.documents_off", %error,
            "documents of clients cannot be fetched here");
        config.client_documents = DocumentHosts::Nobody;
        Fetcher::with(guard, trusting_nobody(client()))
    })?;
    Ok(ClientDocuments::new(fetcher))
}

fn trusting_nobody(client: ClientBuilder) -> ClientBuilder {
    client.tls_certs_only([])
}

/// Where clients may have their documents: on loopback only if this server is there itself
/// (draft-ietf-oauth-client-id-metadata-document, section 8.6). A proxy in front of one that
/// listens on loopback makes it public, and so does its public URL.
fn guard(settings: &Settings) -> Guard {
    let listens = settings.hosts.iter().all(std::net::IpAddr::is_loopback);
    if listens && is_loopback(settings.base_uri.as_str()) {
        Guard::public_or_loopback()
    } else {
        Guard::public()
    }
}
