//! The files in `deploy/` and `.github/`, tried as far as that goes without a cluster: what is written
//! for Docker and systemd runs in a root of its own, as they would run it; proxies are before the server;
//! and what others would read is read by their own checkers.

mod dockerfile;
mod image;
mod kubernetes;
mod proxies;
mod root;
mod unit;
mod written;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::tools::missing;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn path(of: &str) -> PathBuf {
    Path::new(ROOT).join(of)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap()
}

/// A program in `tools/python/packaging`, run at the root of the workspace.
fn checker(name: &str) -> Command {
    let program = path("tools/python/packaging/bin").join(name);
    if !program.is_file() {
        missing(name);
    }
    let mut command = Command::new(program);
    command.current_dir(ROOT);
    command
}

/// What a command says, which must succeed.
#[track_caller]
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}

/// The documents of a YAML file.
fn yaml(file: &str) -> Vec<Value> {
    let script = "import json, sys, yaml; \
        print(json.dumps([d for d in yaml.safe_load_all(open(sys.argv[1])) if d]))";
    let text = said(checker("python").args(["-c", script, file]));
    serde_json::from_str(&text).unwrap()
}

/// What settings come to, each by its name: they are taken by the server.
fn settings(environment: &[(String, String)]) -> Vec<(String, String)> {
    let mut command = crate::it::support::binary();
    let text = said(command.arg("check-config").envs(environment.iter().cloned()));
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// How long an instance with these settings may take to leave, in seconds.
fn seconds_to_leave(settings: &[(String, String)]) -> u64 {
    let seconds = |name: &str| {
        let (_, value) = settings.iter().find(|(each, _)| each == name).unwrap();
        value.strip_suffix('s').unwrap().parse::<u64>().unwrap()
    };
    seconds("DRAIN_DELAY") + seconds("DRAIN_TIMEOUT")
}
