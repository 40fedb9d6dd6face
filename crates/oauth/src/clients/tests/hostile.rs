//! Identifiers and documents that are meant to do harm, one in each row.

use super::*;

/// Each is told to the user, on a page, and the browser is sent nowhere.
#[tokio::test]
async fn hostile_identifiers_are_refused_unasked() {
    let server = TestServer::new();
    let mut rows = vec![
        ("https://127.0.0.1.evil.example@169.254.169.254/a", "user name"),
        ("https://user:secret@client.example/a", "user name"),
        ("https://client.example/a#b", "fragment"),
        ("https://client.example", "no path"),
        ("https://client.example/", "no path"),
        ("https://client.example/a/../b", "one form"),
        ("https://client.example/%2e%2e/b", "one form"),
        ("https://client.example/./b", "one form"),
        ("https://CLIENT.example/a", "one form"),
        ("https://client.example:443/a", "one form"),
        ("https://client.example\\@evil.example/a", "one form"),
        ("https://client.example/a b", "one form"),
        ("https://client.example/\u{fc}", "one form"),
        ("https://2130706433/a", "one form"),
        ("https://0x7f.1/a", "one form"),
        ("https://127.1/a", "one form"),
        ("https://[::ffff:127.0.0.1]/a", "one form"),
        ("https://", "not a URL"),
        ("https://[::1/a", "not a URL"),
        ("http://client.example/a", "not registered"),
        ("ftp://client.example/a", "not registered"),
        ("file:///etc/passwd", "not registered"),
        ("HTTPS://client.example/a", "not registered"),
        ("javascript:alert(1)", "not registered"),
    ];
    // In the one form that there is of them; this server is on loopback, and may go there.
    for address in [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::ffff:7f00:1]",
        "[::ffff:a00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:1::1]",
        "[2001:db8::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[::]",
        "[::7f00:1]",
    ] {
        let id: &'static str = String::leak(format!("https://{address}/latest/meta-data/"));
        rows.push((id, "which is"));
    }
    for (id, says) in rows {
        let page = ask(&server, id).await;
        assert_eq!(page.status, 400, "{id}: {}", page.body);
        assert!(page.body.contains(says), "{id}: {}", page.body);
        assert!(!page.headers.contains_key("location"), "{id}");
        let request = [("grant_type", "authorization_code"), ("client_id", id), ("code", "x")];
        let token = server.post_form("/token", &form(&request, &[])).await;
        token.assert_error(401, "invalid_client");
    }
    let long = format!("https://client.example/{}", "a".repeat(250));
    assert!(ask(&server, &long).await.body.contains("longer than 256"));
}

fn without(url: &str, member: &str) -> Answer {
    changed(url, member, Value::Null)
}

fn hostile(path: &str, host: &str) -> Answer {
    let url = format!("https://{host}{path}");
    let good = document(&url).to_string();
    let head = |rest: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: {JSON}\r\n{rest}\r\n");
    let keys = json!({"keys": []});
    match path {
        "/moved" => Answer::with("302 Found", &[("location", "/good")], ""),
        "/moved-inside" => {
            Answer::with("307 Moved", &[("location", "https://169.254.169.254/")], "")
        }
        "/missing" => Answer::with("404 Not Found", &[("content-type", JSON)], &good),
        "/created" => Answer::with("201 Created", &[("content-type", JSON)], &good),
        "/failing" => Answer::with("500 Oh", &[("content-type", JSON)], &good),
        "/busy" => Answer::with("429 Slow Down", &[("content-type", JSON)], &good),
        "/html" => Answer::ok("text/html", &good),
        "/untyped" => Answer::with("200 OK", &[], &good),
        "/long" => Answer::ok(JSON, &format!("{good}{}", " ".repeat(5 * 1024))),
        "/endless" => Answer::Endless(head("").into_bytes(), vec![b' '; 1000]),
        "/broken" => Answer::Whole([head("content-length: 999\r\n"), good].concat().into_bytes()),
        "/empty" => Answer::ok(JSON, ""),
        "/not-json" => Answer::ok(JSON, "client_id=x"),
        "/list" => Answer::ok(JSON, &format!("[{good}]")),
        "/latin1" => {
            let body = b"{\"client_name\":\"\xe9\"}";
            let head = head(&format!("content-length: {}\r\n", body.len()));
            Answer::Whole([head.as_bytes(), body].concat())
        }
        "/other" => changed(&url, "client_id", json!("https://client.example/other")),
        "/slash" => changed(&url, "client_id", json!(format!("{url}/"))),
        "/case" => changed(&url, "client_id", json!(url.replace("localhost", "LOCALHOST"))),
        "/no-id" => without(&url, "client_id"),
        "/number" => changed(&url, "client_id", json!(7)),
        "/no-name" => without(&url, "client_name"),
        "/blank-name" => changed(&url, "client_name", json!("  ")),
        "/odd-name" => changed(&url, "client_name", json!("a\u{202e}b")),
        "/no-uris" => without(&url, "redirect_uris"),
        "/no-uri" => changed(&url, "redirect_uris", json!([])),
        "/script-uri" => changed(&url, "redirect_uris", json!(["javascript:alert(1)"])),
        "/plain-uri" => changed(&url, "redirect_uris", json!(["http://client.example/cb"])),
        "/secret" => changed(&url, "client_secret", json!("x")),
        "/secret-end" => changed(&url, "client_secret_expires_at", json!(0)),
        "/basic" => changed(&url, "token_endpoint_auth_method", json!("client_secret_basic")),
        "/post" => changed(&url, "token_endpoint_auth_method", json!("client_secret_post")),
        "/jwt" => changed(&url, "token_endpoint_auth_method", json!("client_secret_jwt")),
        "/keyless" => changed(&url, "token_endpoint_auth_method", json!("private_key_jwt")),
        "/no-keys" => {
            let mut document = document(&url);
            document["token_endpoint_auth_method"] = json!("private_key_jwt");
            document["jwks"] = keys;
            Answer::ok(JSON, &document.to_string())
        }
        "/implicit" => changed(&url, "grant_types", json!(["implicit"])),
        "/machine" => changed(&url, "grant_types", json!(["client_credentials"])),
        "/token-type" => changed(&url, "response_types", json!(["token"])),
        "/page" => changed(&url, "client_uri", json!("javascript:alert(1)")),
        _ => Answer::ok(JSON, &good),
    }
}

