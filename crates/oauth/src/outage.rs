//! A store that goes away in the middle of a request: whatever had happened by then, the same
//! request works when it is back.

use crate::testing::{Page, TestServer, Tokens, VERIFIER, authorize_url, client, form};

/// Who reads the answer.
#[derive(Clone, Copy)]
enum Reader {
    Person,
    Program,
}

/// Lets each store operation of a request fail in turn, and then repeats the request. `prepare`
/// makes what `send` sends.
async fn can_be_repeated<T>(
    reader: Reader,
    prepare: impl AsyncFn(&TestServer) -> T,
    send: impl AsyncFn(&TestServer, &T) -> Page,
    success: u16,
) -> usize {
    for operations in 0.. {
        let server = TestServer::new();
        server.put_client(&client("c")).await;
        let prepared = prepare(&server).await;
        server.faults.is_away_after(operations);
        let first = send(&server, &prepared).await;
        server.faults.is_back();
        if first.status == success {
            return operations;
        }
        assert_eq!(first.status, 503, "after {operations} operations: {}", first.body);
        let seconds: u16 = first.header("retry-after").parse().unwrap();
        assert!((1..=5).contains(&seconds), "{seconds}");
        assert!(!first.body.contains("broken on purpose"), "{}", first.body);
        assert_eq!(first.header("cache-control"), "no-store");
        match reader {
            Reader::Program => first.assert_error(503, "temporarily_unavailable"),
            Reader::Person => {
                assert!(first.header("content-type").starts_with("text/html"));
                assert!(first.body.contains("The server cannot answer now."), "{}", first.body);
            }
        }
        let second = send(&server, &prepared).await;
        assert_eq!(second.status, success, "after {operations} operations: {}", second.body);
    }
    unreachable!("a request has an end")
}

async fn logged_in(server: &TestServer) -> Tokens {
    server.log_in("c", "alice", &[]).await
}

#[tokio::test]
async fn registration() {
    let document = "{\"redirect_uris\":[\"http://localhost/callback\"]}";
    let send = async |server: &TestServer, (): &()| {
        server.post("/register", "application/json", document).await
    };
    assert_eq!(can_be_repeated(Reader::Program, async |_| (), send, 201).await, 1);
}

#[tokio::test]
async fn asking_for_consent() {
    let send = async |server: &TestServer, (): &()| server.get(&authorize_url("c", &[])).await;
    assert_eq!(can_be_repeated(Reader::Person, async |_| (), send, 200).await, 1);
}

#[tokio::test]
async fn consent() {
    let prepare = async |server: &TestServer| server.get(&authorize_url("c", &[])).await.form();
    let send =
        async |server: &TestServer, form: &_| server.submit(form, &[("decision", "allow")]).await;
    assert_eq!(can_be_repeated(Reader::Person, prepare, send, 303).await, 2);
}

#[tokio::test]
async fn sign_in() {
    let prepare = async |server: &TestServer| {
        let consent = server.get(&authorize_url("c", &[])).await.form();
        let away = server.submit(&consent, &[("decision", "allow")]).await;
        server.get(away.header("location")).await.form()
    };
    let send = async |server: &TestServer, form: &_| server.submit(form, &[]).await;
    assert_eq!(can_be_repeated(Reader::Person, prepare, send, 303).await, 5);
}

/// The grants, then what is pressed: one is looked at and ended; of all, they are listed once more.
#[tokio::test]
async fn the_account_page() {
    let session = async |server: &TestServer| {
        logged_in(server).await;
        let away = server.submit(&server.get("/account").await.form(), &[]).await;
        let provider = server.get(away.header("location")).await.form();
        assert_eq!(server.submit(&provider, &[("userId", "alice")]).await.status, 303);
    };
    let show = async |server: &TestServer, (): &()| server.get("/account").await;
    assert_eq!(can_be_repeated(Reader::Person, session, show, 200).await, 1);
    for (number, operations) in [(0, 2), (1, 3)] {
        let prepare = async |server: &TestServer| {
            session(server).await;
            let forms = server.get("/account").await.forms();
            forms.into_iter().filter(|form| form.has("grant")).nth(number).unwrap()
        };
        let send = async |server: &TestServer, form: &_| server.submit(form, &[]).await;
        let all = can_be_repeated(Reader::Person, prepare, send, 303).await;
        assert_eq!(all, operations, "{number}");
    }
}

#[tokio::test]
async fn code_exchange() {
    let prepare = async |server: &TestServer| {
        let code = server.code("c", "alice", &[]).await;
        let request = [
            ("grant_type", "authorization_code"),
            ("client_id", "c"),
            ("code", &code),
            ("code_verifier", VERIFIER),
        ];
        form(&request, &[])
    };
    let send = async |server: &TestServer, form: &String| server.post_form("/token", form).await;
    assert_eq!(can_be_repeated(Reader::Program, prepare, send, 200).await, 7);
}

#[tokio::test]
async fn refresh() {
    let prepare = async |server: &TestServer| {
        let token = logged_in(server).await.refresh;
        let request =
            [("grant_type", "refresh_token"), ("client_id", "c"), ("refresh_token", &token)];
        form(&request, &[])
    };
    let send = async |server: &TestServer, form: &String| server.post_form("/token", form).await;
    assert_eq!(can_be_repeated(Reader::Program, prepare, send, 200).await, 6);
}

#[tokio::test]
async fn revocation() {
    let send = async |server: &TestServer, form: &String| server.post_form("/revoke", form).await;
    let access =
        async |server: &TestServer| format!("client_id=c&token={}", logged_in(server).await.access);
    let refresh = async |server: &TestServer| {
        format!("client_id=c&token={}", logged_in(server).await.refresh)
    };
    assert_eq!(can_be_repeated(Reader::Program, access, send, 200).await, 3);
    assert_eq!(can_be_repeated(Reader::Program, refresh, send, 200).await, 3);
}

#[tokio::test]
async fn introspection() {
    let send =
        async |server: &TestServer, form: &String| server.post_form("/introspect", form).await;
    let access =
        async |server: &TestServer| format!("client_id=c&token={}", logged_in(server).await.access);
    assert_eq!(can_be_repeated(Reader::Program, access, send, 200).await, 2);
}
