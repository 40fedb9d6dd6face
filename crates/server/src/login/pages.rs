//! Through the pages, to the code.

use reqwest::{Client, Response, header};
use url::Url;

use super::{LoginError, REDIRECT_URI, form::Form, unreachable};

/// More steps than any login has.
const STEPS: usize = 10;

/// Follows redirects and submits forms until the browser is sent back with a code.
pub(super) async fn walk(
    client: &Client,
    start: Url,
    state: &str,
    user: Option<&str>,
    issuer: &str,
) -> Result<String, LoginError> {
    let ours = start.origin();
    let mut url = start;
    let mut answer = get(client, &url).await?;
    for _ in 0..STEPS {
        if answer.status().is_redirection() {
            url = target(&url, &answer)?;
            if url.as_str().starts_with(REDIRECT_URI) {
                return code(&url, state, issuer);
            }
            if url.origin() != ours {
                let provider = url.host_str().unwrap_or_default().to_owned();
                return Err(LoginError::RealProvider { provider });
            }
            answer = get(client, &url).await?;
            continue;
        }
        let status = answer.status();
        let page = answer.text().await.map_err(|error| unreachable(url.as_str(), &error))?;
        let form = Form::read(&page).filter(|_| status.is_success());
        let Some(mut form) = form else {
            let (what, body) = (url.path().to_owned(), words(&page));
            return Err(LoginError::Refused { what, status: status.as_u16(), body });
        };
        if let Some(user) = user {
            form.fill("userId", user);
        }
        let action = if form.action.is_empty() { url.as_str() } else { &form.action };
        url = url.join(action).map_err(|error| unexpected(&page, &error.to_string()))?;
        if form.post {
            let request = client.post(url.clone()).form(&form.fields);
            answer = request.send().await.map_err(|error| unreachable(url.as_str(), &error))?;
        } else {
            url.query_pairs_mut().clear().extend_pairs(&form.fields);
            answer = get(client, &url).await?;
        }
    }
    Err(unexpected(url.path(), "it leads to no code"))
}

async fn get(client: &Client, url: &Url) -> Result<Response, LoginError> {
    let answer = client.get(url.clone()).send().await;
    answer.map_err(|error| unreachable(url.as_str(), &error))
}

fn target(from: &Url, answer: &Response) -> Result<Url, LoginError> {
    let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let location = location.ok_or_else(|| unexpected(from.path(), "it redirects to nowhere"))?;
    from.join(location).map_err(|error| unexpected(from.path(), &error.to_string()))
}

fn code(url: &Url, state: &str, issuer: &str) -> Result<String, LoginError> {
    let get = |name| url.query_pairs().find(|(key, _)| key == name).map(|(_, v)| v.into_owned());
    if get("state").as_deref() != Some(state) {
        return Err(unexpected("the redirect", "its state is not the one that was sent"));
    }
    // RFC 9207 section 2.4.
    if get("iss").is_some_and(|iss| iss != issuer) {
        return Err(unexpected("the redirect", "it comes from another issuer"));
    }
    if let Some(error) = get("error") {
        let description = get("error_description").unwrap_or_default();
        return Err(unexpected("the redirect", &format!("{error}: {description}")));
    }
    get("code").ok_or_else(|| unexpected("the redirect", "it carries no code"))
}

/// What a page says, without its tags; of what is no page, all.
pub(super) fn words(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let text = body.split('<').map(|tag| tag.split_once('>').map_or(tag, |(_, text)| text));
    text.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

fn unexpected(what: &str, reason: &str) -> LoginError {
    LoginError::Unexpected { what: what.to_owned(), reason: reason.to_owned() }
}
