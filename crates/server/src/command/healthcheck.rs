//! `mcp-everything healthcheck`

use std::{process::ExitCode, time::Duration};

use super::{fail, print};
use crate::{
    net::{self, Others},
    settings::Settings,
};

const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn run(settings: &Settings) -> ExitCode {
    let Some(host) = settings.hosts.first() else { return fail("there is no HOST to ask") };
    // An address that takes requests for every address is asked on loopback.
    let host = match host {
        std::net::IpAddr::V4(v4) if v4.is_unspecified() => "127.0.0.1".to_owned(),
        std::net::IpAddr::V6(v6) if v6.is_unspecified() => "[::1]".to_owned(),
        std::net::IpAddr::V4(v4) => v4.to_string(),
        std::net::IpAddr::V6(v6) => format!("[{v6}]"),
    };
    // Nobody signs plain HTTP: whoever runs it in a container of nothing but the binary has no
    // certificates of authorities there.
    let mut client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().tls_certs_only([]);
    let mut scheme = "http";
    if let Some(files) = &settings.tls {
        client = match net::trusting(files, Others::Nobody) {
            Ok(tls) => client.tls_backend_preconfigured(tls),
            Err(why) => return fail(&format!("TLS_CERT is of no use: {why}")),
        };
        scheme = "https";
    }
    let url = format!("{scheme}://{host}:{}/readyz", settings.port);
    let answer = match client.build() {
        Ok(client) => client.get(&url).send().await,
        Err(error) => return fail(&format!("no HTTP client: {error}")),
    };
    match answer {
        Ok(answer) if answer.status().is_success() => {
            print("ready");
            ExitCode::SUCCESS
        }
        Ok(answer) => fail(&format!("{url} answers {}", answer.status())),
        Err(error) => fail(&format!("{url} does not answer: {}", net::reason(&error))),
    }
}
