//! How each client is told of this server. Everything is made from `BASE_URI`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::settings::{AuthMode, Settings};

/// What clients call the server, where they need a name.
const NAME: &str = "mcp-everything";

/// Where somebody without a client gets a token from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenFrom {
    /// No token is needed.
    Nowhere,
    /// `mcp-everything login` walks through the pages.
    Login,
    /// A real identity provider wants to see its users.
    Client,
}

/// The endpoint, as clients are told of it.
#[derive(Clone, Debug)]
pub(crate) struct Connect {
    base: String,
    endpoint: String,
    token_from: TokenFrom,
    reachable_from_afar: bool,
}

impl Connect {
    /// To the server with these settings.
    pub(crate) fn to(settings: &Settings) -> Self {
        let fake = settings.upstream.is_none();
        let token_from = match settings.auth_mode {
            AuthMode::None => TokenFrom::Nowhere,
            AuthMode::Integrated if fake => TokenFrom::Login,
            // What runs beside this server is most likely of this project.
            AuthMode::Separate if settings.trusts_a_neighbour() => TokenFrom::Login,
            AuthMode::Integrated | AuthMode::Separate => TokenFrom::Client,
        };
        Self {
            base: settings.base_uri.as_str().to_owned(),
            endpoint: settings.base_uri.join("/mcp"),
            token_from,
            reachable_from_afar: !settings.is_local() && settings.base_uri.is_https(),
        }
    }

    /// The URL of the endpoint.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn token_from(&self) -> TokenFrom {
        self.token_from
    }

    /// Whether a client that runs in somebody's cloud can come.
    pub(crate) fn is_reachable_from_afar(&self) -> bool {
        self.reachable_from_afar
    }

    /// A command that opens MCP Inspector in the browser, with this server in its list.
    pub(crate) fn inspector(&self) -> String {
        let url = shell(&self.endpoint);
        format!("npx -y @modelcontextprotocol/inspector --transport http --server-url {url}")
    }

    /// A command that makes Claude Code know the server.
    pub(crate) fn claude_code(&self) -> String {
        format!("claude mcp add --transport http {NAME} {}", shell(&self.endpoint))
    }

    /// The same for VS Code.
    pub(crate) fn vs_code(&self) -> String {
        format!("code --add-mcp {}", shell(&self.vs_code_entry()))
    }

    /// A link that VS Code opens.
    pub(crate) fn vs_code_link(&self) -> String {
        format!("vscode:mcp/install?{}", percent_encoded(&self.vs_code_entry()))
    }

    fn vs_code_entry(&self) -> String {
        json!({ "name": NAME, "type": "http", "url": self.endpoint }).to_string()
    }

    /// What `mcp.json` of Cursor has.
    pub(crate) fn cursor(&self) -> String {
        let config = json!({ "mcpServers": { NAME: { "url": self.endpoint } } });
        format!("{config:#}")
    }

    /// A link that Cursor opens.
    pub(crate) fn cursor_link(&self) -> String {
        let config = STANDARD.encode(json!({ "url": self.endpoint }).to_string());
        let config = percent_encoded(&config);
        format!("cursor://anysphere.cursor-deeplink/mcp/install?name={NAME}&config={config}")
    }

    /// What the configuration of a client has that starts the server itself.
    pub(crate) fn stdio() -> String {
        let config = json!({ "mcpServers": { NAME: { "command": NAME, "args": ["stdio"] } } });
        format!("{config:#}")
    }

    /// A session by curl, from the handshake to a call; for `sh` with a curl of 7.84 or newer.
    pub(crate) fn curl(&self) -> String {
        let (base, url) = (shell(&self.base), shell(&self.endpoint));
        let token = match self.token_from {
            TokenFrom::Nowhere => String::new(),
            TokenFrom::Login => format!("TOKEN=$(mcp-everything login --server {base})\n"),
            TokenFrom::Client => "TOKEN=...   # an access token for this server\n".to_owned(),
        };
        let header = match self.token_from {
            TokenFrom::Nowhere => "",
            TokenFrom::Login | TokenFrom::Client => "-H \"Authorization: Bearer $TOKEN\" ",
        };
        let message = |id: Option<u8>, method: &str, params: serde_json::Value| {
            let mut message = json!({ "jsonrpc": "2.0" });
            if let Some(id) = id {
                message["id"] = id.into();
            }
            message["method"] = method.into();
            if !params.is_null() {
                message["params"] = params;
            }
            shell(&message.to_string())
        };
        let client = json!({ "name": "curl", "version": "1" });
        let initialize = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client
        });
        let echo = json!({ "name": "echo", "arguments": { "message": "hello" } });
        format!(
            "{token}ask() {{ curl -sS {url} {header}-H 'Content-Type: application/json' \\\n  \
             -H 'Accept: application/json, text/event-stream' \"$@\"; }}\n\
             SESSION=$(ask -o /dev/null -w '%header{{mcp-session-id}}' -d {})\n\
             ask -H \"Mcp-Session-Id: $SESSION\" -d {}\n\
             ask -H \"Mcp-Session-Id: $SESSION\" -d {}\n",
            message(Some(1), "initialize", initialize),
            message(None, "notifications/initialized", serde_json::Value::Null),
            message(Some(2), "tools/call", echo),
        )
    }
}

