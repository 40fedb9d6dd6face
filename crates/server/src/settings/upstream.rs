//! Who says who the user is.

use mcp_everything_oauth::{
    BaseUri,
    upstream::{ClientSecret, Endpoints, ProviderUrl, ProviderUrlError, Registration},
};

use super::{
    AuthMode, Problem, RawSettings,
    read::{Reader, given},
};

/// A real identity provider.
#[derive(Clone)]
pub(crate) struct UpstreamProvider {
    pub(crate) known: Known,
    client_id: String,
    client_secret: ClientSecret,
    /// `openid` is among those of an OpenID provider.
    pub(super) scopes: Vec<String>,
}

/// How its endpoints are known.
#[derive(Clone)]
pub(crate) enum Known {
    /// By OpenID discovery.
    ByIssuer(ProviderUrl),
    /// One by one.
    ByEndpoints(Box<Endpoints>),
}

impl UpstreamProvider {
    /// Where users sign in.
    pub(crate) fn host(&self) -> String {
        match &self.known {
            Known::ByIssuer(issuer) => issuer.host(),
            Known::ByEndpoints(endpoints) => endpoints.authorize.host(),
        }
    }

    /// The authorization server that calls itself `issuer`, as the provider knows it.
    pub(crate) fn registration(&self, issuer: &BaseUri) -> Registration {
        let (id, secret) = (self.client_id.clone(), self.client_secret.clone());
        Registration::new(issuer, id, secret, self.scopes.clone())
    }
}

const URL: &str = "an https URL such as https://login.example.com; http is for loopback hosts";

type Given<'a> = (&'static str, Option<&'a str>);

/// `None` for the fake one. A provider of which only a part is set is a problem, and so is what
/// would do nothing: nobody who set it wants the one that believes everybody.
/// In separate mode it does nothing for the MCP server, but the authorization server may read the same
/// settings.
pub(super) fn upstream(
    reader: &mut Reader,
    raw: &RawSettings,
    mode: AuthMode,
) -> Option<UpstreamProvider> {
    let issuer = ("UPSTREAM_ISSUER", given(raw.upstream_issuer.as_deref()));
    let endpoints = [
        ("UPSTREAM_AUTHORIZE_URL", given(raw.upstream_authorize_url.as_deref())),
        ("UPSTREAM_TOKEN_URL", given(raw.upstream_token_url.as_deref())),
        ("UPSTREAM_USERINFO_URL", given(raw.upstream_userinfo_url.as_deref())),
    ];
    let client = [
        ("UPSTREAM_CLIENT_ID", given(raw.upstream_client_id.as_deref())),
        ("UPSTREAM_CLIENT_SECRET", given(raw.upstream_client_secret.as_deref())),
    ];
    let scope = ("UPSTREAM_SCOPE", given(raw.upstream_scope.as_deref()));
    if issuer.1.is_none() && endpoints.iter().all(|(_, text)| text.is_none()) {
        let why = "no provider is: UPSTREAM_ISSUER or UPSTREAM_AUTHORIZE_URL names one";
        useless(reader, &client, why);
        useless(reader, &[scope], why);
        return None;
    }
    if mode == AuthMode::None {
        let why = "AUTH_MODE is none, so nobody signs in";
        useless(reader, &[issuer], why);
        useless(reader, &endpoints, why);
    }
    let by_issuer = url(reader, issuer);
    let by_endpoints = if issuer.1.is_some() {
        useless(reader, &endpoints, "UPSTREAM_ISSUER is, too: a provider is known by one of them");
        None
    } else {
        missing(reader, &endpoints, "a provider without UPSTREAM_ISSUER has all three URLs");
        let [authorize, token, userinfo] = endpoints.map(|endpoint| url(reader, endpoint));
        authorize.zip(token).zip(userinfo)
    };
    missing(reader, &client, "a provider knows this server by it");
    let usual = if issuer.1.is_some() { "openid" } else { "" };
    let scopes = scopes(reader, scope, usual);
    let known = match (by_issuer, by_endpoints) {
        (Some(issuer), _) => Known::ByIssuer(issuer),
        (None, Some(((authorize, token), userinfo))) => {
            Known::ByEndpoints(Box::new(Endpoints { authorize, token, userinfo }))
        }
        (None, None) => return None,
    };
    let [client_id, client_secret] = client.map(|(_, text)| text.unwrap_or_default());
    Some(UpstreamProvider {
        known,
        client_id: client_id.to_owned(),
        client_secret: ClientSecret::new(client_secret),
        scopes,
    })
}

/// RFC 6749, section 3.3.
fn scopes(reader: &mut Reader, (variable, text): Given<'_>, usual: &str) -> Vec<String> {
    let text = text.unwrap_or(usual);
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte)) {
        let takes = "scopes separated by spaces, such as openid email";
        reader.0.push(Problem::new(variable, text, takes));
    }
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

fn url(reader: &mut Reader, (variable, text): Given<'_>) -> Option<ProviderUrl> {
    let text = text?;
    let parse: fn(&str) -> Result<ProviderUrl, ProviderUrlError> = match variable {
        "UPSTREAM_ISSUER" => ProviderUrl::parse_issuer,
        _ => ProviderUrl::parse,
    };
    let parsed = parse(text);
    parsed
        .map_err(|error| {
            reader.0.push(Problem::new(variable, text, format!("{URL} ({error})")));
        })
        .ok()
}

