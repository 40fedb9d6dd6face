//! What others read: the Dockerfile, the Compose file and the workflows.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use super::{checker, dockerfile::dockerfile, path, read, said, seconds_to_leave, settings, yaml};
use crate::tools::program;

#[test]
fn hadolint_has_nothing_against_the_dockerfile() {
    said(checker("hadolint").args(["--no-color", "deploy/Dockerfile"]));
}

/// What the image is built from is in what is sent to be built, and nothing else is.
#[test]
fn what_is_built_from_is_what_is_sent() {
    let ignored = read(".dockerignore");
    let mut lines = ignored.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"));
    let sent: Vec<_> = lines.map(|line| line.strip_prefix("!/").unwrap()).collect();
    for name in &sent {
        assert!(path(name).exists(), "{name}");
    }
    let manifest = read("Cargo.toml");
    let members = manifest.lines().find_map(|line| line.strip_prefix("members = ")).unwrap();
    let members: Vec<&str> = serde_json::from_str(members).unwrap();
    for name in members.iter().chain(&["Cargo.toml", "Cargo.lock", "tools/static.sh"]) {
        assert!(sent.contains(&name.trim_end_matches("/*")), "{name} is not sent");
    }
}

fn compose(arguments: &[&str]) -> Value {
    let mut command = checker("docker-compose");
    command.args(arguments).args(["config", "--format", "json"]);
    serde_json::from_str(&said(&mut command)).unwrap()
}

#[test]
fn compose_starts_redis_alone_unless_it_is_told_to_start_all() {
    let services = compose(&[])["services"].as_object().unwrap().clone();
    assert_eq!(services.keys().collect::<Vec<_>>(), ["redis"]);
    let all = compose(&["--profile", "cluster"]);
    let mut services: Vec<_> = all["services"].as_object().unwrap().keys().cloned().collect();
    services.sort();
    assert_eq!(services, ["haproxy", "one", "redis", "three", "two"]);
}

#[test]
fn what_compose_starts_agrees_with_the_image_and_the_server() {
    let (_, image) = dockerfile();
    let all = compose(&["--profile", "cluster"]);
    let services = &all["services"];
    for service in ["one", "two", "three"].map(|name| &services[name]) {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(service["image"], format!("mcp-everything:{version}"));
        assert_eq!(service["build"]["dockerfile"], "deploy/Dockerfile");
        let environment = image.environment.clone().into_iter().chain(environment(service));
        let leaves = seconds_to_leave(&settings(&environment.collect::<Vec<_>>()));
        let patience = service["stop_grace_period"].as_str().unwrap();
        let patience: u64 = patience.strip_suffix('s').unwrap().parse().unwrap();
        assert!(patience >= leaves + 10, "{patience} s are too few for {leaves} s");
        assert!(service.get("ports").is_none(), "only the balancer asks it");
    }
    for service in services.as_object().unwrap().values() {
        let image = service["image"].as_str().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{image}");
    }

    // The balancer finds the instances, where the image listens.
    let balancer = &services["haproxy"];
    let told = environment(balancer);
    for (number, name) in [("ONE", "one"), ("TWO", "two"), ("THREE", "three")] {
        let is_told = |name: String, value: &str| told.contains(&(name, value.to_owned()));
        assert!(is_told(format!("HOST_{number}"), name), "{number}");
        assert!(is_told(format!("PORT_{number}"), &image.port), "{number}");
    }
    let mut haproxy = Command::new(program("haproxy"));
    said(haproxy.args(["-c", "-f"]).arg(path("deploy/haproxy.cfg")).envs(told));
}

/// What shows what the instances do is started beside them, from files that are there.
#[test]
fn what_watches_the_instances_is_started_beside_them() {
    let beside = "deploy/observability/compose.yml";
    let files = ["-f", "docker-compose.yml", "-f", beside, "--profile", "cluster"];
    let services = compose(&files)["services"].clone();
    for name in ["one", "two", "three"] {
        let told = environment(&services[name]);
        let is_told = |name: &str| told.iter().any(|(each, _)| each == name);
        assert!(is_told("CLIENTS_FILE") && is_told("BASE_URI") && is_told("REDIS_URL"), "{name}");
    }
    for name in ["prometheus", "grafana", "jaeger"] {
        let image = services[name]["image"].as_str().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{image}");
        for port in services[name]["ports"].as_array().unwrap() {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name} is for this computer");
        }
    }
    let volumes =
        services.as_object().unwrap().values().filter_map(|one| one["volumes"].as_array());
    for volume in volumes.flatten() {
        let source = volume["source"].as_str().unwrap();
        assert!(Path::new(source).exists(), "{source}");
    }
    for file in ["datasources/prometheus.yml", "dashboards/dashboards.yml"] {
        let file = format!("deploy/observability/grafana/provisioning/{file}");
        assert_eq!(yaml(&file)[0]["apiVersion"], 1, "{file}");
    }
}

fn environment(service: &Value) -> Vec<(String, String)> {
    let pairs = service["environment"].as_object().unwrap();
    pairs.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

/// Each action is named by a commit, which nobody can move, and each target is there.
#[test]
fn the_workflows_are_right() {
    let mut workflows = Vec::new();
    for entry in fs::read_dir(path(".github/workflows")).unwrap() {
        workflows.push(entry.unwrap().path());
    }
    said(checker("actionlint").arg("-no-color").args(&workflows));
    let makefile = read("Makefile");
    for file in workflows {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines() {
            if let Some((_, action)) = line.split_once("uses: ") {
                let (_, commit) = action.split_once('@').unwrap();
                let (commit, version) = commit.split_once(" # v").unwrap();
                let is_one =
                    commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(is_one && !version.is_empty(), "{line}");
            }
            if let Some((_, target)) = line.split_once("run: make ") {
                assert!(makefile.contains(&format!("\n{target}:")), "{line}");
            }
        }
    }
}
