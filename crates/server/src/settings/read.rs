//! Judging the settings.

use std::{
    collections::BTreeMap,
    io::IsTerminal as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use mcp_everything_oauth::BaseUri;
use mcp_everything_store::SecretKeys;
use mcp_everything_transport::{HostPolicy, OriginPolicy};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{
    AuthMode, LogFormat, Problem, RateLimits, RawSettings, Role, Settings,
    clients::clients,
    grants::grants,
    otel::traces,
    redis::redis,
    separate::{auth_server, not_itself, tokens},
    threads,
    tls::{scheme, tls},
    upstream::upstream,
};

const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];
const LOOPBACK_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Collects what is wrong, so that all of it is told at once.
#[derive(Default)]
pub(super) struct Reader(pub(super) Vec<Problem>);

impl Reader {
    pub(super) fn read<T>(
        &mut self,
        variable: &'static str,
        text: Option<&str>,
        default: T,
        takes: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> T {
        let Some(text) = given(text) else { return default };
        parse(text).unwrap_or_else(|| {
            self.0.push(Problem::new(variable, text, takes));
            default
        })
    }

    pub(super) fn port(&mut self, variable: &'static str, text: Option<&str>, default: u16) -> u16 {
        self.read(variable, text, default, "a number from 0 to 65535", |text| text.parse().ok())
    }

    fn span(&mut self, variable: &'static str, text: Option<&str>, default: u64) -> Duration {
        let takes = "a time such as 300, 300s, 5m or 250ms, up to 7 days";
        self.read(variable, text, Duration::from_secs(default), takes, duration)
    }
}

/// An empty value is none, as in `PORT= mcp-everything`.
pub(super) fn given(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn all<T: FromStr>(text: &str) -> Option<Vec<T>> {
    let items: Option<Vec<T>> = list(text).map(|item| item.parse().ok()).collect();
    items.filter(|items| !items.is_empty())
}

pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.trim().parse().ok()?;
    let span = match &text[digits.len()..] {
        "ms" => Duration::from_millis(number),
        "" | "s" => Duration::from_secs(number),
        "m" => Duration::from_secs(number.checked_mul(60)?),
        "h" => Duration::from_secs(number.checked_mul(3600)?),
        _ => return None,
    };
    (span <= LONGEST).then_some(span)
}

pub(super) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "on" | "true" | "yes" => Some(true),
        "0" | "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

impl Settings {
    /// Checks the settings; the error names everything that is wrong.
    pub(crate) fn from_raw(raw: &RawSettings, role: Role) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader::default();
        let port = match role {
            Role::McpServer => reader.port("PORT", raw.port.as_deref(), 3232),
            Role::AuthServer => 0,
        };
        let loopback = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let takes = "IP addresses separated by commas, such as 127.0.0.1,::1 or 0.0.0.0";
        let hosts = reader.read("HOST", raw.host.as_deref(), loopback, takes, |text| match text {
            "localhost" => all("127.0.0.1,::1"),
            text => all(text),
        });
        let tls = tls(&mut reader, raw);
        let own_url = match role {
            Role::McpServer => raw.base_uri.as_deref(),
            Role::AuthServer => raw.auth_server_url.as_deref(),
        };
        let own = match role {
            Role::McpServer => Some(base_uri(&mut reader, raw, port)),
            Role::AuthServer => None,
        };
        let redis = redis(&mut reader, raw);
        // Of a server for MCP; the other one authenticates for it.
        let auth_mode = match role {
            Role::McpServer => auth_mode(&mut reader, raw.auth_mode.as_deref(), &hosts),
            Role::AuthServer => AuthMode::Separate,
        };
        let auth_server = auth_server(&mut reader, raw);
        let resources = own.as_ref().map(|own| ["", "/mcp", "/sse"].map(|path| own.join(path)));
        let (port, base_uri) = match own {
            Some(own) => (port, own),
            None => (auth_server.port, auth_server.issuer.clone()),
        };
        let takes = "absolute http or https URLs without fragments, separated by commas";
        let auth_resources = reader.read(
            "AUTH_RESOURCES",
            raw.auth_resources.as_deref(),
            resources.map(Vec::from),
            takes,
            |text| urls(text).map(Some),
        );
        let grants = grants(&mut reader, raw);
        let clients = clients(&mut reader, raw);
        if role == Role::McpServer && auth_mode == AuthMode::Separate {
            not_itself(&mut reader, &base_uri, &auth_server);
        }
        let tokens = tokens(&mut reader, raw, auth_mode);
        let upstream = upstream(&mut reader, raw, auth_mode);
        let secret_keys = secret_keys(&mut reader, raw.secret_keys.as_deref());
        let session_ttl = reader.span("SESSION_TTL", raw.session_ttl.as_deref(), 300);
        if session_ttl.is_zero() {
            reader.0.push(Problem::new("SESSION_TTL", "0", "a time of at least 1 ms"));
        }
        let (allowed_hosts, allowed_origins) = policies(&mut reader, raw, &base_uri);
        let proxies = raw.trusted_proxies.as_deref();
        let takes = "networks or addresses separated by commas, such as 10.0.0.0/8,192.0.2.1";
        let trusted_proxies = reader.read("TRUSTED_PROXIES", proxies, Vec::new(), takes, networks);
        let rate_limits = rate_limits(&mut reader, raw.rate_limits.as_deref());
        let (conformance, fault_tools) = fixtures(&mut reader, raw);
        let drain_delay = reader.span("DRAIN_DELAY", raw.drain_delay.as_deref(), 1);
        let drain_timeout = reader.span("DRAIN_TIMEOUT", raw.drain_timeout.as_deref(), 25);
        threads::check(&mut reader, raw);
        let traces = traces(&mut reader, raw);
        let log_format = log_format(&mut reader, raw.log_format.as_deref());
        let log_filter = log_filter(&mut reader, raw.rust_log.as_deref());
        if !reader.0.is_empty() {
            return Err(reader.0);
        }
        let mut settings = Self {
            role,
            beside_another: false,
            port,
            hosts,
            tls,
            base_uri,
            auth_server,
            redis,
            auth_mode,
            auth_resources,
            grants,
            clients,
            tokens,
            upstream,
            secret_keys,
            session_ttl,
            allowed_hosts,
            allowed_origins,
            trusted_proxies,
            rate_limits,
            conformance,
            fault_tools,
            drain_delay,
            drain_timeout,
            traces,
            log_format,
            log_filter,
            hints: Vec::new(),
            public: BTreeMap::new(),
        };
        settings.hints = settings.overlooked(given(own_url).is_some());
        settings.public = settings.public(raw);
        Ok(settings)
    }
}