fn missing(reader: &mut Reader, all: &[Given<'_>], why: &'static str) {
    for (variable, _) in all.iter().filter(|(_, text)| text.is_none()) {
        reader.0.push(Problem::missing(variable, why));
    }
}

fn useless(reader: &mut Reader, all: &[Given<'_>], why: &'static str) {
    for (variable, _) in all.iter().filter(|(_, text)| text.is_some()) {
        reader.0.push(Problem::useless(variable, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Role, Settings};

    fn read(given: &[(&str, &str)]) -> Result<Settings, Vec<String>> {
        let mut raw = RawSettings::default();
        for (variable, value) in given {
            let field = match *variable {
                "ISSUER" => &mut raw.upstream_issuer,
                "AUTHORIZE_URL" => &mut raw.upstream_authorize_url,
                "TOKEN_URL" => &mut raw.upstream_token_url,
                "USERINFO_URL" => &mut raw.upstream_userinfo_url,
                "CLIENT_ID" => &mut raw.upstream_client_id,
                "CLIENT_SECRET" => &mut raw.upstream_client_secret,
                "SCOPE" => &mut raw.upstream_scope,
                other => panic!("{other}"),
            };
            *field = Some((*value).to_owned());
        }
        Settings::from_raw(&raw, Role::McpServer)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    const ISSUER: (&str, &str) = ("ISSUER", "https://login.example.com/");
    const ID: (&str, &str) = ("CLIENT_ID", "us");
    const SECRET: (&str, &str) = ("CLIENT_SECRET", "hush");
    const URLS: [(&str, &str); 3] = [
        ("AUTHORIZE_URL", "https://github.example/authorize"),
        ("TOKEN_URL", "https://github.example/token"),
        ("USERINFO_URL", "https://api.github.example/user"),
    ];

    #[test]
    fn the_fake_provider_is_there_as_long_as_none_is_named() {
        assert!(read(&[]).unwrap().upstream.is_none());
        assert!(read(&[("ISSUER", " ")]).unwrap().upstream.is_none());
    }

    #[test]
    fn a_provider_is_known_by_its_issuer_or_by_its_endpoints() {
        let found = read(&[ISSUER, ID, SECRET]).unwrap().upstream.unwrap();
        assert!(matches!(&found.known, Known::ByIssuer(url) if url.as_str() == ISSUER.1));
        let registration = found.registration(&BaseUri::parse("https://mcp.example/x").unwrap());
        assert_eq!(registration.redirect_uri, "https://mcp.example/x/upstream/callback");
        assert_eq!(
            (registration.client_id.as_str(), &*registration.scopes),
            ("us", &["openid".to_owned()][..])
        );
        let [authorize, token, userinfo] = URLS;
        let found = read(&[authorize, token, userinfo, ID, SECRET]).unwrap().upstream.unwrap();
        assert!(found.scopes.is_empty());
        let Known::ByEndpoints(endpoints) = found.known else { panic!("it has no issuer") };
        assert_eq!(endpoints.userinfo.as_str(), userinfo.1);
        let scope = ("SCOPE", "read:user  email");
        let found = read(&[authorize, token, userinfo, ID, SECRET, scope]).unwrap().upstream;
        assert_eq!(found.unwrap().scopes, ["read:user", "email"]);
    }

    #[test]
    fn half_a_provider_stops_the_start() {
        let [authorize, token, userinfo] = URLS;
        for (given, wrong) in [
            (&[ISSUER][..], &["CLIENT_ID is not set", "CLIENT_SECRET is not set"][..]),
            (&[ISSUER, ID], &["CLIENT_SECRET is not set"]),
            (&[ISSUER, SECRET], &["CLIENT_ID is not set"]),
            (&[ID], &["CLIENT_ID is set, but no provider is"]),
            (&[SECRET], &["CLIENT_SECRET is set"]),
            (&[("SCOPE", "x")], &["SCOPE is set"]),
            (&[authorize, ID, SECRET], &["TOKEN_URL is not set", "USERINFO_URL is not set"]),
            (&[token, userinfo, ID, SECRET], &["AUTHORIZE_URL is not set"]),
            (&[authorize, token, userinfo, ID], &["CLIENT_SECRET is not set"]),
            (&[ISSUER, token, ID, SECRET], &["TOKEN_URL is set, but UPSTREAM_ISSUER is, too"]),
            (&[("ISSUER", "http://login.example.com"), ID, SECRET], &["ISSUER is \"http://login"]),
            (&[ISSUER, ID, SECRET, ("SCOPE", "a\tb")], &["SCOPE is \"a\\tb\""]),
            (&[("ISSUER", "https://a.example?b"), ID, SECRET], &["ISSUER is \"https://a"]),
            (&[authorize, ("TOKEN_URL", "x"), userinfo, ID, SECRET], &["TOKEN_URL is \"x\""]),
        ] {
            let Err(problems) = read(given) else { panic!("{given:?} is taken") };
            assert_eq!(problems.len(), wrong.len(), "{problems:?}");
            for (problem, says) in problems.iter().zip(wrong) {
                assert!(problem.starts_with(&format!("UPSTREAM_{says}")), "{problem}");
                assert!(!problem.contains("hush"), "{problem}");
            }
        }
    }
}
