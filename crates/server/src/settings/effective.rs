//! What the settings come to, for people to read.

use std::time::Duration;

use mcp_everything_oauth::{BaseUri, DocumentHosts};
use mcp_everything_store::redis::RedisAddress;

use super::{LogFormat, RawSettings, Settings, otel};

const ANY_LOOPBACK: &str = "(any loopback URL)";
const RESOURCE: &str = "(the URL of the resource)";
const EACH_CORE: &str = "(one for each core)";
const OWN_KEYS: &str = "(made once and kept in the store)";

impl Settings {
    /// Each variable with what it comes to, in the order of `--help`. Secrets are masked.
    pub(crate) fn effective(&self, raw: &RawSettings) -> Vec<(&'static str, String)> {
        let given = |text: &Option<String>, default: &str| {
            text.clone().filter(|text| !text.trim().is_empty()).unwrap_or(default.to_owned())
        };
        let base = self.base_uri.as_str();
        let values = [
            self.port.to_string(),
            joined(&self.hosts),
            given(&raw.tls_cert, ""),
            given(&raw.tls_key, ""),
            base.to_owned(),
            self.redis.as_ref().map_or_else(String::new, ToString::to_string),
            masked(self.redis.as_ref().is_some_and(RedisAddress::has_password)),
            self.redis.as_ref().map_or("", |redis| on_off(redis.is_tls())).to_owned(),
            given(&raw.redis_tls_ca, ""),
            self.auth_mode.as_str().to_owned(),
            self.auth_server.port.to_string(),
            self.auth_server.issuer.as_str().to_owned(),
            self.auth_resources.as_ref().map_or(ANY_LOOPBACK.to_owned(), |all| all.join(",")),
            self.grants
                .enterprise_issuers
                .iter()
                .map(BaseUri::as_str)
                .collect::<Vec<_>>()
                .join(","),
            on_off(self.grants.open_client_credentials).to_owned(),
            on_off(self.grants.dpop_nonces).to_owned(),
            given(&raw.clients_file, ""),
            match &self.clients.documents {
                DocumentHosts::Nobody => "off".to_owned(),
                DocumentHosts::Everybody => "on".to_owned(),
                DocumentHosts::Only(hosts) => hosts.join(","),
            },
            self.tokens.check.as_str().to_owned(),
            self.tokens.audience.as_ref().map_or(RESOURCE.to_owned(), ToString::to_string),
            given(&raw.introspection_client_id, ""),
            masked(self.tokens.introspection_client.is_some()),
            given(&raw.upstream_issuer, ""),
            given(&raw.upstream_authorize_url, ""),
            given(&raw.upstream_token_url, ""),
            given(&raw.upstream_userinfo_url, ""),
            given(&raw.upstream_client_id, ""),
            masked(self.upstream.is_some()),
            self.upstream.as_ref().map_or_else(String::new, |upstream| upstream.scopes.join(" ")),
            self.secret_keys.as_ref().map_or(OWN_KEYS.to_owned(), |_| masked(true)),
            span(self.session_ttl),
            given(&raw.allowed_hosts, &format!("({base}'s and loopback)")),
            given(&raw.allowed_origins, &format!("({base}'s and loopback)")),
            joined(&self.trusted_proxies),
            self.rate_limits.to_string(),
            on_off(self.conformance).to_owned(),
            on_off(self.fault_tools).to_owned(),
            span(self.drain_delay),
            span(self.drain_timeout),
            given(&raw.worker_threads, EACH_CORE),
            self.traces.as_ref().map_or_else(String::new, |traces| traces.endpoint.clone()),
            masked(raw.otel_exporter_otlp_headers.as_ref().is_some_and(|text| !text.is_empty())),
            given(&raw.otel_exporter_otlp_timeout, "10000"),
            given(&raw.otel_service_name, otel::NAME),
            given(&raw.otel_resource_attributes, ""),
            given(&raw.otel_traces_sampler, otel::USUAL),
            given(&raw.otel_traces_sampler_arg, "1"),
            match self.log_format {
                LogFormat::Json => "json".to_owned(),
                LogFormat::Pretty => "pretty".to_owned(),
            },
            self.log_filter.clone(),
        ];
        RawSettings::VARIABLES.iter().copied().zip(values).collect()
    }
}

fn masked(is_set: bool) -> String {
    if is_set { "********" } else { "" }.to_owned()
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

fn span(span: Duration) -> String {
    match span.subsec_millis() {
        0 => format!("{}s", span.as_secs()),
        _ => format!("{}ms", span.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Role;

    #[test]
    fn every_setting_is_shown_and_no_secret() {
        let key = "k".repeat(32);
        let raw = RawSettings {
            secret_keys: Some(key.clone()),
            redis_url: Some("rediss://me:hush@redis.example.com/2".to_owned()),
            ..RawSettings::default()
        };
        let shown = Settings::from_raw(&raw, Role::McpServer).unwrap().effective(&raw);
        assert_eq!(shown.len(), RawSettings::VARIABLES.len());
        assert!(shown.iter().all(|(_, value)| !value.contains(&key) && !value.contains("hush")));
        for (variable, value) in [
            ("REDIS_URL", "rediss://redis.example.com:6379/2"),
            ("REDIS_PASSWORD", "********"),
            ("REDIS_TLS", "on"),
        ] {
            assert!(shown.contains(&(variable, value.to_owned())), "{variable}");
        }
        assert!(shown.contains(&("SESSION_TTL", "300s".to_owned())));
    }
}
