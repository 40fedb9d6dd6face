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
    for variable in ["PORT", "SESSION_TTL", "REDIS_URI", "REDIS_URL is one"] {
        assert!(told.contains(variable), "{variable} in {told}");
    }
}

/// The threads are there before the settings are judged.
#[test]
fn a_wrong_number_of_threads_is_told_with_the_others() {
    let wrong = [("WORKER_THREADS", "0"), ("LOG_FORMAT", "xml"), ("TOKIO_WORKER_THREADS", "x")];
    let output = run(&["serve"], &wrong);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(
        lines,
        [
            r#"mcp-everything: WORKER_THREADS is "0"; it takes a number from 1 to 1024"#,
            r#"mcp-everything: LOG_FORMAT is "xml"; it takes json or pretty"#,
        ]
    );
    let shown = text(&run(&["check-config"], &[("WORKER_THREADS", "2")]).stdout);
    assert!(shown.lines().any(|line| line == "WORKER_THREADS=2"), "{shown}");
}

#[test]
fn check_config_says_what_is_most_likely_not_meant() {
    let output = run(&["check-config"], &[("HOST", "0.0.0.0")]);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("set BASE_URI to the URL"), "{}", text(&output.stderr));
    assert_eq!(text(&run(&["check-config"], &[]).stderr), "");
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
    let commands = ["serve", "stdio", "auth-server", "dev", "login", "check-config", "healthcheck"];
    for word in commands.into_iter().chain(["completions"]) {
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
        ("http://127.0.0.1:9", "is it running? --server takes another URL"),
        ("https://127.0.0.1:9", "it may speak http"),
        ("127.0.0.1:9", "http://localhost:3232"),
        (
            &server.url("/elsewhere"),
            "404, so no MCP server is there: there is nothing at this path",
        ),
    ] {
        let told = text(&run(&["login", "--server", url], &[]).stderr);
        assert!(told.contains(said), "{told}");
    }
}

#[test]
fn healthcheck_asks_the_server() {
    let server = Server::open();
    let port = server.base.rsplit(':').next().unwrap().to_owned();
    // Also where there are no certificates of authorities, which it does not need.
    for none in [&[][..], &[("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]] {
        let ready = run(&["healthcheck"], &[none, &[("PORT", port.as_str())]].concat());
        assert!(ready.status.success(), "{}", text(&ready.stderr));
    }
    drop(server);
    assert!(!run(&["healthcheck"], &[("PORT", &port)]).status.success());
}

/// What a shell offers once it has read the script.
#[test]
fn bash_completes_commands_and_flags() {
    let script = r#"
        source <("$0" completions bash)
        offered() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            "$(complete -p mcp-everything | sed 's/.*-F \([^ ]*\) .*/\1/')" \
                mcp-everything "${@: -1}" "${@: -2:1}"
            printf '%s\n' "${COMPREPLY[@]}"
        }
        offered mcp-everything he
        offered mcp-everything --redis-
        offered mcp-everything login --
        offered mcp-everything completions ""
    "#;
    let home = tempfile::tempdir().unwrap();
    // A shell starts in any folder, also in one whose `.env` is not for this program.
    std::fs::write(home.path().join(".env"), "not ours\n").unwrap();
    let mut bash = std::process::Command::new("bash");
    bash.args(["--norc", "-c", script]).arg(binary().get_program()).current_dir(home.path());
    let output = bash.output().unwrap();
    let offered = text(&output.stdout);
    assert!(output.status.success(), "{offered} {}", text(&output.stderr));
    let offered: Vec<_> = offered.lines().collect();
    for word in ["healthcheck", "help", "--redis-url", "--redis-password", "--user", "--scope"] {
        assert!(offered.contains(&word), "{word} in {offered:?}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(offered.contains(&shell), "{shell} in {offered:?}");
    }
    assert!(!offered.contains(&"serve"), "only what begins so: {offered:?}");
}

#[test]
fn each_shell_has_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completions", shell], &[]);
        assert!(output.status.success());
        let script = text(&output.stdout);
        for word in ["check-config", "auth-server", "base-uri"] {
            assert!(script.contains(word), "{word} for {shell}");
        }
    }
    let refused = run(&["completions", "cmd"], &[]);
    assert!(text(&refused.stderr).contains("powershell"), "{}", text(&refused.stderr));
}
