//! The browser a login belongs to.
//!
//! A cookie with a random value names the browser. What a page lets it do is signed together with
//! that value, and a login under way keeps its hash: so neither a form nor a login can be started
//! in one browser and finished in another (RFC 9700, section 4.7).

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_everything_store::{Random, SecretKeys, Timestamp, oauth::SecretHash};

use crate::{cookies::CookieName, secret::PlainSecret};

const FORM: &str = "login form";
const LOGIN: &str = "login";
const NONCE: usize = 12;

/// A browser, by the value of its cookie.
pub(crate) struct Browser {
    value: String,
    https: bool,
}

impl Browser {
    /// A browser that had no cookie yet.
    pub(crate) fn new(random: &dyn Random, https: bool) -> Self {
        Self { value: random.token::<32>(), https }
    }

    /// The browser that sent a request, if it has a cookie of ours.
    pub(crate) fn of(headers: &HeaderMap, https: bool) -> Option<Self> {
        let value = CookieName::login(https).values(headers).find(|value| is_ours(value))?;
        Some(Self { value, https })
    }

    /// The cookie, for as long as a login may take.
    pub(crate) fn cookie(&self, life: std::time::Duration) -> Option<HeaderValue> {
        CookieName::login(self.https).set(&self.value, life)
    }

    /// What a login under way remembers of it.
    pub(crate) fn hash(&self) -> SecretHash {
        SecretHash::of(&self.value)
    }

