//! What clients do, and what befalls the server, is counted.

use std::sync::Arc;

use http::{Method, StatusCode};
use serde_json::json;

use super::text::Text;
use crate::support::{Deployment, Instance, Mcp, Server, Stream, call, free_port, rows::client};

#[tokio::test]
async fn what_clients_do_is_counted() {
    for on in [Deployment::one_in_memory(), Deployment::one_on_redis()] {
        let server = on.start();
        let url = server.url("/metrics");
        let user = Mcp::of(&server, "alice").await;
        user.is_served().await;
        user.call("echo", json!({})).await;
        user.call("no such tool", json!({})).await;
        let mut gone = user.clone();
        gone.session = Some("no-such-session".to_owned());
        gone.call("echo", json!({})).await.is_refused(404, -32001);
        let stranger = Mcp::new(&server).get(None).await;
        assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);

        let text = Text::of(&url).await;
        let is = |name: &str, labels: &[(&str, &str)], value: f64| {
            assert!((text.sum(name, labels) - value).abs() < 0.5, "{name} {labels:?}: {text:?}");
        };
        is("mcp_requests_total", &[("method", "initialize"), ("outcome", "ok")], 1.0);
        is("mcp_requests_total", &[("method", "tools/call")], 3.0);
        is("mcp_requests_total", &[("method", "tools/call"), ("outcome", "error")], 1.0);
        is("mcp_request_duration_seconds_count", &[("method", "tools/call")], 3.0);
        is("mcp_tool_calls_total", &[("tool", "echo"), ("outcome", "ok")], 1.0);
        is("mcp_tool_calls_total", &[("tool", "echo"), ("outcome", "tool_error")], 1.0);
        is("mcp_tool_calls_total", &[("tool", "other"), ("outcome", "error")], 1.0);
        is("mcp_tool_call_duration_seconds_count", &[("tool", "echo")], 2.0);
        is("mcp_requests_running", &[], 0.0);
        is("mcp_refusals_total", &[("reason", "session_not_found")], 1.0);
        is("mcp_refusals_total", &[("reason", "unauthorized")], 1.0);
        is("mcp_http_requests_total", &[("route", "/mcp"), ("status", "4xx")], 2.0);
        is("mcp_http_request_duration_seconds_count", &[("route", "/token")], 1.0);
        is("mcp_tokens_issued_total", &[("grant_type", "authorization_code")], 1.0);
        is("mcp_tokens_issued_total", &[("grant_type", "refresh_token")], 0.0);
        is("mcp_events_total", &[("event", "session.started")], 1.0);
        is("mcp_events_total", &[("event", "auth.consent.granted")], 1.0);
        is("mcp_ready", &[("server", "mcp-server")], 1.0);
        assert!(text.sum("mcp_connections_open", &[]) >= 1.0);
        let redis = on.redis.is_some();
        assert_eq!(text.sum("mcp_redis_commands_total", &[("outcome", "ok")]) > 0.0, redis);
        is("mcp_redis_connected", &[], if redis { 4.0 } else { 0.0 });
        is("mcp_sessions_live", &[], if redis { 0.0 } else { 1.0 });
    }
}

/// Each refusal says why, in the log and in the metrics.
#[tokio::test]
async fn a_refusal_has_its_reason() {
    let server = Server::start();
    for (request, reason) in [
        (client().get(server.url("/no/such/page")), "not_found"),
        (client().put(server.url("/token")), "method_not_allowed"),
        (client().get(server.url("/")).header("host", "evil.example.com"), "host_not_allowed"),
        (client().post(server.url("/token")).form(&[("a", "b")]), "invalid_client"),
        (client().get(server.url("/authorize")), "invalid_request"),
        (client().get(server.url("/authorize?client_id=x")), "unknown_client"),
        (client().get(server.url("/mcp")).bearer_auth("mca_x"), "invalid_token"),
        (client().get(server.url("/mcp")), "unauthorized"),
    ] {
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_client_error(), "{reason}");
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let line = server.logged_where(|line| {
            line["event"] == "http.response" && line["request_id"] == id.as_str()
        });
        assert_eq!(line.unwrap()["reason"], reason);
        let counted = |text: &Text| text.sum("mcp_refusals_total", &[("reason", reason)]) > 0.5;
        assert!(counted(&Text::of(&server.url("/metrics")).await), "{reason}");
    }
}

#[tokio::test]
async fn what_is_open_is_told_while_it_is() {
    let server = Server::open();
    let url = server.url("/metrics");
    let user = Mcp::anonymous(&server).await;
    let standalone = Stream::of(user.get(None).await);
    let long = call(7, "longRunningOperation", &json!({ "duration": 20, "steps": 40 }));
    let mut calling = Stream::of(user.send(&long).await);
    calling.next().await.unwrap();
    let text = Text::of(&url).await;
    for (name, labels) in [
        ("mcp_streams_open", &[("kind", "standalone")][..]),
        ("mcp_calls_open", &[]),
        ("mcp_requests_running", &[("method", "tools/call")]),
        ("mcp_sessions_live", &[]),
    ] {
        assert!((text.sum(name, labels) - 1.0).abs() < 0.5, "{name}: {text:?}");
    }
    assert!(text.sum("mcp_connections_open", &[]) >= 3.0, "{text:?}");
    drop((standalone, calling));
    user.delete().await;
    let is_over = |text: &Text| {
        let names = ["mcp_streams_open", "mcp_calls_open", "mcp_requests_running"];
        names.iter().chain(&["mcp_sessions_live"]).all(|name| text.sum(name, &[]) < 0.5)
    };
    Text::until(&url, is_over).await;
    let text = Text::of(&url).await;
    assert!(text.sum("mcp_events_total", &[("event", "session.ended")]) > 0.5);
}

