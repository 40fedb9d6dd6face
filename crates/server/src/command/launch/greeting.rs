//! What people are told when servers come and go, in place of the lines for machines.

use std::{fmt::Write as _, path::Path};

use crate::{
    http::{Connect, TokenFrom, shell},
    settings::{AuthMode, LogFormat, Role, Settings},
};

/// How it is told that servers come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    /// As lines of the log.
    Lines,
    /// As a text, to people.
    Text,
}

impl Telling {
    /// The log is pretty for people. Whoever wants no lines of this level wants no text.
    pub(super) fn of(settings: &Settings) -> Self {
        let for_people = settings.log_format == LogFormat::Pretty;
        if for_people && tracing::enabled!(tracing::Level::INFO) { Self::Text } else { Self::Lines }
    }
}

/// What this program is called with.
pub(super) fn program() -> String {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&name);
    if name.as_os_str().is_empty() {
        return "mcp-everything".to_owned();
    }
    shell(&name.to_string_lossy())
}

/// Where the servers of this process are, what they keep, and what to do next.
pub(super) fn welcome(servers: &[Settings], program: &str) -> String {
    let mut text = String::from("\n");
    let Some(main) = servers.iter().find(|one| one.role == Role::McpServer).or(servers.first())
    else {
        return text;
    };
    let (rows, next) = match main.role {
        Role::McpServer => of_mcp_server(main, servers, program),
        Role::AuthServer => of_auth_server(main, program),
    };
    let what = match main.role {
        Role::McpServer => "",
        Role::AuthServer => ": its authorization server",
    };
    // Writing to a string cannot fail.
    let _ =
        writeln!(text, "  MCP Everything Server {}{what} is ready.\n", env!("CARGO_PKG_VERSION"));
    for (name, what) in rows {
        let _ = writeln!(text, "  {name:<9} {what}");
    }
    let _ = writeln!(text, "\n  Next, in another terminal:\n");
    for (command, what) in next {
        let _ = writeln!(text, "    {command}\n        {what}");
    }
    let _ = write!(text, "\n  Ctrl-C ends it.\n");
    text
}

