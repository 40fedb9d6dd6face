//! The settings that anybody may see, as the tool `getEnv` shows them.

use std::collections::BTreeMap;

use super::{RawSettings, Settings};

/// What tells a client how the server behaves and says nothing of where it runs, whom it trusts or
/// what it keeps secret. Whatever is not named here is not shown.
const PUBLIC: [&str; 10] = [
    "BASE_URI",
    "AUTH_MODE",
    "OPEN_CLIENT_CREDENTIALS",
    "DPOP_NONCES",
    "SESSION_TTL",
    "RATE_LIMITS",
    "CONFORMANCE",
    "DRAIN_DELAY",
    "DRAIN_TIMEOUT",
    "LOG_FORMAT",
];

impl Settings {
    /// The settings that anybody may see, by variable.
    pub(super) fn public(&self, raw: &RawSettings) -> BTreeMap<String, String> {
        let effective = self.effective(raw).into_iter();
        effective
            .filter(|(variable, _)| PUBLIC.contains(variable))
            .map(|(variable, value)| (variable.to_owned(), value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Role;

    #[test]
    fn each_of_them_is_a_setting_and_no_other_is_shown() {
        let key = "k".repeat(32);
        let raw = RawSettings {
            secret_keys: Some(key.clone()),
            redis_url: Some("rediss://me:hush@redis.example.com/2".to_owned()),
            trusted_proxies: Some("192.0.2.0/24".to_owned()),
            upstream_issuer: Some("https://login.example.com".to_owned()),
            upstream_client_id: Some("known-upstream".to_owned()),
            upstream_client_secret: Some("whispered".to_owned()),
            session_ttl: Some("2m".to_owned()),
            ..RawSettings::default()
        };
        let shown = Settings::from_raw(&raw, Role::McpServer).unwrap().public;
        assert_eq!(shown.len(), PUBLIC.len());
        assert_eq!(shown["SESSION_TTL"], "120s");
        let hidden =
            ["hush", "redis.example.com", "192.0.2.0", "login.example", "upstream", "whispered"];
        for hidden in hidden.into_iter().chain([key.as_str()]) {
            assert!(!format!("{shown:?}").contains(hidden), "{hidden}");
        }
    }
}
