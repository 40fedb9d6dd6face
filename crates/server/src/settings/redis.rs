//! Where everything is kept.

use std::path::PathBuf;

use mcp_everything_store::redis::{InvalidAddress, RedisAddress};

use super::{
    Problem, RawSettings,
    read::{Reader, given, switch},
};

const URLS: &str = "a URL such as redis://localhost:6379, redis+cluster://a:6379,b:6379 or \
                    redis+sentinel://a:26379,b:26379/mymaster";

/// `None` if everything is kept in memory.
pub(super) fn redis(reader: &mut Reader, raw: &RawSettings) -> Option<RedisAddress> {
    let url = given(raw.redis_url.as_deref()).map(str::parse::<RedisAddress>);
    if let Some(Err(error)) = &url {
        reader.0.push(unreadable(error));
    }
    let password = given(raw.redis_password.as_deref());
    let tls = reader.read("REDIS_TLS", raw.redis_tls.as_deref(), None, "on or off", |text| {
        switch(text).map(Some)
    });
    let ca = given(raw.redis_tls_ca.as_deref());
    let Some(url) = url else {
        let without = [
            ("REDIS_PASSWORD", password.is_some()),
            ("REDIS_TLS", tls.is_some()),
            ("REDIS_TLS_CA", ca.is_some()),
        ];
        for (variable, _) in without.into_iter().filter(|(_, is_set)| *is_set) {
            reader.0.push(Problem::useless(variable, "REDIS_URL is not, so there is no Redis"));
        }
        return None;
    };
    // What else is wrong is told as well.
    let mut address = url.unwrap_or_else(|_| any_other(tls));
    if let Some(password) = password {
        address = address.with_password(password);
    }
    let trusted = ca.map(PathBuf::from);
    match tls {
        Some(false) if address.is_tls() => {
            reader.0.push(Problem::new("REDIS_TLS", "off", "on where REDIS_URL says rediss"));
        }
        Some(true) => address = address.with_tls(trusted),
        None if address.is_tls() => address = address.with_tls(trusted),
        None | Some(false) if ca.is_some() => {
            let why = "TLS is not: REDIS_TLS=on or a rediss URL asks for it";
            reader.0.push(Problem::useless("REDIS_TLS_CA", why));
        }
        None | Some(false) => {}
    }
    if let Err(error) = address.check() {
        reader.0.push(match ca {
            Some(path) => {
                let takes = format!("a file with certificates in PEM ({error})");
                Problem::new("REDIS_TLS_CA", path, takes)
            }
            None => unreadable(&error),
        });
    }
    Some(address)
}

fn any_other(tls: Option<bool>) -> RedisAddress {
    let url = if tls == Some(false) { "redis://localhost" } else { "rediss://localhost" };
    url.parse().unwrap_or_else(|error| unreachable!("{url}: {error}"))
}

/// Anything in a URL that is none may be a password.
fn unreadable(error: &InvalidAddress) -> Problem {
    Problem::secret("REDIS_URL", format!("{error}; it takes {URLS}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Role, Settings};

    const CA: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    fn read(given: &[(&str, &str)]) -> Result<Option<RedisAddress>, Vec<String>> {
        let mut raw = RawSettings::default();
        for (variable, value) in given {
            let field = match *variable {
                "REDIS_URL" => &mut raw.redis_url,
                "REDIS_PASSWORD" => &mut raw.redis_password,
                "REDIS_TLS" => &mut raw.redis_tls,
                "REDIS_TLS_CA" => &mut raw.redis_tls_ca,
                other => panic!("{other}"),
            };
            *field = Some((*value).to_owned());
        }
        Settings::from_raw(&raw, Role::McpServer)
            .map(|settings| settings.redis)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn problem(given: &[(&str, &str)]) -> String {
        let problems = read(given).unwrap_err();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn without_a_url_there_is_no_redis() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("REDIS_URL", " ")]), Ok(None));
    }

    #[test]
    fn each_part_is_taken() {
        let redis = read(&[("REDIS_URL", "redis+cluster://a,b"), ("REDIS_PASSWORD", "hush")]);
        let redis = redis.unwrap().unwrap();
        assert!(redis.has_password() && !redis.is_tls());
        assert_eq!(redis.to_string(), "redis+cluster://a:6379,b:6379");
        let tls = read(&[("REDIS_URL", "redis://a"), ("REDIS_TLS", "on")]).unwrap().unwrap();
        assert!(tls.is_tls() && !tls.has_password());
        assert!(read(&[("REDIS_URL", "redis://a"), ("REDIS_TLS", "off")]).is_ok());
    }

    #[test]
    fn a_setting_that_would_do_nothing_is_a_problem() {
        for (variable, value) in
            [("REDIS_PASSWORD", "hush"), ("REDIS_TLS", "on"), ("REDIS_TLS_CA", "/ca.pem")]
        {
            let told = problem(&[(variable, value)]);
            assert!(told.starts_with(&format!("{variable} is set")), "{told}");
            assert!(told.contains("REDIS_URL") && !told.contains("hush"), "{told}");
        }
        let told = problem(&[("REDIS_URL", "redis://a"), ("REDIS_TLS_CA", "/ca.pem")]);
        assert!(told.contains("REDIS_TLS=on"), "{told}");
        let told = problem(&[("REDIS_URL", "rediss://a"), ("REDIS_TLS", "off")]);
        assert!(told.starts_with("REDIS_TLS is \"off\""), "{told}");
    }

    #[test]
    fn certificates_are_looked_at() {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = home.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let told = |path: &str| problem(&[("REDIS_URL", "rediss://a"), ("REDIS_TLS_CA", path)]);
        assert!(told("/nowhere/ca.pem").contains("No such file"));
        assert!(told(&file("empty.pem", "")).contains("no certificate"));
        assert!(told(&file("broken.pem", CA)).starts_with("REDIS_TLS_CA"));
    }

    #[test]
    fn a_wrong_url_is_never_shown() {
        let told = problem(&[("REDIS_URL", "redis://:hush")]);
        assert!(told.starts_with("REDIS_URL is wrong"), "{told}");
        assert!(told.contains("redis+cluster://") && !told.contains("hush"), "{told}");
    }
}
