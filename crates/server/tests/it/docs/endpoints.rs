//! The table of endpoints in README.md.

use http::StatusCode;

use crate::{
    docs::read,
    support::{Server, sources},
};

/// What belongs to a page and is no endpoint.
const OF_PAGES: [&str; 3] = ["/auth-assets/", "/favicon.ico", "/splash."];

/// Every path behind `.route("` in the sources.
fn routed() -> Vec<String> {
    let mut routed = Vec::new();
    for source in sources() {
        // Examples in documentation are other servers.
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n");
        let behind = code.split(".route(\"").skip(1);
        for rest in behind.chain(code.split(".route_service(\"").skip(1)) {
            routed.push(rest.split('"').next().unwrap_or_default().to_owned());
        }
    }
    routed.sort();
    routed.dedup();
    assert!(routed.len() > 15, "{routed:?}");
    routed
}

/// The paths in so many columns of the table.
fn listed(columns: usize) -> Vec<String> {
    let readme = read("README.md");
    let table = readme.split("\n## Endpoints\n").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows = table.lines().filter_map(|row| row.strip_prefix("| "));
    let cells = rows.flat_map(|row| row.split(" | ").take(columns));
    let paths = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let paths: Vec<_> = paths.filter(|path| path.starts_with('/')).map(str::to_owned).collect();
    assert!(paths.len() > 15, "{paths:?}");
    paths
}

#[test]
fn every_route_is_among_the_endpoints() {
    let listed = listed(2);
    for path in routed() {
        let known = listed.iter().any(|listed| {
            let below = path.strip_prefix(listed.as_str());
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') && *listed != "/")
        });
        let of_a_page = OF_PAGES.iter().any(|page| path.starts_with(page));
        assert!(known || of_a_page, "{path} is not among the endpoints of README.md");
    }
}

#[tokio::test]
async fn every_endpoint_is_there() {
    let fake = Server::start();
    let real = Server::with(&[
        ("UPSTREAM_AUTHORIZE_URL", "http://127.0.0.1:9/authorize"),
        ("UPSTREAM_TOKEN_URL", "http://127.0.0.1:9/token"),
        ("UPSTREAM_USERINFO_URL", "http://127.0.0.1:9/user"),
        ("UPSTREAM_CLIENT_ID", "everything"),
        ("UPSTREAM_CLIENT_SECRET", "a-secret-of-an-example"),
    ]);
    let client = reqwest::Client::builder().build().unwrap();
    for path in listed(1).iter().map(|path| path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAAAA")) {
        let server = if path.starts_with("/upstream/") { &real } else { &fake };
        // Nothing takes it, and only what is there says so.
        let status = client.put(server.url(&path)).send().await.unwrap().status();
        assert!(status.is_client_error() && status != StatusCode::NOT_FOUND, "{path}: {status}");
    }
    let asked = client.put(fake.url("/no/such/path")).send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::NOT_FOUND);
}
