//! The systemd unit: systemd takes it, and what it starts needs no more than it allows.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Command, ExitStatus},
};

use super::{path, read, root::Root, said};
use crate::{
    it::support::{Mcp, Server, free_port, soon},
    running::Running,
    tools::program,
};

const UNIT: &str = "deploy/mcp-everything.service";
/// One of those that systemd gives to units with `DynamicUser=`.
const DYNAMIC_USER: [u32; 2] = [61_184, 61_184];

/// The values of a key, in their order.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    let lines = unit.lines().filter_map(|line| line.split_once('='));
    lines.filter(|(name, _)| *name == key).map(|(_, value)| value).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A machine on which the unit is installed as it says.
fn installed() -> (Root, Vec<String>) {
    let (unit, root) = (read(UNIT), Root::new());
    let start = words(values(&unit, "ExecStart")[0]);
    root.put_binary(&start[0]);
    (root, start)
}

#[test]
fn systemd_accepts_the_unit() {
    let (root, _) = installed();
    let name = Path::new(UNIT).file_name().unwrap().to_str().unwrap();
    root.copy(&path(UNIT), &format!("/etc/systemd/system/{name}"));
    // What every unit comes after.
    for entry in fs::read_dir("/usr/lib/systemd/system").unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "target") {
            root.copy(&file, file.to_str().unwrap());
        }
    }
    let analyze = |arguments: &[&str]| {
        let mut command = Command::new(program("systemd-analyze"));
        command.arg(format!("--root={}", root.path("/").display())).args(arguments).arg(name);
        let output = command.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {told}{}",
            String::from_utf8_lossy(&output.stdout)
        );
        told
    };
    assert_eq!(analyze(&["--man=no", "verify"]), "", "it has nothing against it");
    // In tenths of its measure from 0 to 10: what it leaves open is the network.
    analyze(&["--offline=yes", "--threshold=20", "security"]);
}

#[tokio::test]
async fn what_the_unit_starts_needs_no_more_than_it_allows() {
    let unit = read(UNIT);
    let (root, start) = installed();
    let mut environment = BTreeMap::new();
    for pair in values(&unit, "Environment") {
        let (name, value) = pair.split_once('=').unwrap();
        environment.insert(name.to_owned(), value.to_owned());
    }
    // The file that it says to copy, and what an operator adds to it.
    let file = values(&unit, "EnvironmentFile")[0].trim_start_matches('-');
    assert!(unit.contains(&format!("cp .env.example {file}")));
    let port = free_port().to_string();
    let added = format!("\nPORT={port}\nDRAIN_DELAY=10ms\n");
    root.write(file, &(read(".env.example") + &added));
    let lines = fs::read_to_string(root.path(file)).unwrap();
    let pairs = lines.lines().filter(|line| !line.starts_with('#'));
    environment.extend(pairs.filter_map(|line| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    }));

    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls");
    let inner = root.command(DYNAMIC_USER, &environment, &start);
    let mut command = Command::new(program("strace"));
    command.args(["-f", "-qq", "-s", "64", "-o"]).arg(&calls).arg(inner.get_program());
    command.args(inner.get_args()).env_clear().envs(&environment);
    let mut running = Running::start(&mut command);
    let server = Server::behind(&format!("http://localhost:{port}"), &[], &[]);
    let mut line = String::new();
    while !line.contains("server.started") {
        line = soon(running.next()).await.expect("it starts");
    }
    let ready = reqwest::get(server.url("/readyz")).await.unwrap();
    assert!(ready.status().is_success());
    Mcp::of(&server, "ada").await.is_served().await;
    let traced = fs::read_to_string(&calls).unwrap();
    let begun = traced.find(&format!("execve(\"{}\"", start[0])).expect("it is begun");
    let process = traced[..begun].rsplit('\n').next().unwrap().trim().to_owned();
    said(Command::new("kill").args(["-TERM", &process]));
    assert_eq!(running.wait(), ExitStatus::default());

    let traced = fs::read_to_string(&calls).unwrap();
    let made: Vec<_> = traced[begun..].lines().collect();
    let allowed = allowed(&unit);
    let of_it = made.iter().filter_map(|line| call(line));
    let refused: BTreeSet<_> = of_it.filter(|call| !allowed.contains(*call)).collect();
    assert!(refused.is_empty(), "{refused:?} would end it");
    // MemoryDenyWriteExecute=
    let writable = |line: &&&str| {
        line.contains("PROT_WRITE|PROT_EXEC")
            || (call(line) == Some("mprotect") && line.contains("PROT_EXEC"))
    };
    assert_eq!(made.iter().find(writable), None);
    // RestrictAddressFamilies=. Another is refused and does not end it: the C library asks for
    // AF_NETLINK when it looks names up, and goes on without.
    let families = words(values(&unit, "RestrictAddressFamilies")[0]);
    for line in made.iter().filter(|line| call(line) == Some("socket")) {
        let family = line.split("socket(").nth(1).unwrap().split(',').next().unwrap();
        assert!(family == "AF_NETLINK" || families.iter().any(|each| each == family), "{line}");
    }
}

/// The name of the system call of a line.
fn call(line: &str) -> Option<&str> {
    let name = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let name = name.split('(').next()?;
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        .then_some(name)
}

/// The system calls that the unit's filters leave, in systemd's own words.
fn allowed(unit: &str) -> BTreeSet<String> {
    let listed = said(Command::new(program("systemd-analyze")).arg("syscall-filter"));
    let mut sets: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut set = "";
    for line in listed.lines().take_while(|line| !line.starts_with("# Unlisted")) {
        let entry = line.trim();
        if line.starts_with('@') {
            set = entry;
        } else if !entry.is_empty() && !entry.starts_with('#') {
            sets.entry(set).or_default().push(entry);
        }
    }
    let mut allowed = BTreeSet::new();
    for filter in values(unit, "SystemCallFilter") {
        let (denies, names) = filter.strip_prefix('~').map_or((false, filter), |rest| (true, rest));
        let mut open = words(names);
        while let Some(name) = open.pop() {
            match sets.get(name.as_str()) {
                Some(others) => open.extend(others.iter().map(|name| (*name).to_owned())),
                None if denies => drop(allowed.remove(&name)),
                None => drop(allowed.insert(name)),
            }
        }
    }
    // What a process needs to be begun and ended is never filtered.
    assert!(allowed.contains("read") && !allowed.contains("mount"), "{allowed:?}");
    allowed
}
