//! The server as the programs of others see it: a browser, MCP Inspector and an OpenID provider. `make tools` installs them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../it"]
mod it {
    #[expect(dead_code, unused_imports, reason = "the tests in `it` use the rest")]
    pub(crate) mod support;
}

mod axe;
#[path = "../programs/chromium.rs"]
mod chromium;
#[path = "../programs/haproxy.rs"]
mod haproxy;
#[path = "../programs/oidc_provider.rs"]
mod oidc_provider;
#[path = "../programs/pages.rs"]
mod pages;
#[expect(dead_code, reason = "the tests in `e2e` use the rest")]
#[path = "../programs/running.rs"]
mod running;
#[path = "../programs/tools.rs"]
mod tools;
mod visit;

mod account;
mod apps;
mod consent_and_identity;
mod debugging_kit;
mod deny;
mod elicitation;
mod identity_is_remembered;
mod inspector_cli;
mod keyboard;
mod packaging;
mod pages_look_right;
mod programs_without_users;
mod prometheus;
mod splash;
mod status;
mod third_party;
mod upstream;