/// A word of a command line for any shell of a Unix.
pub(crate) fn shell(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// As `encodeURIComponent` of a browser reads it. Texts with spaces would need more.
fn percent_encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{RawSettings, Role};

    fn connect(change: impl FnOnce(&mut RawSettings)) -> Connect {
        let mut raw = RawSettings::default();
        change(&mut raw);
        let settings = Settings::from_raw(&raw, Role::McpServer);
        Connect::to(&settings.unwrap_or_else(|_| panic!("{raw:?}")))
    }

    /// What a link has as its parameters.
    fn decoded(query: &str) -> String {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.next().unwrap().0.into_owned()
    }

    #[test]
    fn links_carry_what_the_clients_read() {
        let connect = connect(|raw| raw.base_uri = Some("https://mcp.example.com/a'b".into()));
        let url = "https://mcp.example.com/a'b/mcp";
        let link = connect.vs_code_link();
        let entry = decoded(link.strip_prefix("vscode:mcp/install?").unwrap());
        let entry: serde_json::Value = serde_json::from_str(&entry).unwrap();
        assert_eq!(entry, json!({ "name": "mcp-everything", "type": "http", "url": url }));

        let link = url::Url::parse(&connect.cursor_link()).unwrap();
        assert_eq!(link.scheme(), "cursor");
        let pairs: std::collections::HashMap<_, _> = link.query_pairs().into_owned().collect();
        assert_eq!(pairs["name"], "mcp-everything");
        let config = STANDARD.decode(&pairs["config"]).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(config, json!({ "url": url }));
        assert!(connect.is_reachable_from_afar());
    }

    #[test]
    fn commands_are_quoted_for_the_shell() {
        assert_eq!(shell("http://localhost:3232/mcp"), "http://localhost:3232/mcp");
        assert_eq!(shell("http://[::1]:3232"), "'http://[::1]:3232'");
        assert_eq!(shell("a'b $(c)"), r"'a'\''b $(c)'");
        assert_eq!(shell(""), "''");
        let connect = connect(|_| {});
        assert_eq!(
            connect.vs_code(),
            r#"code --add-mcp '{"name":"mcp-everything","type":"http","url":"http://localhost:3232/mcp"}'"#
        );
        assert!(!connect.is_reachable_from_afar());
    }

    #[test]
    fn a_token_is_asked_for_where_one_is_needed() {
        let curl = connect(|_| {}).curl();
        assert!(curl.starts_with("TOKEN=$(mcp-everything login --server http://localhost:3232)\n"));
        assert!(curl.contains("Bearer $TOKEN"));
        let open = connect(|raw| raw.auth_mode = Some("none".into())).curl();
        assert!(!open.contains("TOKEN"), "{open}");
        let elsewhere = connect(|raw| {
            raw.auth_mode = Some("separate".into());
            raw.auth_server_url = Some("https://auth.example.com".into());
        });
        assert_eq!(elsewhere.token_from(), TokenFrom::Client);
        assert!(elsewhere.curl().starts_with("TOKEN=..."));
    }
}
