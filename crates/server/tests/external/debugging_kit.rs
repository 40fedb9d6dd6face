//! The scripts in `scratch/`: each step of them compares what it is answered with what it must be.

use std::{path::Path, process::Command};

use tokio::task::spawn_blocking;

use crate::it::support::{Deployment, Server};

#[tokio::test]
async fn the_oauth_flow_is_walked() {
    for on in [Deployment::one_in_memory(), Deployment::separate_in_memory()] {
        let server = on.start();
        let said = run("oauth.sh", &server, &[]).await;
        assert!(said.contains("All twelve steps went as"), "{said}");
    }
}

#[tokio::test]
async fn every_wire_is_shown() {
    for on in [Deployment::one_in_memory(), Deployment::three_on_redis()] {
        let server = on.start();
        let said = run("debug-mcp-flow.sh", &server, &[]).await;
        assert!(said.contains("Every answer was what it must be."), "{said}");
        assert!(!said.contains("Bearer"), "the token is not shown");
    }
}

#[tokio::test]
async fn one_that_is_answered_wrong_says_so() {
    let server = Server::open();
    let script = script("oauth.sh");
    let mut command = Command::new(script);
    command.arg(server.url("")).env("LC_ALL", "C");
    let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("oauth.sh: the endpoint: 400 instead of 401"), "{said}");
}

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scratch").join(name)
}

/// What a script says, which must succeed.
async fn run(name: &str, server: &Server, arguments: &[&str]) -> String {
    let mut command = Command::new(script(name));
    command.args(arguments).arg(server.url("")).env("LC_ALL", "C");
    let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}