fn base_uri(reader: &mut Reader, raw: &RawSettings, port: u16) -> BaseUri {
    let default = format!("{}://localhost:{port}", scheme(raw));
    let text = given(raw.base_uri.as_deref()).unwrap_or(&default);
    BaseUri::parse(text).unwrap_or_else(|error| {
        let takes = format!("an http or https URL such as {default} ({error})");
        reader.0.push(Problem::new("BASE_URI", text, takes));
        BaseUri::parse(&default).unwrap_or_else(|error| unreachable!("{default}: {error}"))
    })
}

/// What is there for those who test clients.
fn fixtures(reader: &mut Reader, raw: &RawSettings) -> (bool, bool) {
    let mut is_on =
        |variable, text: Option<&str>| reader.read(variable, text, false, "on or off", switch);
    let conformance = is_on("CONFORMANCE", raw.conformance.as_deref());
    (conformance, is_on("FAULT_TOOLS", raw.fault_tools.as_deref()))
}

fn auth_mode(reader: &mut Reader, text: Option<&str>, hosts: &[IpAddr]) -> AuthMode {
    let takes = "integrated, separate or none";
    let mode = reader.read("AUTH_MODE", text, AuthMode::Integrated, takes, |text| match text {
        "integrated" => Some(AuthMode::Integrated),
        "separate" => Some(AuthMode::Separate),
        "none" => Some(AuthMode::None),
        _ => None,
    });
    if mode == AuthMode::None && !hosts.iter().all(IpAddr::is_loopback) {
        let takes = "integrated or separate where HOST is not loopback: without authentication \
                     anybody who reaches the server may use it";
        reader.0.push(Problem::new("AUTH_MODE", "none", takes));
    }
    mode
}

fn secret_keys(reader: &mut Reader, text: Option<&str>) -> Option<SecretKeys> {
    match SecretKeys::parse(given(text)?) {
        Ok(keys) => Some(keys),
        Err(error) => {
            reader.0.push(Problem::secret("SECRET_KEYS", error.to_string()));
            None
        }
    }
}