type Rows = Vec<(&'static str, String)>;
type Next = Vec<(String, &'static str)>;

fn of_mcp_server(settings: &Settings, servers: &[Settings], program: &str) -> (Rows, Next) {
    let base = &settings.base_uri;
    let connect = Connect::to(settings);
    let rows = vec![
        ("Page", format!("{}   how to connect each client, and what there is", base.join("/"))),
        ("MCP", format!("{}   over Streamable HTTP", connect.endpoint())),
        ("Status", format!("{}   what goes on, live", base.join("/status"))),
        ("Sign-in", sign_in(settings, servers)),
        ("Kept", kept(settings, servers)),
    ];
    let mut next = vec![(
        connect.inspector(),
        "opens MCP Inspector: press the switch of this server, and call a tool",
    )];
    if connect.token_from() == TokenFrom::Login {
        let login = format!("{program} login --server {}", shell(base.as_str()));
        next.push((login, "prints an access token, for curl and scripts"));
    }
    (rows, next)
}

fn of_auth_server(settings: &Settings, program: &str) -> (Rows, Next) {
    let issuer = settings.base_uri.as_str();
    let rows = vec![
        ("Issuer", issuer.to_owned()),
        ("Metadata", settings.base_uri.well_known("oauth-authorization-server", "")),
        ("Health", settings.base_uri.join("/readyz")),
        ("Sign-in", users(settings)),
        ("Kept", kept(settings, std::slice::from_ref(settings))),
    ];
    let url = shell(issuer);
    let serve = format!("AUTH_MODE=separate AUTH_SERVER_URL={url} {program} serve");
    (rows, vec![(serve, "starts an MCP server that trusts it")])
}

fn sign_in(settings: &Settings, servers: &[Settings]) -> String {
    let mode = settings.auth_mode.as_str();
    match settings.auth_mode {
        AuthMode::Integrated => users(settings),
        AuthMode::Separate => {
            let issuer = settings.auth_server.issuer.as_str();
            let here = servers.iter().find(|one| one.role == Role::AuthServer);
            let whose = if here.is_some() { "in this process" } else { "which must be running" };
            format!("at {issuer}, {whose} (AUTH_MODE={mode})")
        }
        AuthMode::None => format!("nobody has to: every caller is `anonymous` (AUTH_MODE={mode})"),
    }
}

/// Who says who the users of an authorization server are.
fn users(settings: &Settings) -> String {
    match &settings.upstream {
        None => "any user id will do: the identity provider is a fake one, for testing".to_owned(),
        Some(provider) => format!("at {}", provider.host()),
    }
}

fn kept(settings: &Settings, servers: &[Settings]) -> String {
    match &settings.redis {
        Some(redis) if servers.iter().any(|one| one.redis.is_none()) => {
            format!("in Redis at {redis}; logins in memory alone, and lost at the end")
        }
        Some(redis) => format!("in Redis at {redis}; it outlives this process"),
        None => "in memory: sessions, logins and tokens are lost at the end (REDIS_URL keeps them)"
            .to_owned(),
    }
}

/// The last line.
pub(super) fn goodbye(servers: &[Settings]) -> String {
    let lost = servers.iter().any(|one| one.redis.is_none());
    let what = if lost { "What was in memory is gone." } else { "Redis has what was kept." };
    format!("\nGoodbye. {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::RawSettings;

    fn settings(role: Role, change: impl FnOnce(&mut RawSettings)) -> Settings {
        let mut raw = RawSettings::default();
        change(&mut raw);
        Settings::from_raw(&raw, role).unwrap_or_else(|_| panic!("{raw:?}"))
    }

    #[track_caller]
    fn says(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn the_usual_start_says_all_a_newcomer_needs() {
        let text = welcome(&[settings(Role::McpServer, |_| {})], "target/release/mcp-everything");
        says(
            &text,
            &[
                "http://localhost:3232/ ",
                "http://localhost:3232/mcp ",
                "@modelcontextprotocol/inspector",
                "--server-url http://localhost:3232/mcp",
                "target/release/mcp-everything login --server http://localhost:3232\n",
                "any user id",
                "lost at the end",
                "Ctrl-C",
            ],
        );
        assert!(text.lines().count() < 25, "{text}");
    }

    #[test]
    fn each_mode_says_who_signs_in_where() {
        let none = settings(Role::McpServer, |raw| raw.auth_mode = Some("none".into()));
        let text = welcome(&[none], "x");
        says(&text, &["anonymous", "AUTH_MODE=none"]);
        assert!(!text.contains("x login"), "{text}");

        let separate = settings(Role::McpServer, |raw| {
            raw.auth_mode = Some("separate".into());
            raw.redis_url = Some("redis://:hush@localhost".into());
        });
        let text = welcome(std::slice::from_ref(&separate), "x");
        says(&text, &["http://localhost:3001", "must be running", "Redis", "outlives"]);
        assert!(!text.contains("hush"), "{text}");

        let auth_server = settings(Role::AuthServer, |_| {});
        let both = [auth_server.clone(), separate];
        says(&welcome(&both, "x"), &["in this process", "logins in memory"]);
        says(&goodbye(&both), &["Goodbye", "gone"]);

        let text = welcome(&[auth_server], "x");
        says(&text, &["http://localhost:3001/.well-known/oauth-authorization-server"]);
        says(&text, &["AUTH_MODE=separate AUTH_SERVER_URL=http://localhost:3001 x serve"]);
    }

    #[test]
    fn the_last_line_is_one() {
        let kept = settings(Role::McpServer, |raw| raw.redis_url = Some("redis://x".into()));
        assert_eq!(goodbye(&[kept]), "\nGoodbye. Redis has what was kept.");
    }
}
