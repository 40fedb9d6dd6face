//! A user with a browser, on the page of a question.

use http::StatusCode;
use url::Url;

use crate::support::{
    secrets,
    sign_in::{Browser, Form, forms},
};

/// What users type. It is a secret, so no log may have it.
pub(crate) const ANSWER: &str = "what no client may see";

/// A page as a browser shows it.
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) html: String,
}

impl Page {
    pub(crate) fn form(&self) -> Form {
        let mut forms = forms(&self.html);
        assert_eq!(forms.len(), 1, "{}: {}", self.status, self.html);
        forms.swap_remove(0)
    }
}

/// Follows a link to its end.
async fn follow(browser: &Browser, mut url: Url) -> Page {
    loop {
        let answer = browser.get(url.as_str()).await;
        let status = answer.status();
        if !status.is_redirection() {
            return Page { url, status, html: answer.text().await.unwrap() };
        }
        url = url.join(answer.headers()["location"].to_str().unwrap()).unwrap();
    }
}

async fn submit(browser: &Browser, page: &Page, form: &Form) -> Page {
    let answer = browser.submit(&page.url, form).await;
    let (status, url) = (answer.status(), page.url.join(&form.action).unwrap());
    if status.is_redirection() {
        let location = answer.headers()["location"].to_str().unwrap();
        return follow(browser, url.join(location).unwrap()).await;
    }
    Page { url, status, html: answer.text().await.unwrap() }
}

/// Opens a link and signs in on the way, if that is wanted.
pub(crate) async fn open(browser: &Browser, url: &str, user: &str) -> Page {
    let mut page = follow(browser, Url::parse(url).unwrap()).await;
    let wants =
        |page: &Page, field: &str| page.status == StatusCode::OK && page.html.contains(field);
    if wants(&page, "/sign-in\"") {
        page = submit(browser, &page, &page.form()).await;
    }
    if wants(&page, "name=\"userId\"") {
        let mut form = page.form();
        form.fields.insert("userId".to_owned(), user.to_owned());
        page = submit(browser, &page, &form).await;
    }
    assert_eq!(page.url.as_str(), url, "there the browser is again");
    page
}

/// Submits the form of a question; the page that comes then.
pub(crate) async fn send(browser: &Browser, page: &Page, fields: &[(&str, &str)]) -> Page {
    let mut form = page.form();
    form.fields.extend(fields.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    submit(browser, page, &form).await
}

/// Opens a link in a browser of `user`, and answers.
pub(crate) async fn answer(url: &str, user: &str) {
    secrets::seen(ANSWER);
    let browser = Browser::new();
    let page = open(&browser, url, user).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.html);
    let over = send(&browser, &page, &[("answer", ANSWER)]).await;
    assert!(over.html.contains("id=\"completed\""), "{}: {}", over.status, over.html);
}
