//! What a line may be, and what is said to one that may not.

use serde_json::{Value, json};

use super::{begun, call, request, text};
use crate::support::Piped;

fn pings(server: &mut Piped) {
    let ping = request(4711, "ping", &json!({}));
    assert_eq!(server.ask(&ping)["result"], json!({}));
}

#[test]
fn what_is_no_message_is_answered_and_ends_nothing() {
    let mut server = Piped::start();
    for (line, code, said) in [
        ("{", -32700, "JSON"),
        ("not json", -32700, "JSON"),
        ("\u{feff}{}", -32700, "JSON"),
        ("7", -32600, "object"),
        ("{}", -32600, "jsonrpc"),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, "id"),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600, "method"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, -32602, "initialize"),
        (r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#, -32602, "initialize"),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32602, "initialize"),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
            -32602,
            "protocolVersion",
        ),
    ] {
        server.write(format!("{line}\n").as_bytes());
        let answer = server.next().unwrap();
        assert_eq!(answer["error"]["code"], code, "{line}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(said), "{line}: {answer}");
        let has_id = line.starts_with('{') && line.contains("\"id\":1");
        assert_eq!(answer["id"].as_i64(), has_id.then_some(1), "{line}: {answer}");
    }
    server.write(b"\xff\xfe\n");
    assert_eq!(server.next().unwrap()["error"]["code"], -32700, "not UTF-8");
    pings(&mut server);
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_is_read() {
    let mut server = Piped::start();
    let long = vec![b'x'; (4 << 20) + 1];
    server.write(&long);
    server.write(b"\n");
    let answer = server.next().unwrap();
    assert_eq!(answer["error"]["code"], -32600);
    assert!(answer["error"]["message"].as_str().unwrap().contains("4194304"), "{answer}");
    pings(&mut server);
}

#[test]
fn blank_lines_and_ends_of_other_systems_are_no_mistake() {
    let mut server = Piped::start();
    server.write(b"\n  \r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n");
    assert_eq!(server.next().unwrap(), json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
}

#[test]
fn what_is_sent_in_one_go_is_served_in_order() {
    let mut server = Piped::start();
    let begin = request(
        0,
        "initialize",
        &json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" }
        }),
    );
    let echo = call(1, "echo", &json!({ "message": "hi" }));
    let all = format!(
        "{begin}\n{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}}\n{echo}"
    );
    // The last line has no end but that of the input.
    server.write(all.as_bytes());
    server.close();
    assert_eq!(server.next().unwrap()["id"], 0);
    assert_eq!(text(&server.next().unwrap()), "Echo: hi");
    assert_eq!(server.next(), None);
    assert!(server.wait().success());
}

#[test]
fn an_id_stands_for_one_request_at_a_time() {
    let mut server = begun("2025-11-25", &json!({}));
    server.send(&call(1, "longRunningOperation", &json!({ "duration": 3000, "steps": 1 })));
    server.send(&request(1, "ping", &json!({})));
    let refused = server.next().unwrap();
    assert_eq!((&refused["error"]["code"], refused.get("id")), (&json!(-32600), refused.get("id")));
    assert!(refused["error"]["message"].as_str().unwrap().contains("still running"), "{refused}");
    pings(&mut server);
}

#[test]
fn nothing_but_messages_is_on_stdout_whatever_is_logged() {
    let mut server = Piped::with(&[
        ("RUST_LOG", "trace,rmcp=trace"),
        ("LOG_FORMAT", "pretty"),
        ("CONFORMANCE", "on"),
    ]);
    server.initialize("2025-11-25", &json!({}));
    for (id, tool) in ["echo", "whoami", "no such tool", "test_error_handling"].iter().enumerate() {
        server.ask(&call(i64::try_from(id).unwrap(), tool, &json!({ "message": "hi" })));
    }
    server.write(b"nonsense\n");
    server.close();
    // Each line is looked at.
    while server.next().is_some() {}
    assert!(server.wait().success());
    let log = server.log();
    assert!(log.iter().any(|line| line.to_string().contains("server.started")), "on stderr");
}

#[test]
fn settings_of_other_commands_mean_nothing_and_are_no_mistake() {
    let mut server = Piped::with(&[
        ("PORT", "many"),
        ("BASE_URI", "nowhere"),
        ("AUTH_MODE", "sometimes"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
        ("TLS_CERT", "none.pem"),
        ("CONFORMANCE", "on"),
    ]);
    server.initialize("2025-11-25", &json!({}));
    let tools = server.ask(&request(1, "tools/list", &json!({})));
    let tools = tools["result"]["tools"].as_array().unwrap().clone();
    assert!(tools.iter().any(|tool| tool["name"] == "test_simple_text"), "CONFORMANCE is one");
    let warned = |line: &Value| line["severity"] == "WARNING" && line["event"] != "conformance.on";
    assert!(!server.log().iter().any(warned), "{:?}", server.log());
    server.close();
    assert!(server.wait().success());

    let mut server = Piped::with(&[("CONFORMANCE", "perhaps")]);
    assert_eq!(server.next(), None);
    assert!(!server.wait().success(), "what means something is judged");
    assert!(server.log()[0].as_str().unwrap().contains("CONFORMANCE"), "{:?}", server.log());
}