    /// Signs what a form asks this browser's user. No two signatures are the same, even if they ask
    /// the same.
    pub(crate) fn sign(
        &self,
        keys: &SecretKeys,
        form: &str,
        until: Timestamp,
        random: &dyn Random,
    ) -> String {
        let (until, nonce) = (until.as_millis(), random.token::<NONCE>());
        let tag = keys.sign(FORM, &self.parts(form, &nonce, &until.to_be_bytes()));
        format!("{until}.{nonce}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The state of the login that this form begins with this answer, if this browser was asked
    /// this, and not too long ago.
    ///
    /// It follows from the form and the answer, so that one form begins one login however often it
    /// is submitted: a browser may submit it twice, and whoever has one could fill the store with
    /// it. It follows from what was signed and not from the signature, which has more than one text.
    /// Whoever goes back and answers something else begins another login.
    pub(crate) fn verify(
        &self,
        keys: &SecretKeys,
        form: &str,
        signature: &str,
        answer: &str,
        now: Timestamp,
    ) -> Option<PlainSecret> {
        let (until, rest) = signature.split_once('.')?;
        let (nonce, tag) = rest.split_once('.')?;
        let (until, tag) = (until.parse::<u64>().ok()?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        let end = until.to_be_bytes();
        let parts = self.parts(form, nonce, &end);
        let is_good = now.as_millis() < until && keys.verify(FORM, &parts, &tag);
        let [browser, form, nonce, end] = parts;
        let parts = [browser, form, nonce, end, answer.as_bytes()];
        is_good.then(|| PlainSecret::for_login(keys.sign(LOGIN, &parts)))
    }

    const fn parts<'a>(
        &'a self,
        form: &'a str,
        nonce: &'a str,
        until: &'a [u8; 8],
    ) -> [&'a [u8]; 4] {
        [self.value.as_bytes(), form.as_bytes(), nonce.as_bytes(), until]
    }
}

/// Whether the browser says that a page of somebody else had it send this (Fetch Metadata). Every
/// current one says so of a request to HTTPS or loopback. It does for pages on another port of this
/// host, which `SameSite` takes for ours and which can set its cookies.
pub fn is_sent_by_others(headers: &HeaderMap) -> bool {
    let others = |site: &HeaderValue| site == "cross-site" || site == "same-site";
    headers.get_all("sec-fetch-site").iter().any(others)
}

fn is_ours(value: &str) -> bool {
    URL_SAFE_NO_PAD.decode(value).is_ok_and(|bytes| bytes.len() == 32)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::header;
    use mcp_everything_store::TestRandom;

    use super::*;

    fn browser() -> Browser {
        Browser::new(&TestRandom::seeded(1), false)
    }

    fn sent(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|value| (header::COOKIE, value.parse().unwrap())).collect()
    }

    #[test]
    fn the_cookie_is_out_of_reach_for_others() {
        let plain = browser().cookie(Duration::from_secs(600)).unwrap();
        let value = browser().value;
        assert_eq!(
            plain.to_str().unwrap(),
            format!("mcp-login={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age=600"),
        );
        let secure = Browser { https: true, ..browser() }.cookie(Duration::ZERO).unwrap();
        let secure = secure.to_str().unwrap();
        assert!(secure.starts_with("__Host-mcp-login="), "{secure}");
        assert!(secure.contains("; Secure") && secure.contains("; Path=/"), "{secure}");
        assert!(!secure.contains("Domain"), "{secure}");
    }

    #[test]
    fn a_browser_is_known_by_its_cookie() {
        let value = browser().value;
        let mine = format!("mcp-login={value}");
        let found = |cookies: &[&str]| Browser::of(&sent(cookies), false).map(|found| found.value);
        assert_eq!(found(&[&mine]), Some(value.clone()));
        assert_eq!(found(&[&format!("a=b; {mine}; c=d")]), Some(value.clone()));
        assert_eq!(found(&["a=b", &mine]), Some(value.clone()));
        assert_eq!(found(&[]), None);
        assert_eq!(found(&["mcp-login=short"]), None);
        assert_eq!(found(&[&format!("mcp-login={value}x")]), None);
        assert_eq!(found(&[&format!("__Host-mcp-login={value}")]), None);
        assert!(Browser::of(&sent(&[&mine]), true).is_none(), "it did not come through TLS");
    }

    #[test]
    fn a_signature_is_good_for_one_form_browser_and_time() {
        let random = TestRandom::seeded(2);
        let keys = SecretKeys::generate(&random);
        let (now, until) = (Timestamp::from_millis(1000), Timestamp::from_millis(2000));
        let signature = browser().sign(&keys, "a=1", until, &random);
        let good = |browser: Browser, form, signature: &str, now| {
            browser.verify(&keys, form, signature, "", now).is_some()
        };
        assert!(good(browser(), "a=1", &signature, now));
        assert!(!good(browser(), "a=2", &signature, now), "another form");
        assert!(!good(browser(), "a=1", &signature, until), "too late");
        let other = Browser::new(&TestRandom::seeded(3), false);
        assert!(!good(other, "a=1", &signature, now), "another browser");
        let parts: Vec<&str> = signature.split('.').collect();
        let [_, nonce, tag] = parts[..] else { panic!("{signature}") };
        for bad in [
            "",
            ".",
            "..",
            tag,
            &format!("2000.{tag}"),
            &format!("2000..{tag}"),
            &format!("2000.{nonce}"),
            &format!("2000.{nonce}."),
            &format!("3000.{nonce}.{tag}"),
            &format!("2000.{}.{tag}", &nonce[1..]),
            &format!("2000.{nonce}.{}", &tag[1..]),
            &format!("2000.{nonce}.{tag}."),
        ] {
            assert!(!good(browser(), "a=1", bad, now), "{bad}");
        }
    }

    #[test]
    fn one_form_begins_one_login_with_each_answer() {
        let random = TestRandom::seeded(2);
        let keys = SecretKeys::generate(&random);
        let (now, until) = (Timestamp::from_millis(1000), Timestamp::from_millis(2000));
        let answered = |signature: &str, answer| {
            let state = browser().verify(&keys, "a=1", signature, answer, now).unwrap();
            state.expose().to_owned()
        };
        let state = |signature: &str| answered(signature, "");
        let signature = browser().sign(&keys, "a=1", until, &random);
        let one = state(&signature);
        for respelt in ["", "0", "+", "+000"] {
            assert_eq!(state(&format!("{respelt}{signature}")), one, "{respelt}");
        }
        assert!(!signature.contains(&one), "the page does not give it away");
        let other = answered(&signature, "mcp:tools");
        assert_ne!(other, one);
        assert_eq!(answered(&signature, "mcp:tools"), other);
        let again = browser().sign(&keys, "a=1", until, &random);
        assert_ne!(state(&again), one, "a form that was made at the same time");
    }
}
