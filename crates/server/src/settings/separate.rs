//! The authorization server that is not part of the MCP server, and how its tokens are checked.

use mcp_everything_oauth::{BaseUri, IntrospectionClient, RemoteTokens, TokenCheck, same_resource};
use url::{Host, Url};

use super::{
    AuthMode, AuthServerAt, Problem, RawSettings,
    read::{Reader, given},
    tls::scheme,
};

pub(super) fn auth_server(reader: &mut Reader, raw: &RawSettings) -> AuthServerAt {
    let port = reader.port("AUTH_SERVER_PORT", raw.auth_server_port.as_deref(), 3001);
    let default = format!("{}://localhost:{port}", scheme(raw));
    let text = given(raw.auth_server_url.as_deref()).unwrap_or(&default);
    let issuer = issuer(text).unwrap_or_else(|why| {
        let takes = format!("a URL such as https://auth.example.com or {default} ({why})");
        reader.0.push(Problem::new("AUTH_SERVER_URL", text, takes));
        BaseUri::parse(&default).unwrap_or_else(|error| unreachable!("{default}: {error}"))
    });
    AuthServerAt { port, issuer }
}

/// Tokens and secrets travel to it in clear unless the way is encrypted (RFC 8414 section 6.1).
pub(super) fn issuer(text: &str) -> Result<BaseUri, String> {
    let issuer = BaseUri::parse(text).map_err(|error| error.to_string())?;
    if issuer.is_https() || is_loopback(text) {
        Ok(issuer)
    } else {
        Err("http is for loopback only".to_owned())
    }
}

