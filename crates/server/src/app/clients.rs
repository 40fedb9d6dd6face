//! Where clients are known from that do not register themselves, and what else is fetched for
//! strangers.

use mcp_everything_fetch::{BuildError, Fetcher, Guard};
use mcp_everything_oauth::{ClientDocuments, Config, DocumentHosts};
use reqwest::{Client, ClientBuilder};

use crate::settings::Settings;

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

/// What fetches the URLs that callers of tools name. `None` on a machine that trusts no certificate,
/// which is said in the log: there nothing can be fetched.
pub(super) fn public_fetcher(settings: &Settings) -> Option<Fetcher> {
    let fetcher = Fetcher::with(guard(settings), Client::builder().user_agent(USER_AGENT));
    let say = |error: &BuildError| {
        tracing::warn!(event = "fetch.off", %error, "what callers name cannot be fetched here");
    };
    fetcher.inspect_err(say).ok()
}

fn trusting_nobody(client: ClientBuilder) -> ClientBuilder {
    client.tls_certs_only([])
}

/// Where a fetch may go, for documents of clients and for their tools: to loopback only if this server is there itself
/// (draft-ietf-oauth-client-id-metadata-document, section 8.6). A proxy in front of one that
/// listens on loopback makes it public, and so does its public URL.
fn guard(settings: &Settings) -> Guard {
    if settings.is_private() { Guard::public_or_loopback() } else { Guard::public() }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::settings::{RawSettings, Role};

    #[test]
    fn loopback_is_gone_to_only_where_the_server_is_there_itself() {
        let url = Url::parse("https://127.0.0.1:8443/client.json").unwrap();
        for (host, base_uri, may) in [
            (None, None, true),
            (Some("127.0.0.1"), Some("http://localhost:3000"), true),
            (None, Some("https://mcp.example.com"), false),
            (Some("0.0.0.0"), None, false),
            (Some("127.0.0.1,192.0.2.1"), None, false),
        ] {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let raw =
                RawSettings { host: own(host), base_uri: own(base_uri), ..RawSettings::default() };
            let settings = Settings::from_raw(&raw, Role::McpServer).unwrap();
            assert_eq!(guard(&settings).check(&url).is_ok(), may, "{host:?} {base_uri:?}");
        }
    }
}
