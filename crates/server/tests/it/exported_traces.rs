//! Traces as a collector gets them.

mod picture;

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use mcp_everything_store::contract::redis_server::RedisServer;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::{Value, json};

use crate::support::{
    Answer, Collector, Exported, Mcp, Server, Stream, binary, call, free_port, secrets, soon,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// The client's spans: the call, and the requests that it sends for it.
const CALL: &str = "00f067aa0ba902b7";
const ASKS: &str = "00f067aa0ba902b8";
const ANSWERS: &str = "00f067aa0ba902b9";

fn at(trace: &str, span: &str) -> String {
    format!("00-{trace}-{span}-01")
}

/// Two instances that share a Redis and export to this collector, without a balancer.
fn two(redis: &RedisServer, collector: &Collector) -> Server {
    let (own, url) = (collector.settings(), redis.url());
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    let settings = [("AUTH_MODE", "none"), ("REDIS_URL", &url)];
    let ports = [free_port(), free_port()];
    let base = format!("http://localhost:{}", ports[0]);
    Server::behind(&base, &ports, &settings.into_iter().chain(own).collect::<Vec<_>>())
}

fn one(collector: &Collector, others: &[(&str, &str)]) -> Server {
    let own = collector.settings();
    let own = own.iter().map(|(name, value)| (*name, value.as_str()));
    Server::with(&own.chain(others.iter().copied()).collect::<Vec<_>>())
}

/// A call that says where it belongs in a trace.
fn traced(id: u64, tool: &str, arguments: &Value) -> Value {
    let mut message = call(id, tool, arguments);
    message["params"]["_meta"]["traceparent"] = json!(at(TRACE, CALL));
    message
}

async fn send(client: &Mcp, message: &Value, parent: &str) -> reqwest::Response {
    let request = client
        .request(http::Method::POST)
        .header("accept", "application/json, text/event-stream")
        .header("traceparent", parent)
        .json(message);
    soon(request.send()).await.unwrap()
}

/// That each span's parent is there, or is one of the client's.
#[track_caller]
fn has_no_gap(spans: &[Exported]) {
    let known: BTreeSet<&str> =
        spans.iter().map(|span| span.id.as_str()).chain([CALL, ASKS, ANSWERS]).collect();
    for span in spans {
        assert!(known.contains(span.parent.as_str()), "{span:?} has no parent in {spans:#?}");
        assert!(span.begin <= span.end, "{span:?}");
    }
}

fn named<'a>(spans: &'a [Exported], name: &str) -> Vec<&'a Exported> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[track_caller]
fn the<'a>(spans: &'a [Exported], name: &str) -> &'a Exported {
    let found = named(spans, name);
    assert_eq!(found.len(), 1, "{name} in {spans:#?}");
    found[0]
}

/// An instance by its number, as the log has it.
fn instances(server: &Server) -> Vec<String> {
    let started = |number| {
        let line = server.log.find_after(0, |line| line.of(number, "server.started")).unwrap();
        line["instance"].as_str().unwrap().to_owned()
    };
    (0..server.instances.len()).map(started).collect()
}

