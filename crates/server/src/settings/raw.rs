//! The settings as text: one flag and one environment variable each.
#![expect(clippy::doc_markdown, reason = "the comments are help texts")]

use clap::Args;

/// Declares the settings once: field, variable, help, and whether `stdio` heeds it.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident = $variable:literal
        $(, hide = $hide:literal)? $(=> $stdio:ident)?;)+) => {
        /// The settings as they were given. A flag beats the environment, which beats `.env`.
        #[derive(Args, Clone, Debug, Default)]
        pub(crate) struct RawSettings {
            $($(#[doc = $doc])+
            #[arg(long, env = $variable, value_name = $variable, global = true
                $(, hide_env_values = $hide)?)]
            pub(crate) $field: Option<String>,)+
        }

        impl RawSettings {
            /// The names of the variables.
            pub(crate) const VARIABLES: &'static [&'static str] = &[$($variable),+];

            /// Those that mean something without HTTP.
            pub(crate) fn of_stdio(&self) -> Self {
                let mut kept = Self::default();
                $($(kept.$field = settings!(@$stdio self.$field.clone());)?)+
                kept
            }

            /// Whether this variable is of one of them.
            pub(crate) fn is_of_stdio(variable: &str) -> bool {
                [$($(settings!(@$stdio $variable),)?)+].contains(&variable)
            }
        }
    };
    (@stdio $kept:expr) => { $kept };
}

