//! A fetch against a server that does what it should not, and a resolver that does.

use std::{
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use url::Url;

use super::{Fetched, Fetcher, Limits};
use crate::{
    FetchError, Guard,
    resolve::Lookup,
    testing::{Answer, HttpsServer},
};

const LIMITS: Limits = Limits { bytes: 5 * 1024, time: Duration::from_secs(10) };

/// Says each time what is next.
struct Script {
    answers: Mutex<Vec<Vec<&'static str>>>,
    asked: AtomicUsize,
}

impl Script {
    fn new(answers: &[&[&'static str]]) -> Arc<Self> {
        let answers = answers.iter().rev().map(|one| one.to_vec()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }
}

impl Lookup for Script {
    fn addresses(
        &self,
        _: String,
    ) -> std::pin::Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.lock().unwrap().pop();
        let answer = answer.ok_or_else(|| io::Error::other("no such name"));
        Box::pin(async { Ok(answer?.into_iter().map(|one| one.parse().unwrap()).collect()) })
    }
}

async fn server() -> HttpsServer {
    HttpsServer::start(|path, _| {
        let head = |rest: &str| format!("HTTP/1.1 200 OK\r\n{rest}\r\n").into_bytes();
        match path {
            "/moved" => Answer::with("302 Found", &[("location", "/good")], ""),
            "/moved-inside" => {
                let to = "https://169.254.169.254/latest/meta-data";
                Answer::with("307 Temporary Redirect", &[("location", to)], "")
            }
            "/kept" => Answer::with("304 Not Modified", &[], ""),
            "/created" => Answer::with("201 Created", &[], "{}"),
            "/part" => Answer::with("206 Partial Content", &[], "{}"),
            "/missing" => Answer::with("404 Not Found", &[], "{}"),
            "/failing" => Answer::with("503 Service Unavailable", &[], "{}"),
            "/full" => Answer::ok("application/json", &"x".repeat(LIMITS.bytes)),
            "/announced" => Answer::Unfinished(head("content-length: 5121\r\n")),
            "/endless" => Answer::Endless(head(""), vec![b'x'; 100]),
            "/endless-chunks" => {
                let chunk = [b"64\r\n".to_vec(), vec![b'x'; 100], b"\r\n".to_vec()].concat();
                Answer::Endless(head("transfer-encoding: chunked\r\n"), chunk)
            }
            "/endless-head" => {
                Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".to_vec())
            }
            "/short" => {
                let promise = head("content-length: 100\r\n");
                Answer::Whole([promise, b"{}".to_vec()].concat())
            }
            "/silent" => Answer::Unfinished(Vec::new()),
            "/half" => Answer::Unfinished(head("content-length: 9\r\n")),
            "/not-http" => Answer::Whole(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
            "/bare" => Answer::Whole([head(""), b"{}".to_vec()].concat()),
            _ => Answer::ok("Application/JSON; charset=utf-8", "{}"),
        }
    })
    .await
}

fn fetcher(server: &HttpsServer, guard: Guard, lookup: Arc<dyn Lookup>) -> Fetcher {
    let trusting = Client::builder().tls_certs_only([server.certificate()]);
    Fetcher::build(guard, trusting, lookup).unwrap()
}

async fn get(fetcher: &Fetcher, url: &str) -> Result<Fetched, FetchError> {
    fetcher.get(&Url::parse(url).unwrap(), "application/json", LIMITS).await
}

async fn reason(fetcher: &Fetcher, url: &str) -> &'static str {
    get(fetcher, url).await.map_or_else(|error| error.reason(), |_| "none")
}

#[tokio::test]
async fn a_good_answer_comes_whole() {
    let server = server().await;
    let fetcher = fetcher(&server, Guard::public_or_loopback(), Arc::new(crate::resolve::System));
    for path in ["/good", "/bare"] {
        assert_eq!(get(&fetcher, &server.url(path)).await.unwrap().body, b"{}", "{path}");
    }
    let full = get(&fetcher, &server.url("/full")).await.unwrap();
    assert_eq!((full.body.len(), full.media_type().as_str()), (5120, "application/json"));
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    let head = asked[0].to_ascii_lowercase();
    assert!(head.contains("accept: application/json\r\n"), "{head}");
    for never in ["cookie", "authorization", "referer", "accept-encoding"] {
        assert!(!head.contains(never), "{head}");
    }
}

#[tokio::test]
async fn whatever_else_comes_is_refused() {
    let server = server().await;
    let fetcher = fetcher(&server, Guard::public_or_loopback(), Arc::new(crate::resolve::System));
    for (path, why) in [
        ("/moved", "status"),
        ("/moved-inside", "status"),
        ("/kept", "status"),
        ("/created", "status"),
        ("/part", "status"),
        ("/missing", "status"),
        ("/failing", "status"),
        ("/announced", "too_long"),
        ("/endless", "too_long"),
        ("/endless-chunks", "too_long"),
        ("/endless-head", "broken"),
        ("/short", "broken"),
        ("/not-http", "broken"),
    ] {
        assert_eq!(reason(&fetcher, &server.url(path)).await, why, "{path}");
    }
    assert_eq!(server.asked().len(), 13, "no redirect was followed");
}

/// Paused time stands still while anything can be done, and so ends only what waits for nothing.
#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_not_waited_for() {
    let server = server().await;
    let fetcher = fetcher(&server, Guard::public_or_loopback(), Arc::new(crate::resolve::System));
    for path in ["/silent", "/half"] {
        assert_eq!(reason(&fetcher, &server.url(path)).await, "too_slow", "{path}");
    }
}

#[tokio::test]
async fn only_a_certificate_that_is_good_for_the_host_is_trusted() {
    let server = server().await;
    let wrong_name = Script::new(&[&["127.0.0.1"]]);
    let trusting = fetcher(&server, Guard::public_or_loopback(), wrong_name);
    // 127.0.0.2 is loopback too, and not in the certificate.
    let url = format!("https://127.0.0.2:{}/good", server.port());
    assert_eq!(reason(&trusting, &url).await, "unreachable");
    let doubting = Fetcher::new(Guard::public_or_loopback()).unwrap();
    assert_eq!(reason(&doubting, &server.url("/good")).await, "unreachable");
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_name_is_refused_if_any_of_its_addresses_is_not_public() {
    let server = server().await;
    let url = format!("https://client.example.com:{}/good", server.port());
    for addresses in [
        &["127.0.0.1"][..],
        &["10.0.0.7"],
        &["169.254.169.254"],
        &["8.8.8.8", "127.0.0.1"],
        &["2606:4700::1111", "192.168.1.1"],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["64:ff9b:1::7f00:1"],
        &["2002:7f00:1::"],
        &["2001:0:7f00:1::"],
        &["fd00:ec2::254"],
        &["fe80::1"],
        &["0.0.0.0"],
        &["100.100.100.200"],
        &["224.0.0.1"],
        &["255.255.255.255"],
    ] {
        // Loopback is let in under its own name only, which this is not.
        for guard in [Guard::public(), Guard::public_or_loopback()] {
            let fetcher = fetcher(&server, guard, Script::new(&[addresses]));
            let refused = get(&fetcher, &url).await.unwrap_err();
            assert!(matches!(refused, FetchError::NotPublic { .. }), "{addresses:?}: {refused}");
        }
    }
    for nothing in [&[][..], &[&[][..]]] {
        let fetcher = fetcher(&server, Guard::public(), Script::new(nothing));
        assert_eq!(reason(&fetcher, &url).await, "unresolved");
    }
    assert!(server.asked().is_empty());
}

/// A resolver that gives a good address to whoever checks, and another to whoever connects, is
/// asked once. Loopback stands for what is public here.
#[tokio::test]
async fn the_address_that_was_checked_is_the_one_that_is_connected_to() {
    let server = server().await;
    let rebinding = Script::new(&[&["127.0.0.1"], &["10.0.0.7"], &["127.0.0.1"]]);
    let fetcher = fetcher(&server, Guard::public_or_loopback(), Arc::clone(&rebinding) as _);
    assert_eq!(reason(&fetcher, &server.url("/good")).await, "none");
    assert_eq!(rebinding.asked.load(Ordering::SeqCst), 1);
    assert_eq!(reason(&fetcher, &server.url("/good")).await, "address_not_public");
    assert_eq!(rebinding.asked.load(Ordering::SeqCst), 2, "and again for each fetch");
    assert_eq!(reason(&fetcher, &server.url("/good")).await, "none");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn an_address_in_the_url_is_looked_up_nowhere_and_checked() {
    let server = server().await;
    let script = Script::new(&[]);
    let fetcher = fetcher(&server, Guard::public(), Arc::clone(&script) as _);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "[64:ff9b::1]"] {
        let url = format!("https://{host}:{}/good", server.port());
        assert_eq!(reason(&fetcher, &url).await, "address_not_public", "{host}");
    }
    assert_eq!(script.asked.load(Ordering::SeqCst), 0);
    assert!(server.asked().is_empty());
}

#[test]
fn what_may_get_better_is_told_from_what_will_not() {
    let status = |code| FetchError::Status(reqwest::StatusCode::from_u16(code).unwrap());
    for (error, passing) in [
        (FetchError::NotHttps, false),
        (FetchError::TooLong { limit: 1 }, false),
        (FetchError::TooSlow { limit: LIMITS.time }, true),
        (status(302), false),
        (status(404), false),
        (status(429), true),
        (status(502), true),
    ] {
        assert_eq!(error.is_passing(), passing, "{error}");
    }
}
