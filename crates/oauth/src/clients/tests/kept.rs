//! How long a document counts.

use super::*;

#[tokio::test]
async fn a_document_is_kept_as_long_as_its_host_says_within_bounds() {
    for (said, seconds) in [("max-age=600", 600), ("no-store", 60), ("max-age=86400", 3600)] {
        let host = HttpsServer::start(move |path, host| {
            let body = document(&format!("https://{host}{path}")).to_string();
            Answer::with("200 OK", &[("content-type", JSON), ("cache-control", said)], &body)
        })
        .await;
        let server = TestServer::reading_from(&[&host], |_| {});
        let id = host.url("/client.json");
        for (after, fetched) in [(0, 1), (seconds - 1, 1), (1, 2)] {
            server.clock.advance(Duration::from_secs(after));
            assert_eq!(ask(&server, &id).await.status, 200);
            assert_eq!(host.asked().len(), fetched, "{said} after {after} more");
        }
    }
}

#[tokio::test]
async fn many_who_ask_at_once_have_it_fetched_once() {
    let host = honest().await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    let asked = (0..20).map(|_| server.context.client(&id));
    for client in futures::future::join_all(asked).await {
        assert_eq!(client.unwrap().unwrap().id, id);
    }
    assert_eq!(host.asked().len(), 1);
}

#[tokio::test]
async fn what_a_document_no_longer_says_no_longer_counts() {
    let host = HttpsServer::start({
        let asked = std::sync::atomic::AtomicUsize::new(0);
        move |path, host| {
            let url = format!("https://{host}{path}");
            match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => Answer::ok(JSON, &document(&url).to_string()),
                _ => changed(&url, "redirect_uris", json!(["https://client.example/new"])),
            }
        }
    })
    .await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    let form = ask(&server, &id).await.form();
    server.clock.advance(Duration::from_secs(301));
    let page = server.submit(&form, &[]).await;
    assert_eq!(page.status, 400, "where it would be sent is not the client's any more");
    assert!(!page.headers.contains_key("location"));
}

/// What one instance may read another need not: each judges by its own settings.
#[tokio::test]
async fn what_was_kept_is_judged_again() {
    let host = HttpsServer::start(|path, host| {
        let url = format!("https://{host}{path}");
        changed(&url, "redirect_uris", json!(["cursor://a.b/cb"]))
    })
    .await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let strict = TestServer::reading_from(&[&host], |config| config.app_schemes.clear());
    let id = host.url("/client.json");
    assert!(server.context.client(&id).await.unwrap().is_some());
    let kept = server.store.document(DocumentKind::Client, &id).await.unwrap().unwrap();
    let life = Duration::from_secs(60);
    strict.store.keep_document(DocumentKind::Client, &id, &kept, life).await.unwrap();
    assert!(strict.context.client(&id).await.is_err());
    assert_eq!(host.asked().len(), 2);
}

#[tokio::test]
async fn a_store_that_is_away_is_no_fault_of_the_client() {
    let host = honest().await;
    let server = TestServer::reading_from(&[&host], |_| {});
    let id = host.url("/client.json");
    for operations in 0..2 {
        server.faults.is_away_after(operations);
        assert_eq!(ask(&server, &id).await.status, 503, "{operations}");
    }
    server.faults.is_back();
    assert_eq!(ask(&server, &id).await.status, 200);
    let described = server.context.client(&id).await.unwrap().unwrap();
    assert_eq!(described.auth, ClientAuth::None);
}