/// A question of a call at one instance is answered through another.
#[tokio::test]
async fn a_trace_crosses_two_instances_and_redis_in_one_picture() {
    let (redis, collector) = (RedisServer::start(), Collector::start().await);
    let server = two(&redis, &collector);
    let mut client = Mcp::new(&server);
    client.initialize(json!({ "elicitation": {} })).await;
    let (first, second) = (client.at(&server, 0), client.at(&server, 1));
    let asked = send(&first, &traced(2, "elicitInputs", &json!({})), &at(TRACE, ASKS)).await;
    let mut stream = Stream::of(asked);
    let question = stream.until("elicitation/create").await;
    let told = question["params"]["_meta"]["traceparent"].as_str().unwrap().to_owned();
    let content = json!({ "name": "Ada", "check": true });
    let answer = json!({
        "jsonrpc": "2.0", "id": question["id"], "result": { "action": "accept", "content": content }
    });
    let accepted = send(&second, &answer, &at(TRACE, ANSWERS)).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let result = stream.last().await;
    assert!(result["result"].is_object(), "{result}");

    let names = [
        "POST /mcp",
        "POST /mcp",
        "tools/call elicitInputs",
        "elicitation/create",
        "open_call",
        "answer",
        "ring call_news",
        "hear call_news",
        "call_news",
    ];
    let spans = collector.trace(TRACE, &names).await;
    has_no_gap(&spans);
    let [one, two] = &instances(&server)[..] else { panic!("there are two") };
    let on: BTreeSet<&str> = spans.iter().map(|span| span.instance.as_str()).collect();
    assert_eq!(on, BTreeSet::from([one.as_str(), two.as_str()]));

    let message = the(&spans, "tools/call elicitInputs");
    assert_eq!((message.parent.as_str(), message.kind), (CALL, SpanKind::Server));
    assert_eq!(message.links, [TRACE], "the request that brought it");
    assert!(message.is("mcp.method.name", "tools/call"));
    assert!(message.is("gen_ai.tool.name", "elicitInputs"));
    assert!(message.is("mcp.session.id", client.session.as_ref().unwrap()));
    assert_eq!(message.instance, *one);
    let asks = the(&spans, "elicitation/create");
    assert_eq!((&asks.parent, asks.kind), (&message.id, SpanKind::Client));
    assert_eq!(told, at(TRACE, &asks.id), "what the client is told is what is exported");
    for (parent, instance) in [(ASKS, one), (ANSWERS, two)] {
        let request = spans.iter().find(|span| span.parent == parent).unwrap();
        assert_eq!((request.name.as_str(), &request.instance), ("POST /mcp", instance));
        assert_eq!(request.kind, SpanKind::Server);
    }
    let (rings, hears) = (the(&spans, "ring call_news"), the(&spans, "hear call_news"));
    assert_eq!((&rings.instance, rings.kind), (two, SpanKind::Producer));
    assert_eq!((&hears.instance, hears.kind), (one, SpanKind::Consumer));
    assert_eq!(hears.parent, rings.id);
    assert_eq!(the(&spans, "call_news").parent, hears.id);
    for (operation, instance) in [("open_call", one), ("answer", two)] {
        let span = the(&spans, operation);
        assert_eq!((&span.instance, span.kind), (instance, SpanKind::Client));
        assert!(span.is("db.system.name", "redis") && span.is("db.operation.name", operation));
    }
    let said = format!("{spans:?}");
    assert!(!said.contains("Ada"), "nothing that was said is exported");

    picture::is_kept(&spans);

    // The log says what is exported.
    let ids: BTreeSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let said = server.logged_where(|line| line["span_id"] == message.id.as_str());
    assert_eq!(said.unwrap()["trace_id"], TRACE);
    let lines: Vec<Value> = server.log();
    let of_trace = || lines.iter().filter(|line| line["trace_id"] == TRACE);
    for line in of_trace() {
        assert!(ids.contains(line["span_id"].as_str().unwrap()), "{line}");
    }
}

