//! Two browsers, one of them Mallory's, and pages of other sites.

use http::StatusCode;
use reqwest::Response;
use serde_json::json;
use url::Url;

use crate::support::{
    Deployment, SignIn,
    rows::client,
    sign_in::{Browser, Form, forms},
};

on_every_deployment!(
    a_form_is_good_in_the_browser_it_was_made_for,
    a_login_is_finished_in_the_browser_that_began_it,
    another_port_of_this_host_cannot_agree_for_the_user,
    pages_cannot_be_framed_kept_or_told_of,
    what_a_client_says_stays_text,
);

/// The page that asks, and its form.
async fn asked(sign_in: &SignIn<'_>, browser: &Browser) -> Form {
    let page = browser.get(sign_in.authorization_url().as_str()).await;
    assert_eq!(page.status(), StatusCode::OK);
    forms(&page.text().await.unwrap()).swap_remove(0)
}

#[track_caller]
fn refused(answer: &Response, status: StatusCode) {
    assert_eq!(answer.status(), status);
    assert!(!answer.headers().contains_key("location"));
}

async fn a_form_is_good_in_the_browser_it_was_made_for(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let (alice, mallory) = (&sign_in.browser, Browser::new());
    let (hers, his) = (asked(&sign_in, alice).await, asked(&sign_in, &mallory).await);
    let page = sign_in.authorization_url();
    refused(&alice.submit(&page, &his).await, StatusCode::FORBIDDEN);
    refused(&mallory.submit(&page, &hers).await, StatusCode::FORBIDDEN);
    refused(&Browser::new().submit(&page, &hers).await, StatusCode::FORBIDDEN);
    // Nor is what she was asked another question.
    let mut more = asked(&sign_in, alice).await;
    let request = more.fields.get_mut("request").unwrap();
    request.push_str("&scope=mcp%3Aadmin");
    refused(&alice.submit(&page, &more).await, StatusCode::FORBIDDEN);
    assert_eq!(alice.submit(&page, &hers).await.status(), StatusCode::SEE_OTHER);
}

/// Mallory agrees for his client, and has Alice sign in: the code would be hers, and go to him.
async fn a_login_is_finished_in_the_browser_that_began_it(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let (alice, mallory) = (&sign_in.browser, Browser::new());
    let page = sign_in.authorization_url();
    let form = asked(&sign_in, &mallory).await;
    let away = mallory.submit(&page, &form).await;
    let provider = Url::parse(away.headers()["location"].to_str().unwrap()).unwrap();

    asked(&sign_in, alice).await;
    let shown = alice.get(provider.as_str()).await.text().await.unwrap();
    let mut signed_in = forms(&shown).swap_remove(0);
    signed_in.fields.insert("userId".to_owned(), "alice".to_owned());
    refused(&alice.submit(&provider, &signed_in).await, StatusCode::FORBIDDEN);
    refused(&Browser::new().submit(&provider, &signed_in).await, StatusCode::FORBIDDEN);

    signed_in.fields.insert("userId".to_owned(), "mallory".to_owned());
    let back = mallory.submit(&provider, &signed_in).await;
    assert_eq!(back.status(), StatusCode::SEE_OTHER);
    // A state is good once.
    refused(&mallory.submit(&provider, &signed_in).await, StatusCode::BAD_REQUEST);
}

async fn another_port_of_this_host_cannot_agree_for_the_user(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let form = asked(&sign_in, &sign_in.browser).await;
    let submit = async |site: &str| {
        let request = sign_in.browser.http.post(server.url("/authorize/consent"));
        request.header("sec-fetch-site", site).form(&form.fields).send().await.unwrap()
    };
    refused(&submit("same-site").await, StatusCode::FORBIDDEN);
    refused(&submit("cross-site").await, StatusCode::FORBIDDEN);
    assert_eq!(submit("same-origin").await.status(), StatusCode::SEE_OTHER);
}

#[track_caller]
fn is_closed(answer: &Response) {
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value.map_or("", |value| value.to_str().unwrap()).to_owned()
    };
    let url = answer.url();
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{url}");
    assert_eq!(header("x-frame-options"), "DENY", "{url}");
    assert_eq!(header("cache-control"), "no-store", "{url}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{url}");
}

async fn pages_cannot_be_framed_kept_or_told_of(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let browser = &sign_in.browser;
    let mut url = sign_in.authorization_url();
    let mut answer = browser.get(url.as_str()).await;
    let mut seen = Vec::new();
    while !url.as_str().starts_with(&sign_in.redirect_uri) {
        is_closed(&answer);
        seen.push(answer.status().as_u16());
        if answer.status().is_redirection() {
            // Not 307, with which a form would go along (OAuth 2.1, section 7.5.1).
            assert_eq!(answer.status(), StatusCode::SEE_OTHER);
            url = url.join(answer.headers()["location"].to_str().unwrap()).unwrap();
            if !url.as_str().starts_with(&sign_in.redirect_uri) {
                answer = browser.get(url.as_str()).await;
            }
            continue;
        }
        let cookie = answer.headers().get("set-cookie").map(|set| set.to_str().unwrap().to_owned());
        if let Some(cookie) = cookie {
            assert!(cookie.contains("; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"), "{cookie}");
        }
        let form = forms(&answer.text().await.unwrap()).swap_remove(0);
        answer = browser.submit(&url, &form).await;
        url = url.join(&form.action).unwrap();
    }
    assert_eq!(seen, [200, 303, 200, 303], "consent, and signing in");
    for path in ["/authorize", "/fakeupstreamauth/authorize", "/fakeupstreamauth/redirect?state=x"]
    {
        let answer = browser.get(&server.url(path)).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        is_closed(&answer);
    }
}

/// A name is no markup on a page, and a state no line of a header.
async fn what_a_client_says_stays_text(on: &Deployment) {
    let server = on.start();
    let sign_in = SignIn::register(&server).await;
    let name = "<img src=x onerror=alert(1)>\"'&amp;";
    let document = json!({
        "client_name": name, "redirect_uris": [sign_in.redirect_uri],
        "token_endpoint_auth_method": "none"
    });
    let registered = client().post(server.url("/register")).json(&document).send().await.unwrap();
    let registered: serde_json::Value = registered.json().await.unwrap();
    let client_id = registered["client_id"].as_str().unwrap().to_owned();
    let sign_in = SignIn { client_id, ..sign_in };
    let state = "a\r\nSet-Cookie: b=c\r\n\r\n<b>";
    let mut url = sign_in.authorization_url();
    url.query_pairs_mut().clear().extend_pairs(
        sign_in
            .authorization_url()
            .query_pairs()
            .map(|(key, value)| if key == "state" { (key, state.into()) } else { (key, value) }),
    );
    let page = sign_in.browser.get(url.as_str()).await.text().await.unwrap();
    assert!(!page.contains("<img") && !page.contains("<b>"), "{page}");
    assert!(page.contains("&#60;img src=x onerror=alert(1)&#62;&#34;&#39;&#38;amp;"), "{page}");
    let form = forms(&page).swap_remove(0);
    let away = sign_in.browser.submit(&url, &form).await;
    let provider = Url::parse(away.headers()["location"].to_str().unwrap()).unwrap();
    let page = sign_in.browser.get(provider.as_str()).await.text().await.unwrap();
    let back = sign_in.browser.submit(&provider, &forms(&page).swap_remove(0)).await;
    assert!(!back.headers().contains_key("set-cookie"));
    let back = Url::parse(back.headers()["location"].to_str().unwrap()).unwrap();
    assert!(back.query_pairs().any(|(key, value)| key == "state" && value == state), "{back}");
}