settings! {
    /// The port to listen on; 0 takes a free one [default: 3232]
    port = "PORT";
    /// The addresses to listen on, separated by commas [default: 127.0.0.1,::1]
    host = "HOST";
    /// Speak TLS: a file with the server's certificate in PEM, followed by those that lead from it to
    /// a root. A renewed one is taken within seconds [default: none; plain HTTP]
    tls_cert = "TLS_CERT";
    /// And a file with its key
    tls_key = "TLS_KEY";
    /// The public URL, and the only source of every URL in the metadata
    /// [default: http://localhost:$PORT, with TLS_CERT https]
    base_uri = "BASE_URI";
    /// Where Redis is: redis://host:6379/0, redis+cluster://a:6379,b:6379 or
    /// redis+sentinel://a:26379,b:26379/mymaster; rediss in place of redis means TLS. Instances
    /// with the same one share everything [default: none; everything is kept in memory]
    redis_url = "REDIS_URL", hide = true;
    /// The password for it, which beats one in REDIS_URL [default: none]
    redis_password = "REDIS_PASSWORD", hide = true;
    /// Speak TLS to Redis: `on` or `off` [default: by the scheme of REDIS_URL]
    redis_tls = "REDIS_TLS";
    /// A file of certificates in PEM to trust for that [default: those the machine trusts]
    redis_tls_ca = "REDIS_TLS_CA";
    /// Who authenticates callers: `integrated` (this server is its own authorization server),
    /// `separate` (another one, at AUTH_SERVER_URL) or `none` (nobody; on loopback only)
    /// [default: integrated]
    auth_mode = "AUTH_MODE";
    /// The port of the standalone authorization server; 0 takes a free one [default: 3001]
    auth_server_port = "AUTH_SERVER_PORT";
    /// The authorization server that separate mode trusts, exactly as its metadata spells its
    /// issuer, and the issuer of the standalone one; https unless it is on loopback
    /// [default: http://localhost:$AUTH_SERVER_PORT, with TLS_CERT https]
    auth_server_url = "AUTH_SERVER_URL";
    /// The `resource` values an authorization server issues tokens for, separated by commas
    /// [default: BASE_URI, BASE_URI/mcp and BASE_URI/sse; standalone: any loopback URL]
    auth_resources = "AUTH_RESOURCES";
    /// The identity providers whose users may come without asking here, by an assertion of theirs
    /// (ID-JAG); issuer URLs, separated by commas [default: none]
    enterprise_issuers = "ENTERPRISE_ISSUERS";
    /// Whether a client that registers itself may get tokens for itself, without any user: `on` or
    /// `off` [default: off]
    open_client_credentials = "OPEN_CLIENT_CREDENTIALS";
    /// Whether proofs of possession (DPoP) must have a nonce of this server: `on` or `off`
    /// [default: off]
    dpop_nonces = "DPOP_NONCES";
    /// A JSON file with clients that are known from the start and never forgotten
    /// [default: none]
    clients_file = "CLIENTS_FILE";
    /// Whether a client may be known by the URL of a document about it (a Client ID Metadata
    /// Document): `on`, `off`, or only if that is on one of these hosts, separated by commas
    /// [default: on]
    client_metadata_documents = "CLIENT_METADATA_DOCUMENTS";
    /// Separate mode: how tokens are checked. `introspection` asks the authorization server, `jwt`
    /// checks signatures with its keys, `auto` does the latter with tokens that are JWTs, if it has
    /// keys [default: auto]
    token_check = "TOKEN_CHECK";
    /// Separate mode: what the tokens for this server have in `aud`, or in another claim with its
    /// name before it like `client_id=abc`; several values are separated by commas
    /// [default: the URL of the resource, which is what RFC 8707 asks of a provider]
    token_audience = "TOKEN_AUDIENCE";
    /// Separate mode: who asks the authorization server about tokens
    /// [default: registers itself where there is a registration endpoint]
    introspection_client_id = "INTROSPECTION_CLIENT_ID";
    /// The secret of that client [default: none]
    introspection_client_secret = "INTROSPECTION_CLIENT_SECRET", hide = true;
    /// The identity provider that says who users are, by its OpenID issuer, like
    /// `https://login.example.com`. Register BASE_URI/upstream/callback there
    /// [default: none; a fake one believes everybody]
    upstream_issuer = "UPSTREAM_ISSUER";
    /// For a provider that speaks plain OAuth 2.0, in place of UPSTREAM_ISSUER: where users sign in
    upstream_authorize_url = "UPSTREAM_AUTHORIZE_URL";
    /// And where its codes are redeemed
    upstream_token_url = "UPSTREAM_TOKEN_URL";
    /// And where it says who a user is: JSON with a `sub` or an `id`
    upstream_userinfo_url = "UPSTREAM_USERINFO_URL";
    /// The client_id of this server at the provider
    upstream_client_id = "UPSTREAM_CLIENT_ID";
    /// The client_secret of this server at the provider
    upstream_client_secret = "UPSTREAM_CLIENT_SECRET", hide = true;
    /// The scopes to ask the provider for, separated by spaces
    /// [default: openid, or none with plain OAuth 2.0]
    upstream_scope = "UPSTREAM_SCOPE";
    /// Keys that sign what the server must recognize again, separated by commas, each of at least
    /// 32 characters; the first signs, the others still verify
    /// [default: made once and kept in the store]
    secret_keys = "SECRET_KEYS", hide = true => stdio;
    /// How long a session lives after it was last used, like `300`, `300s` or `5m` [default: 300s]
    session_ttl = "SESSION_TTL";
    /// The hosts a request may name, like `mcp.example.com` or `mcp.example.com:8443`, separated
    /// by commas [default: BASE_URI's and loopback]
    allowed_hosts = "ALLOWED_HOSTS";
    /// The origins of browsers, like `https://app.example.com` or `http://localhost:*`, separated
    /// by commas [default: BASE_URI's and loopback on any port]
    allowed_origins = "ALLOWED_ORIGINS";
    /// The proxies whose X-Forwarded-For is believed, like `10.0.0.0/8`, separated by commas
    /// [default: none]
    trusted_proxies = "TRUSTED_PROXIES";
    /// How often what may be asked: `off`, or counts per time of limits that are to be other than
    /// usual, like `requests=6000/1m,register=off`, separated by commas
    /// [default: requests=1200000/1m,sessions=120000/1m,register=3000/1m,authorize=12000/1m,
    /// failures=3000/1m,client=12000/1m,introspect=600000/1m,connections=16000]
    rate_limits = "RATE_LIMITS";
    /// Add the fixtures of the official conformance suite: `on` or `off` [default: off]
    conformance = "CONFORMANCE" => stdio;
    /// Add tools that misbehave on demand, for those who write clients: `on` or `off`
    /// [default: off]
    fault_tools = "FAULT_TOOLS" => stdio;
    /// After SIGTERM: how long requests are still taken while /readyz is red [default: 1s]
    drain_delay = "DRAIN_DELAY";
    /// After that: how long running calls may take [default: 25s]
    drain_timeout = "DRAIN_TIMEOUT";
    /// How many threads answer requests. Where several instances share a machine, each with its share
    /// of the cores takes less of them for a request [default: one for each core]
    worker_threads = "WORKER_THREADS";
    /// Where traces are sent, by OTLP over HTTP: the URL of a collector, to which `/v1/traces` is added
    /// [default: none; nothing is exported]
    otel_exporter_otlp_endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";
    /// Headers for it, like `authorization=Bearer%20abc`, separated by commas [default: none]
    otel_exporter_otlp_headers = "OTEL_EXPORTER_OTLP_HEADERS", hide = true;
    /// How long it may take to answer, in milliseconds [default: 10000]
    otel_exporter_otlp_timeout = "OTEL_EXPORTER_OTLP_TIMEOUT";
    /// What this server is called there [default: mcp-everything]
    otel_service_name = "OTEL_SERVICE_NAME";
    /// What else is said of it there, like `deployment.environment.name=test`, separated by commas
    /// [default: its version and the name of the instance]
    otel_resource_attributes = "OTEL_RESOURCE_ATTRIBUTES";
    /// Which traces are kept: `always_on`, `always_off`, `traceidratio`, or one of them with
    /// `parentbased_` before it, for those that no caller has decided on
    /// [default: parentbased_always_on]
    otel_traces_sampler = "OTEL_TRACES_SAMPLER";
    /// The share of them for `traceidratio`, from 0 to 1 [default: 1]
    otel_traces_sampler_arg = "OTEL_TRACES_SAMPLER_ARG";
    /// How log lines are written: `json` or `pretty` [default: pretty on a terminal, else json]
    log_format = "LOG_FORMAT" => stdio;
    /// Which log lines are written, like `debug` or `info,mcp_everything_transport=debug`
    /// [default: info]
    rust_log = "RUST_LOG" => stdio;
}
