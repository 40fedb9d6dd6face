//! The scripts and clients in `scratch/`: each step of them compares what it is answered with what it
//! must be.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use tokio::task::spawn_blocking;

use crate::it::support::{Deployment, Server};

#[tokio::test]
async fn the_oauth_flow_is_walked() {
    for on in [Deployment::one_in_memory(), Deployment::separate_in_memory()] {
        let server = on.start();
        let said = succeeds(script("oauth.sh"), &server).await;
        assert!(said.contains("All twelve steps went as"), "{said}");
    }
}

#[tokio::test]
async fn every_wire_is_shown() {
    for on in [Deployment::one_in_memory(), Deployment::three_on_redis()] {
        let server = on.start();
        let said = succeeds(script("debug-mcp-flow.sh"), &server).await;
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

#[tokio::test]
async fn the_client_without_an_sdk_speaks_both_wires() {
    for on in [Deployment::three_on_redis(), Deployment::separate_in_memory()] {
        let said = succeeds(example("simple-test-client"), &on.start()).await;
        assert!(said.contains("Every answer was what it must be."), "{said}");
        assert!(!said.contains("mca_"), "the token is not shown");
    }
}

#[tokio::test]
async fn the_client_with_an_sdk_speaks_both_wires() {
    for on in [Deployment::three_on_redis(), Deployment::separate_in_memory()] {
        let said = succeeds(example("test-shttp-client"), &on.start()).await;
        assert!(said.contains("Everything was there."), "{said}");
        assert!(said.contains("the server asks the user"), "{said}");
    }
}

#[tokio::test]
async fn a_client_that_is_answered_wrong_says_so() {
    for name in ["simple-test-client", "test-shttp-client"] {
        let server = Server::open();
        let mut command = Command::new(example(name));
        command.arg(server.url(""));
        let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(!output.status.success(), "{output:?}");
    }
}

/// What is built beside the tests.
fn example(name: &str) -> PathBuf {
    let built =
        Path::new(env!("CARGO_BIN_EXE_mcp-everything")).with_file_name("examples").join(name);
    assert!(built.is_file(), "{} is built with all that is tested", built.display());
    built
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scratch").join(name)
}

/// What a program says of a server, which must succeed.
async fn succeeds(program: PathBuf, server: &Server) -> String {
    let mut command = Command::new(program);
    command.arg(server.url("")).env("LC_ALL", "C");
    let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    said
}