/// However many different things clients send, the series stay the same.
#[tokio::test]
async fn clients_make_no_series() {
    let server = Server::start();
    let url = server.url("/metrics");
    let user = Mcp::of(&server, "alice").await;
    let odd = async |round: u32| {
        for number in 0..20 {
            let odd = format!("odd{round}x{number}");
            let method = Method::from_bytes(odd.to_uppercase().as_bytes()).unwrap();
            let paths = [format!("/{odd}"), format!("/mcp/{odd}"), format!("/.well-known/{odd}")];
            for path in paths {
                let request = client().request(method.clone(), server.url(&path));
                request.header("user-agent", &odd).send().await.unwrap();
            }
            user.call(&odd, json!({})).await;
            let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": odd });
            user.post(&unknown).await;
            let form = [("grant_type", odd.as_str()), ("client_id", &odd)];
            client().post(server.url("/token")).form(&form).send().await.unwrap();
        }
        Text::of(&url).await
    };
    // Of asking for the metrics there are series too.
    Text::of(&url).await;
    let (first, second) = (odd(1).await, odd(2).await);
    assert_eq!(first.samples.len(), second.samples.len());
    for sample in &second.samples {
        let is_odd = |value: &String| value.to_lowercase().contains("odd");
        assert!(!sample.labels.values().any(is_odd), "{sample:?}");
    }
    let others = |text: &Text| text.sum("mcp_http_requests_total", &[("method", "other")]);
    assert!(others(&second) > others(&first));
    // All that there could be, had everything come up: it is much, and has an end.
    assert!(second.samples.len() < 1000, "{}", second.samples.len());
}

#[tokio::test]
async fn it_is_told_that_redis_is_away() {
    let mut on = Deployment::one_on_redis();
    let server = on.start();
    let url = server.url("/metrics");
    let user = Mcp::of(&server, "alice").await;
    on.redis.as_mut().unwrap().kill();
    let answer = user.call("echo", json!({ "message": "hi" })).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let is_away = |text: &Text| {
        text.sum("mcp_redis_connected", &[]) < 0.5
            && text.sum("mcp_redis_connections_lost_total", &[("link", "hot")]) > 0.5
            && text.sum("mcp_redis_commands_total", &[("outcome", "away")]) > 0.5
            && text.sum("mcp_bus_beats_missed_total", &[]) > 0.5
            && text.sum("mcp_ready", &[]) < 0.5
            && text.sum("mcp_events_total", &[("event", "health.not_ready")]) > 0.5
    };
    Text::until(&url, is_away).await;
    on.redis.as_mut().unwrap().run();
    let is_back = |text: &Text| {
        text.sum("mcp_redis_connected", &[]) > 3.5
            && text.sum("mcp_redis_connections_total", &[("link", "hot")]) > 1.5
            && text.sum("mcp_ready", &[]) > 0.5
    };
    Text::until(&url, is_back).await;
}

#[tokio::test]
async fn what_a_limit_refuses_is_counted() {
    let server = Server::with(&[("RATE_LIMITS", "register=2/1h")]);
    for _ in 0..3 {
        let document = json!({ "redirect_uris": ["http://localhost/callback"] });
        client().post(server.url("/register")).json(&document).send().await.unwrap();
    }
    let text = Text::of(&server.url("/metrics")).await;
    for (name, labels, value) in [
        ("mcp_rate_limited_total", [("limit", "register")], 1.0),
        ("mcp_rate_limited_total", [("limit", "requests")], 0.0),
        ("mcp_refusals_total", [("reason", "too_often")], 1.0),
        ("mcp_http_requests_total", [("route", "/register")], 3.0),
    ] {
        assert!((text.sum(name, &labels) - value).abs() < 0.5, "{name} {labels:?}");
    }
}

/// Where two servers share a process, they count together, and each series comes once.
#[tokio::test]
async fn two_servers_in_a_process_count_together() {
    let (port, log) = (free_port().to_string(), Arc::default());
    let instance = Instance::dev(0, &[("AUTH_SERVER_PORT", &port)], &log);
    let url = format!("http://localhost:{}/metrics", instance.port);
    let text = Text::until(&url, |text| text.sum("mcp_ready", &[]) > 1.5).await;
    assert!(text.sum("mcp_ready", &[("server", "auth-server")]) > 0.5);
    assert!(text.sum("mcp_ready", &[("server", "mcp-server")]) > 0.5);
}
