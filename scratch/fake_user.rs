//! A user and their browser, for the examples: at a server whose identity provider believes everybody, a
//! script may sign in.

use std::{collections::HashMap, error::Error};

use reqwest::{Client, Response, redirect::Policy};
use url::Url;

/// More pages than there are.
const STEPS: usize = 10;

/// Opens the page, agrees to what it asks, and signs in; where the browser is sent in the end, which
/// begins with `redirect_uri`.
pub(crate) async fn agrees(
    authorization_url: Url,
    redirect_uri: &str,
    user: &str,
) -> Result<Url, Box<dyn Error>> {
    let browser = Client::builder().cookie_store(true).redirect(Policy::none()).build()?;
    let mut url = authorization_url;
    let mut answer = browser.get(url.clone()).send().await?;
    for _ in 0..STEPS {
        if answer.status().is_redirection() {
            url = url.join(answer.headers()["location"].to_str()?)?;
            if url.as_str().starts_with(redirect_uri) {
                return Ok(url);
            }
            answer = browser.get(url.clone()).send().await?;
            continue;
        }
        let (action, mut inputs) = form(answer).await?;
        if let Some(id) = inputs.get_mut("userId") {
            user.clone_into(id);
        }
        println!("   the user submits {action}");
        url = url.join(&action)?;
        answer = browser.post(url.clone()).form(&inputs).send().await?;
    }
    Err(format!("{url} leads to no code").into())
}

/// Where the form of a page goes, and its inputs. Enough for the pages of this server.
async fn form(page: Response) -> Result<(String, HashMap<String, String>), Box<dyn Error>> {
    let (status, url) = (page.status(), page.url().clone());
    let html = page.text().await?;
    let form = html.split_once("<form").and_then(|(_, rest)| rest.split_once("</form>"));
    let (form, _) = form.ok_or_else(|| format!("{url} has no form: {status}"))?;
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(rest.split_once('"')?.0.replace("&#38;", "&").replace("&amp;", "&"))
    };
    let action = attribute(form, "action").ok_or("the form goes nowhere")?;
    let inputs = form.split("<input").skip(1).filter_map(|tag| {
        let tag = tag.split('>').next()?;
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    Ok((action, inputs.collect()))
}
