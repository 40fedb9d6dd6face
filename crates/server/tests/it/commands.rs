//! The command line.

use std::process::Output;

use crate::support::{Mcp, Server, binary};

fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    binary().args(arguments).envs(settings.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_wrong_setting_stops_the_start_with_one_line() {
    let output = run(&[], &[("PORT", "many"), ("AUTH_MODE", "sometimes")]);
    assert!(!output.status.success());
    let lines: Vec<_> = text(&output.stderr).lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            r#"mcp-everything: PORT is "many"; it takes a number from 0 to 65535"#,
            r#"mcp-everything: AUTH_MODE is "sometimes"; it takes integrated, separate or none"#,
        ]
    );
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn a_port_in_use_is_named_and_logged() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = run(&[], &[("PORT", &port)]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains(&port), "{}", text(&output.stderr));
    let line: serde_json::Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(
        (line["event"].as_str(), line["severity"].as_str()),
        (Some("server.failed"), Some("ERROR"))
    );
    assert!(line["reason"].as_str().unwrap().contains(&port), "{line}");
}

#[test]
fn check_config_shows_what_the_settings_come_to() {
    let key = "a-secret-key-of-more-than-32-characters";
    let output = run(&["check-config"], &[("PORT", "4000"), ("SECRET_KEYS", key)]);
    assert!(output.status.success());
    let shown = text(&output.stdout);
    for line in [
        "PORT=4000",
        "BASE_URI=http://localhost:4000",
        "AUTH_MODE=integrated",
        "SECRET_KEYS=********",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
    assert!(!shown.contains(key));
}

#[test]
fn check_config_names_everything_that_is_wrong() {
    let settings = [("PORT", "x"), ("SESSION_TTL", "y"), ("REDIS_URI", "redis://z")];
    let output = run(&["check-config"], &settings);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    for variable in ["PORT", "SESSION_TTL", "REDIS_URI"] {
        assert!(told.contains(variable), "{variable} in {told}");
    }
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".env"), "PORT=4001\nDRAIN_DELAY=4s\nSESSION_TTL=7m\n")
        .unwrap();
    let output = binary()
        .args(["--port", "4003", "check-config"])
        .envs([("PORT", "4002"), ("DRAIN_DELAY", "2s")])
        .current_dir(home.path())
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    for line in ["PORT=4003", "DRAIN_DELAY=2s", "SESSION_TTL=420s"] {
        assert!(shown.lines().any(|shown| shown == line), "{line} in {shown}");
    }
}

#[test]
fn a_broken_env_file_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".env"), "PORT 4001\n").unwrap();
    let output = binary().arg("check-config").current_dir(home.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains(".env"));
}

#[test]
fn help_explains_every_command_and_setting() {
    let help = text(&run(&["--help"], &[]).stdout);
    for word in ["serve", "stdio", "auth-server", "dev", "login", "check-config", "healthcheck"] {
        assert!(help.contains(word), "{word}");
    }
    // What is shown is what is explained.
    let shown = text(&run(&["check-config"], &[]).stdout);
    for line in shown.lines() {
        let (variable, _) = line.split_once('=').unwrap();
        assert!(help.contains(&format!("[env: {variable}")), "{variable}");
    }
    assert!(shown.lines().count() > 10);
}

#[test]
fn half_a_setting_is_refused_instead_of_passed_over() {
    for variable in ["TLS_CERT", "TLS_KEY", "UPSTREAM_ISSUER"] {
        let output = run(&[], &[(variable, "x")]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(variable), "{}", text(&output.stderr));
    }
}

#[test]
fn only_the_env_file_of_the_working_directory_counts() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".env"), "PORT=4001\n").unwrap();
    let below = home.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let output = binary().arg("check-config").current_dir(below).output().unwrap();
    assert!(text(&output.stdout).contains("PORT=3232"));
}

#[tokio::test]
async fn login_prints_a_token_that_works() {
    let server = Server::start();
    let base = server.base.clone();
    let arguments =
        ["login", "--server", &base, "--user", "alice", "--scope", "mcp:read mcp:tools"];
    let output = run(&arguments, &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let token = text(&output.stdout);
    assert_eq!(token.lines().count(), 1);
    let mut client = Mcp::new(&server);
    client.token = Some(token.trim().to_owned());
    client.initialize(serde_json::json!({})).await;
}

#[test]
fn login_says_why_it_cannot() {
    let server = Server::open();
    let output = run(&["login", "--server", &server.base], &[]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("without authentication"), "{}", text(&output.stderr));
    for (url, said) in [
        ("http://127.0.0.1:9", "cannot be reached"),
        ("127.0.0.1:9", "http://localhost:3232"),
        (&server.url("/elsewhere"), "404"),
    ] {
        let told = text(&run(&["login", "--server", url], &[]).stderr);
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn healthcheck_asks_the_server() {
    let server = Server::open();
    let port = server.base.rsplit(':').next().unwrap().to_owned();
    let ready = run(&["healthcheck"], &[("PORT", &port)]);
    assert!(ready.status.success(), "{}", text(&ready.stderr));
    drop(server);
    assert!(!run(&["healthcheck"], &[("PORT", &port)]).status.success());
}