/// A stream that broke off is resumed at another instance, and the call is cancelled there.
#[tokio::test]
async fn whoever_comes_back_elsewhere_is_in_the_trace() {
    let (redis, collector) = (RedisServer::start(), Collector::start().await);
    let server = two(&redis, &collector);
    let client = Mcp::anonymous(&server).await;
    let (first, second) = (client.at(&server, 0), client.at(&server, 1));
    let long = json!({ "duration": 100, "steps": 1000 });
    let asked = send(&first, &traced(2, "longRunningOperation", &long), &at(TRACE, ASKS)).await;
    let mut stream = Stream::of(asked);
    stream.until("notifications/progress").await;
    let last = stream.last_id.clone().unwrap();
    drop(stream);
    let request = second
        .request(http::Method::GET)
        .header("accept", "text/event-stream")
        .header("last-event-id", &last)
        .header("traceparent", at(TRACE, ANSWERS));
    let mut rest = Stream::of(soon(request.send()).await.unwrap());
    rest.until("notifications/progress").await;
    let cancels = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled",
        "params": { "requestId": 2, "_meta": { "traceparent": at(OTHER, CALL) } }
    });
    let accepted = send(&second, &cancels, &at(OTHER, ASKS)).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    while rest.next().await.is_some() {}
    let names = [
        "tools/call longRunningOperation",
        "GET /mcp",
        "read_call",
        "ring resumed",
        "hear resumed",
        // Of the other trace, whose message cancelled a call of this one.
        "hear call_news",
    ];
    let spans = collector.trace(TRACE, &names).await;
    has_no_gap(&spans);
    assert_eq!(the(&spans, "hear resumed").parent, the(&spans, "ring resumed").id);
    let call = the(&spans, "tools/call longRunningOperation");
    let cancelled = the(&spans, "hear call_news");
    assert_eq!((&cancelled.parent, &cancelled.links[..]), (&call.id, &[OTHER.to_owned()][..]));
    let other =
        collector.trace(OTHER, &["notifications/cancelled", "cancel", "ring call_news"]).await;
    has_no_gap(&other);
    assert!(
        the(&other, "notifications/cancelled").is("mcp.method.name", "notifications/cancelled")
    );
}

/// Whoever names no trace begins one, which logs and messages say.
#[tokio::test]
async fn a_request_without_a_place_begins_a_trace() {
    let collector = Collector::start().await;
    let server = one(&collector, &[("AUTH_MODE", "none")]);
    let client = Mcp::anonymous(&server).await;
    let answer = client.call("whoami", json!({})).await;
    let span = answer.body["result"]["structuredContent"]["trace"]["span"].clone();
    let trace = span["traceId"].as_str().unwrap();
    let spans = collector.trace(trace, &["POST /mcp", "tools/call whoami"]).await;
    let (request, message) = (the(&spans, "POST /mcp"), the(&spans, "tools/call whoami"));
    assert_eq!((request.parent.as_str(), &message.parent), ("", &request.id));
    assert_eq!(span["spanId"], message.id.as_str());
    assert_eq!(span["parentId"], request.id.as_str());
    assert!(request.is("http.route", "/mcp") && request.is("http.response.status_code", "200"));
    let line = server.logged_where(|line| {
        line["event"] == "http.response" && line["span_id"] == message.id.as_str()
    });
    assert_eq!(line.unwrap()["trace_id"], trace);
    let refused = client.call("nothing", json!({})).await;
    assert!(refused.body["error"].is_object());
    let refused = collector.span("tools/call nothing").await;
    assert!(refused.failed && refused.is("rpc.response.status_code", "-32602"), "{refused:?}");
}

#[tokio::test]
async fn what_a_caller_does_not_keep_is_not_sent_and_has_a_name_all_the_same() {
    let collector = Collector::start().await;
    let server = one(&collector, &[("AUTH_MODE", "none")]);
    let client = Mcp::anonymous(&server).await;
    let unkept = format!("00-{TRACE}-{CALL}-00");
    let mut message = call(1, "whoami", &json!({}));
    message["params"]["_meta"]["traceparent"] = json!(unkept);
    let answer = Answer::of(send(&client, &message, &unkept).await).await;
    let span = &answer.body["result"]["structuredContent"]["trace"]["span"];
    assert_eq!((&span["traceId"], &span["sampled"]), (&json!(TRACE), &json!(false)));
    // What comes later is there.
    message["params"]["_meta"]["traceparent"] = json!(at(OTHER, CALL));
    send(&client, &message, &at(OTHER, ASKS)).await;
    collector.trace(OTHER, &["tools/call whoami", "POST /mcp"]).await;
    assert!(collector.spans().iter().all(|span| span.trace != TRACE));
}

