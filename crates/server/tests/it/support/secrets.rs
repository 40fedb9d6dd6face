//! No secret reaches the log.
//!
//! Whatever secret passes through the tests is remembered here, and when a server's log is no longer
//! used every line of it is looked at: for each of them, in each form it may be written in, and for
//! whatever looks like one. A line that has one fails its test.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use aho_corasick::AhoCorasick;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::Value;

static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Shorter ones are words that a line may have for other reasons.
const SHORTEST: usize = 8;
/// Values in lines are cut off somewhere: of a long secret the beginning must not be there.
const LONGEST: usize = 64;

/// What secrets of ours and of others begin with, and how many characters of one follow at least.
const SHAPES: [(&str, usize); 7] = [
    ("mca_", 16),
    ("mcc_", 16),
    ("mcr_", 16),
    ("mcs_", 16),
    // JSON in base64url: the head of a JWS.
    ("eyJ", 24),
    ("Bearer ", 16),
    ("Basic ", 16),
];

/// Remembers a secret.
pub(crate) fn seen(secret: &str) {
    if secret.len() >= SHORTEST {
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(secret.to_owned());
    }
}

/// Whether it is remembered.
pub(crate) fn is_seen(secret: &str) -> bool {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).contains(secret)
}

/// Remembers what the setting of this name holds, if that is a secret or has one in it.
pub(crate) fn seen_in_setting(name: &str, value: &str) {
    if ["SECRET", "PASSWORD"].iter().any(|word| name.contains(word)) {
        value.split(',').for_each(seen);
    }
    if let Ok(url) = url::Url::parse(value)
        && let Some(password) = url.password()
    {
        seen(password);
    }
}

/// Remembers what a browser is sent: cookies, and what a redirect has in its query.
pub(crate) fn seen_in_answer(answer: &reqwest::Response) {
    for cookie in answer.headers().get_all("set-cookie") {
        let pair = cookie.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        seen(pair.split_once('=').map_or("", |(_, value)| value));
    }
    let location = answer.headers().get("location").and_then(|value| value.to_str().ok());
    if let Some(Ok(url)) = location.map(|location| answer.url().join(location)) {
        for (name, value) in url.query_pairs() {
            if ["code", "state"].contains(&&*name) {
                seen(&value);
            }
        }
    }
}

/// Remembers the secrets of a token response or a registration.
pub(crate) fn seen_in_json(answer: &Value) {
    for name in ["access_token", "refresh_token", "client_secret", "registration_access_token"] {
        answer[name].as_str().into_iter().for_each(seen);
    }
}

/// The lines that have a secret in them, by their event and what was found, which is not repeated.
pub(crate) fn leaks<'a>(lines: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let forms: Vec<String> = seen.iter().flat_map(|secret| forms(secret)).collect();
    let search = AhoCorasick::new(&forms).unwrap();
    let leaks = lines.filter_map(|line| {
        let text = line.to_string();
        let found = if search.is_match(&text) { Some("a secret") } else { shape(&text) }?;
        let told = |field: &str| line[field].as_str().unwrap_or("none").to_owned();
        Some(format!("{found} in the event {} of {}", told("event"), told("target")))
    });
    leaks.collect()
}

/// What a secret may be written as: as it is, in JSON, in a form or URL, and in base64, wherever it
/// begins in what is encoded.
fn forms(secret: &str) -> Vec<String> {
    let mut end = secret.len().min(LONGEST);
    while !secret.is_char_boundary(end) {
        end -= 1;
    }
    let secret = &secret[..end];
    let quoted = Value::from(secret).to_string();
    let quoted = quoted.trim_matches('"').to_owned();
    let url: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![secret.to_owned(), quoted, url.replace('+', "%20"), url];
    for before in 0..3 {
        let text = [&b"::"[..before.min(2)], secret.as_bytes()].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&text);
            // The first and the last letters have something of the bytes beside it.
            let from = [0, 2, 3][before];
            forms.push(encoded[from..encoded.len() - 2].to_owned());
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

fn shape(text: &str) -> Option<&'static str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    SHAPES.iter().find_map(|(beginning, least)| {
        let mut rests = text.match_indices(beginning).map(|(at, _)| &text[at + beginning.len()..]);
        let is_one = |rest: &str| rest.chars().take_while(|c| is_part(*c)).count() >= *least;
        rests.any(is_one).then_some("what looks like a secret")
    })
}