fn urls(text: &str) -> Option<Vec<String>> {
    let urls: Vec<String> = list(text).map(str::to_owned).collect();
    let good = |text: &String| {
        let url = Url::parse(text);
        url.is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.has_host() && url.fragment().is_none()
        })
    };
    (!urls.is_empty() && urls.iter().all(good)).then_some(urls)
}

fn networks(text: &str) -> Option<Vec<IpNet>> {
    let network = |item: &str| item.parse().ok().or_else(|| item.parse().ok().map(IpAddr::into));
    list(text).map(network).collect()
}

fn rate_limits(reader: &mut Reader, text: Option<&str>) -> RateLimits {
    let Some(text) = given(text) else { return RateLimits::default() };
    RateLimits::parse(text).unwrap_or_else(|why| {
        let takes = format!("off, or limits such as requests=6000/1m,register=off ({why})");
        reader.0.push(Problem::new("RATE_LIMITS", text, takes));
        RateLimits::default()
    })
}

fn policies(
    reader: &mut Reader,
    raw: &RawSettings,
    base_uri: &BaseUri,
) -> (HostPolicy, OriginPolicy) {
    let own = Url::parse(base_uri.as_str()).ok();
    let own_host = own.as_ref().and_then(|url| {
        let host = url.host_str()?;
        Some(url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")))
    });
    let own_origin = own.map(|url| url.origin().ascii_serialization());
    let hosts = given(raw.allowed_hosts.as_deref()).map_or_else(
        || own_host.into_iter().chain(LOOPBACK_HOSTS.map(str::to_owned)).collect(),
        list_of,
    );
    let origins = given(raw.allowed_origins.as_deref()).map_or_else(
        || own_origin.into_iter().chain(LOOPBACK_ORIGINS.map(str::to_owned)).collect(),
        list_of,
    );
    let hosts = HostPolicy::new(&hosts).unwrap_or_else(|error| {
        let holds = raw.allowed_hosts.as_deref().unwrap_or_default();
        let takes = format!("hosts separated by commas ({error})");
        reader.0.push(Problem::new("ALLOWED_HOSTS", holds, takes));
        HostPolicy::default()
    });
    let hosts = hosts.advising("its operator can add it to ALLOWED_HOSTS");
    let origins = OriginPolicy::new(&origins).unwrap_or_else(|error| {
        let holds = raw.allowed_origins.as_deref().unwrap_or_default();
        let takes = format!("origins separated by commas ({error})");
        reader.0.push(Problem::new("ALLOWED_ORIGINS", holds, takes));
        OriginPolicy::default()
    });
    let origins = origins.advising("the operator can add it to ALLOWED_ORIGINS");
    (hosts, origins)
}

fn list_of(text: &str) -> Vec<String> {
    list(text).map(str::to_owned).collect()
}

fn log_format(reader: &mut Reader, text: Option<&str>) -> LogFormat {
    let default = if std::io::stdout().is_terminal() { LogFormat::Pretty } else { LogFormat::Json };
    reader.read("LOG_FORMAT", text, default, "json or pretty", |text| match text {
        "json" => Some(LogFormat::Json),
        "pretty" => Some(LogFormat::Pretty),
        _ => None,
    })
}

fn log_filter(reader: &mut Reader, text: Option<&str>) -> String {
    let takes = "levels and targets such as info or info,mcp_everything_oauth=debug";
    reader.read("RUST_LOG", text, "info".to_owned(), takes, |text| {
        EnvFilter::try_new(text).ok().map(|_| text.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(change: impl FnOnce(&mut RawSettings)) -> Result<Settings, Vec<Problem>> {
        let mut raw = RawSettings::default();
        change(&mut raw);
        Settings::from_raw(&raw, Role::McpServer)
    }

    fn problems(change: impl FnOnce(&mut RawSettings)) -> Vec<Problem> {
        read(change).err().unwrap_or_default()
    }

    #[test]
    fn everything_has_a_default() {
        let settings = read(|_| {}).unwrap();
        assert_eq!(settings.port, 3232);
        assert_eq!(settings.base_uri.as_str(), "http://localhost:3232");
        assert_eq!(settings.auth_mode, AuthMode::Integrated);
        assert!(settings.hosts.iter().all(IpAddr::is_loopback) && settings.hosts.len() == 2);
        assert_eq!(settings.auth_resources.unwrap()[1], "http://localhost:3232/mcp");
        assert!(!settings.conformance && !settings.fault_tools);
    }

    #[test]
    fn the_base_uri_follows_the_port() {
        let settings = read(|raw| raw.port = Some("4000".into())).unwrap();
        assert_eq!(settings.base_uri.as_str(), "http://localhost:4000");
    }

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let problems = problems(|raw| {
            raw.port = Some("99999".into());
            raw.host = Some("example.com".into());
            raw.base_uri = Some("ftp://x".into());
            raw.redis_url = Some("http://:hush@x".into());
            raw.redis_password = Some("hush".into());
            raw.tls_cert = Some("/nowhere/cert.pem".into());
            raw.tls_key = Some("/nowhere/key.pem".into());
            raw.redis_tls = Some("maybe".into());
            raw.redis_tls_ca = Some("/nowhere/ca.pem".into());
            raw.auth_mode = Some("maybe".into());
            raw.auth_server_port = Some("-1".into());
            raw.auth_server_url = Some("http://auth.example.com".into());
            raw.auth_resources = Some("/mcp".into());
            raw.enterprise_issuers = Some("http://idp.example".into());
            raw.open_client_credentials = Some("maybe".into());
            raw.dpop_nonces = Some("maybe".into());
            raw.clients_file = Some("/nowhere/clients.json".into());
            raw.client_metadata_documents = Some("maybe not".into());
            raw.token_check = Some("sometimes".into());
            raw.token_audience = Some("client_id=".into());
            raw.introspection_client_id = Some("me".into());
            raw.upstream_issuer = Some("http://login.example.com".into());
            raw.upstream_authorize_url = Some("https://login.example.com/authorize".into());
            raw.upstream_token_url = Some("https://login.example.com/token".into());
            raw.upstream_userinfo_url = Some("https://login.example.com/me".into());
            raw.upstream_scope = Some("\"".into());
            raw.secret_keys = Some("short".into());
            raw.session_ttl = Some("soon".into());
            raw.allowed_hosts = Some("http://x".into());
            raw.allowed_origins = Some("x".into());
            raw.trusted_proxies = Some("10.0.0.0/33".into());
            raw.rate_limits = Some("requests=often".into());
            raw.conformance = Some("perhaps".into());
            raw.fault_tools = Some("perhaps".into());
            raw.drain_delay = Some("-1".into());
            raw.drain_timeout = Some("1y".into());
            raw.worker_threads = Some("0".into());
            raw.otel_exporter_otlp_endpoint = Some("collector:4318".into());
            raw.otel_exporter_otlp_headers = Some("hush".into());
            raw.otel_exporter_otlp_timeout = Some("10s".into());
            raw.otel_resource_attributes = Some("x".into());
            raw.otel_traces_sampler = Some("sometimes".into());
            raw.otel_traces_sampler_arg = Some("2".into());
            raw.log_format = Some("xml".into());
            raw.rust_log = Some("a=b=c".into());
        });
        // Any text may be a secret, or a name.
        let any = ["REDIS_PASSWORD", "INTROSPECTION_CLIENT_SECRET", "OTEL_SERVICE_NAME"];
        let variables = RawSettings::VARIABLES.iter().filter(|name| !any.contains(name));
        assert_eq!(problems.len(), variables.clone().count());
        for (problem, variable) in problems.iter().zip(variables) {
            let told = problem.to_string();
            assert!(told.starts_with(variable), "{told} is about {variable}");
            assert!(!told.contains("short") && !told.contains("hush"), "{told}");
        }
    }

    #[test]
    fn without_authentication_only_loopback_is_served() {
        let none = |host: &str| {
            read(|raw| {
                raw.auth_mode = Some("none".into());
                raw.host = Some(host.into());
            })
        };
        assert!(none("127.0.0.1").is_ok() && none("localhost").is_ok());
        for host in ["0.0.0.0", "::", "127.0.0.1,192.0.2.1"] {
            assert!(none(host).is_err(), "{host}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, span) in [
            ("300", Some(Duration::from_secs(300))),
            ("250ms", Some(Duration::from_millis(250))),
            ("5m", Some(Duration::from_secs(300))),
            ("1h", Some(Duration::from_secs(3600))),
            ("", None),
            ("s", None),
            ("1.5s", None),
            ("18446744073709551615h", None),
            ("8000000", None),
        ] {
            assert_eq!(duration(text), span, "{text}");
        }
    }
}