/// Without a caller's word only the share is kept that the settings say.
#[tokio::test]
async fn the_settings_say_which_traces_are_kept_and_by_what_name() {
    let collector = Collector::start().await;
    let server = one(
        &collector,
        &[
            ("AUTH_MODE", "none"),
            ("OTEL_TRACES_SAMPLER", "parentbased_always_off"),
            ("OTEL_SERVICE_NAME", "this-one"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=let%20me%20in"),
        ],
    );
    let client = Mcp::anonymous(&server).await;
    client.is_served().await;
    send(&client, &traced(1, "whoami", &json!({})), &at(TRACE, ASKS)).await;
    collector.trace(TRACE, &["tools/call whoami", "POST /mcp"]).await;
    assert!(collector.spans().iter().all(|span| span.trace == TRACE));
    assert!(collector.spans().iter().all(|span| span.service == "this-one"));
    assert!(collector.headers().iter().all(|headers| headers["x-key"] == "let me in"));
    let shown = binary()
        .arg("check-config")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=let%20me%20in")
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("OTEL_EXPORTER_OTLP_HEADERS=********"), "{shown}");
}

/// A collector that is away costs a line, and nobody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_one_line_until_it_is_back() {
    let port = free_port();
    let endpoint = format!("http://127.0.0.1:{port}");
    let settings = [
        ("AUTH_MODE", "none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "20"),
    ];
    let mut server = Server::with(&settings);
    let client = Mcp::anonymous(&server).await;
    client.is_served().await;
    server.logged("traces.lost");
    for _ in 0..20 {
        client.is_served().await;
    }
    let collector = Collector::on(port).await;
    while collector.spans().is_empty() {
        client.is_served().await;
    }
    let back = server.logged("traces.sent");
    assert!(back["lost"].as_u64().unwrap() > 0, "{back}");
    let count = |event| server.log().iter().filter(|line| line["event"] == event).count();
    assert_eq!((count("traces.lost"), count("traces.sent")), (1, 1));
    drop(collector);
    server.signal("-TERM");
    assert!(server.wait().success());
}

#[tokio::test]
async fn what_is_left_is_sent_at_the_end() {
    let collector = Collector::start().await;
    let mut server =
        one(&collector, &[("AUTH_MODE", "none"), ("OTEL_BSP_SCHEDULE_DELAY", "3600000")]);
    let client = Mcp::anonymous(&server).await;
    send(&client, &traced(1, "whoami", &json!({})), &at(TRACE, ASKS)).await;
    assert!(collector.spans().is_empty());
    server.signal("-TERM");
    assert!(tokio::task::spawn_blocking(move || server.wait().success()).await.unwrap());
    collector.trace(TRACE, &["tools/call whoami", "POST /mcp"]).await;
}

/// Of signing in, of tokens, of what is asked and answered.
#[tokio::test]
async fn no_secret_is_exported() {
    let collector = Collector::start().await;
    let redis = RedisServer::start();
    let server = one(&collector, &[("REDIS_URL", &redis.url())]);
    let client = Mcp::of(&server, "alice").await;
    send(&client, &traced(1, "whoami", &json!({})), &at(TRACE, ASKS)).await;
    let spans = collector.trace(TRACE, &["tools/call whoami", "access_token"]).await;
    has_no_gap(&spans);
    let all: Vec<Value> = collector
        .spans()
        .into_iter()
        .map(|span| {
            let attributes: BTreeMap<String, String> = span.attributes;
            json!({ "event": span.name, "target": "a span", "attributes": attributes })
        })
        .collect();
    assert!(all.iter().any(|span| span["event"] == "POST /token"), "{all:?}");
    assert_eq!(secrets::leaks(all.iter()), Vec::<String>::new());
}
