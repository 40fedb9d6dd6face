//! What is allowed, and most likely not meant.

use std::net::IpAddr;

use url::Url;

use super::Settings;

impl Settings {
    /// What an operator may have overlooked, who has set the public URL or not.
    pub(super) fn overlooked(&self, url_is_given: bool) -> Vec<String> {
        let hint = if url_is_given { self.at_another_port() } else { self.sent_to_themselves() };
        hint.into_iter().collect()
    }

    /// Every URL in the metadata begins with the public one, which is loopback's unless another is set.
    fn sent_to_themselves(&self) -> Option<String> {
        let host = self.hosts.iter().find(|host| !host.is_loopback())?;
        let (base, variable) = (self.base_uri.as_str(), self.role.url());
        let host = match host {
            host if host.is_unspecified() => "its-name-or-address".to_owned(),
            IpAddr::V4(host) => host.to_string(),
            IpAddr::V6(host) => format!("[{host}]"),
        };
        let scheme = if self.base_uri.is_https() { "https" } else { "http" };
        Some(format!(
            "HOST lets other machines in, but {variable} is not set, so their clients are sent to \
             {base}, which is themselves: set {variable} to the URL that they use, such as \
             {scheme}://{host}:{}",
            self.port
        ))
    }

    /// Something before this server may listen there, of which nothing is said.
    fn at_another_port(&self) -> Option<String> {
        let (base, variable) = (self.base_uri.as_str(), self.role.port());
        let port = Url::parse(base).ok()?.port_or_known_default()?;
        let is_alone = self.trusted_proxies.is_empty() && self.is_private();
        (is_alone && port != self.port).then(|| {
            format!(
                "{} is {base}, and {variable} is {}: unless something there leads here, clients \
                 do not find this server",
                self.role.url(),
                self.port
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{RawSettings, Role};

    fn hints(role: Role, host: &str, base: Option<&str>, proxies: Option<&str>) -> String {
        let url = base.map(str::to_owned);
        let raw = RawSettings {
            host: Some(host.to_owned()),
            base_uri: url.clone(),
            auth_server_url: url,
            trusted_proxies: proxies.map(str::to_owned),
            ..RawSettings::default()
        };
        Settings::from_raw(&raw, role).unwrap_or_else(|_| panic!("{raw:?}")).hints.join("\n")
    }

    #[test]
    fn whoever_lets_others_in_is_told_to_say_where() {
        let told = hints(Role::McpServer, "0.0.0.0", None, None);
        assert!(told.contains("set BASE_URI") && told.contains("its-name-or-address:3232"));
        let told = hints(Role::McpServer, "127.0.0.1,192.0.2.7", None, None);
        assert!(told.contains("http://192.0.2.7:3232"), "{told}");
        let told = hints(Role::AuthServer, "::", None, None);
        assert!(told.contains("set AUTH_SERVER_URL"), "{told}");
        for base in ["https://mcp.example.com", "http://localhost:3232"] {
            assert_eq!(hints(Role::McpServer, "0.0.0.0", Some(base), None), "", "{base}");
        }
        assert_eq!(hints(Role::McpServer, "localhost", None, None), "");
    }

    #[test]
    fn a_public_url_with_another_port_is_noticed_where_no_proxy_is() {
        let url = Some("http://localhost:4000");
        let told = hints(Role::McpServer, "localhost", url, None);
        assert!(told.contains("BASE_URI is http://localhost:4000, and PORT is 3232"), "{told}");
        let told = hints(Role::AuthServer, "localhost", url, None);
        assert!(told.contains("AUTH_SERVER_PORT is 3001"), "{told}");
        assert_eq!(hints(Role::McpServer, "localhost", url, Some("127.0.0.1")), "");
        let url = Some("https://mcp.example.com");
        assert_eq!(hints(Role::McpServer, "localhost", url, None), "");
    }
}