#[tokio::test]
async fn hostile_documents_are_refused() {
    let host = HttpsServer::start(hostile).await;
    let server = TestServer::reading_from(&[&host], |_| {});
    for (path, status, says) in [
        ("/moved", 400, "status 302"),
        ("/moved-inside", 400, "status 307"),
        ("/missing", 400, "status 404"),
        ("/created", 400, "status 201"),
        ("/failing", 503, "status 500"),
        ("/busy", 503, "status 429"),
        ("/html", 400, "not application/json"),
        ("/untyped", 400, "not application/json"),
        ("/long", 400, "longer than 5120 bytes"),
        ("/endless", 400, "longer than 5120 bytes"),
        ("/broken", 503, "does not answer"),
        ("/empty", 400, "not a JSON object"),
        ("/not-json", 400, "not a JSON object"),
        ("/list", 400, "not a JSON object"),
        ("/latin1", 400, "not a JSON object"),
        ("/other", 400, "another client_id"),
        ("/slash", 400, "another client_id"),
        ("/case", 400, "another client_id"),
        ("/no-id", 400, "no client_id"),
        ("/number", 400, "client_id must be a string"),
        ("/no-name", 400, "no client_name"),
        ("/blank-name", 400, "no client_name"),
        ("/odd-name", 400, "client_name has control characters"),
        ("/no-uris", 400, "redirect_uris is missing"),
        ("/no-uri", 400, "redirect_uris is missing"),
        ("/script-uri", 400, "redirect_uris: number 1"),
        ("/plain-uri", 400, "redirect_uris: number 1"),
        ("/secret", 400, "client_secret, and"),
        ("/secret-end", 400, "client_secret_expires_at, and"),
        ("/basic", 400, "token_endpoint_auth_method"),
        ("/post", 400, "token_endpoint_auth_method"),
        ("/jwt", 400, "token_endpoint_auth_method"),
        ("/keyless", 400, "jwks or jwks_uri"),
        ("/no-keys", 400, "jwks"),
        ("/implicit", 400, "grant_types"),
        ("/machine", 400, "grant_types"),
        ("/token-type", 400, "response_types"),
        ("/page", 400, "client_uri"),
    ] {
        let before = host.asked().len();
        let id = host.url(path);
        let page = ask(&server, &id).await;
        assert_eq!(page.status, status, "{path}: {}", page.body);
        assert!(page.body.contains(says), "{path}: {}", page.body);
        assert!(!page.headers.contains_key("location"), "{path}");
        assert_eq!(page.headers.contains_key("retry-after"), status == 503, "{path}");
        let kept = server.store.document(DocumentKind::Client, &id).await.unwrap();
        assert_eq!(kept, None, "{path}: nothing of it is kept");
        let request = [("grant_type", "authorization_code"), ("client_id", id.as_str())];
        let token = server.post_form("/token", &form(&request, &[])).await;
        match status {
            503 => token.assert_error(503, "temporarily_unavailable"),
            _ => token.assert_error(401, "invalid_client"),
        }
        assert_eq!(host.asked().len(), before + 2, "{path}: asked anew, and no redirect followed");
    }
    assert_eq!(ask(&server, &host.url("/good")).await.status, 200);
}

/// What the log has, so that it can be searched and counted.
#[tokio::test]
async fn each_reason_has_a_word() {
    let host = HttpsServer::start(hostile).await;
    let server = TestServer::reading_from(&[&host], |_| {});
    for (id, reason) in [
        (host.url("/moved"), "status"),
        (host.url("/other"), "other_client_id"),
        ("https://10.0.0.1/a".to_owned(), "address_not_public"),
        ("https://client.example/".to_owned(), "url"),
    ] {
        let Err(LookupError::Document(error)) = server.context.client(&id).await else {
            panic!("{id} is no good");
        };
        assert_eq!(error.reason(), reason, "{id}: {error}");
    }
}