/// Whether a URL leads to the machine itself.
pub(crate) fn is_loopback(text: &str) -> bool {
    match Url::parse(text).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A server that trusts itself would ask itself for its authorization server, and never find one.
pub(super) fn not_itself(reader: &mut Reader, base_uri: &BaseUri, auth_server: &AuthServerAt) {
    let issuer = auth_server.issuer.as_str();
    if same_resource(issuer, base_uri.as_str()) {
        let takes = "another URL than BASE_URI where AUTH_MODE is separate";
        reader.0.push(Problem::new("AUTH_SERVER_URL", issuer, takes));
    }
}

pub(super) fn tokens(reader: &mut Reader, raw: &RawSettings, mode: AuthMode) -> RemoteTokens {
    let takes = "auto, introspection or jwt";
    let check =
        reader.read("TOKEN_CHECK", raw.token_check.as_deref(), TokenCheck::Auto, takes, |text| {
            text.parse().ok()
        });
    let takes = "a value of `aud` such as https://api.example.com, or a claim and its value such \
                 as client_id=abc; several values are separated by commas";
    let audience =
        reader.read("TOKEN_AUDIENCE", raw.token_audience.as_deref(), None, takes, |text| {
            text.parse().ok().map(Some)
        });
    let id = given(raw.introspection_client_id.as_deref());
    let secret = given(raw.introspection_client_secret.as_deref());
    match (id, secret) {
        (Some(_), None) => reader.0.push(Problem::useless(
            "INTROSPECTION_CLIENT_ID",
            "INTROSPECTION_CLIENT_SECRET is not, so the client cannot prove who it is",
        )),
        (None, Some(_)) => reader.0.push(Problem::useless(
            "INTROSPECTION_CLIENT_SECRET",
            "INTROSPECTION_CLIENT_ID is not, so nobody has that secret",
        )),
        (Some(_), Some(_)) | (None, None) => {}
    }
    let introspection_client =
        id.zip(secret).map(|(id, secret)| IntrospectionClient::new(id, secret));
    let tokens = RemoteTokens { check, audience, introspection_client };
    if reader.0.is_empty() && mode != AuthMode::Separate {
        let set = [
            ("TOKEN_CHECK", given(raw.token_check.as_deref()).is_some()),
            ("TOKEN_AUDIENCE", tokens.audience.is_some()),
            ("INTROSPECTION_CLIENT_ID", id.is_some()),
        ];
        for (variable, _) in set.into_iter().filter(|(_, is_set)| *is_set) {
            let but = "AUTH_MODE is not separate, so tokens are not checked that way";
            reader.0.push(Problem::useless(variable, but));
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Role, Settings};

    fn read(role: Role, given: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let mut raw = RawSettings::default();
        for (variable, value) in given {
            let field = match *variable {
                "PORT" => &mut raw.port,
                "BASE_URI" => &mut raw.base_uri,
                "AUTH_MODE" => &mut raw.auth_mode,
                "AUTH_SERVER_PORT" => &mut raw.auth_server_port,
                "AUTH_SERVER_URL" => &mut raw.auth_server_url,
                "AUTH_RESOURCES" => &mut raw.auth_resources,
                "TOKEN_CHECK" => &mut raw.token_check,
                "TOKEN_AUDIENCE" => &mut raw.token_audience,
                "INTROSPECTION_CLIENT_ID" => &mut raw.introspection_client_id,
                "INTROSPECTION_CLIENT_SECRET" => &mut raw.introspection_client_secret,
                other => panic!("{other}"),
            };
            *field = Some((*value).to_owned());
        }
        Settings::from_raw(&raw, role)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn problem(given: &[(&str, &str)]) -> String {
        let mode = [("AUTH_MODE", "separate")];
        let given: Vec<_> = mode.iter().chain(given).copied().collect();
        let problems = read(Role::McpServer, &given).err().unwrap_or_default();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn the_standalone_server_is_where_its_own_settings_say() {
        let elsewhere = [("PORT", "many"), ("BASE_URI", "nowhere"), ("AUTH_MODE", "none")];
        let settings = read(Role::AuthServer, &elsewhere).unwrap();
        assert_eq!((settings.port, settings.base_uri.as_str()), (3001, "http://localhost:3001"));
        assert_eq!(settings.auth_resources, None);
        let given = [("AUTH_SERVER_PORT", "4001"), ("AUTH_RESOURCES", "https://a.example/mcp")];
        let settings = read(Role::AuthServer, &given).unwrap();
        assert_eq!((settings.port, settings.base_uri.as_str()), (4001, "http://localhost:4001"));
        assert_eq!(settings.auth_resources.unwrap(), ["https://a.example/mcp"]);
    }

    #[test]
    fn what_separate_mode_trusts_has_a_default() {
        let settings = read(Role::McpServer, &[("AUTH_MODE", "separate")]).unwrap();
        assert_eq!(settings.auth_server.issuer.as_str(), "http://localhost:3001");
        assert_eq!((settings.port, settings.tokens.check), (3232, TokenCheck::Auto));
        let given = [("AUTH_MODE", "separate"), ("AUTH_SERVER_URL", "https://Auth.example.com/t/")];
        let settings = read(Role::McpServer, &given).unwrap();
        assert_eq!(settings.auth_server.issuer.as_str(), "https://Auth.example.com/t/");
    }

    #[test]
    fn secrets_do_not_travel_in_clear() {
        for url in ["http://127.0.0.2:1", "http://[::1]:1", "http://LocalHost", "https://a.example"]
        {
            let given = [("AUTH_MODE", "separate"), ("AUTH_SERVER_URL", url)];
            assert!(read(Role::McpServer, &given).is_ok(), "{url}");
        }
        for url in ["http://a.example", "http://10.0.0.1", "http://localhost.example", "ftp://a"] {
            let told = problem(&[("AUTH_SERVER_URL", url)]);
            assert!(told.starts_with("AUTH_SERVER_URL is"), "{told}");
        }
    }

    #[test]
    fn a_server_is_not_its_own_separate_one() {
        let told =
            problem(&[("BASE_URI", "https://a.example"), ("AUTH_SERVER_URL", "https://a.example")]);
        assert!(told.contains("another"), "{told}");
    }

    #[test]
    fn half_a_client_is_none() {
        for variable in ["INTROSPECTION_CLIENT_ID", "INTROSPECTION_CLIENT_SECRET"] {
            let told = problem(&[(variable, "hush")]);
            assert!(told.starts_with(&format!("{variable} is set")), "{told}");
            assert!(!told.contains("hush"), "{told}");
        }
    }

    #[test]
    fn what_would_do_nothing_is_a_problem() {
        for (variable, value) in [("TOKEN_CHECK", "jwt"), ("TOKEN_AUDIENCE", "client_id=abc")] {
            let problems = read(Role::McpServer, &[(variable, value)]).err().unwrap();
            assert!(problems[0].contains("AUTH_MODE is not separate"), "{problems:?}");
        }
    }
}
