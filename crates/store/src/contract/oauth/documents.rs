//! Documents that were fetched.

use super::{Damage, MINUTE, OAuthHarness, assert_corrupt, done};
use crate::{
    Timestamp,
    oauth::{Document, DocumentKind},
};

const URL: &str = "https://client.example/metadata.json?a=b:{c}";

fn document(text: &str) -> Document {
    Document { text: text.into(), fetched_at: Timestamp::from_millis(7) }
}

async fn keep(harness: &dyn OAuthHarness, url: &str, text: &str, minutes: u32) {
    let (kind, life) = (DocumentKind::Client, minutes * MINUTE);
    done(harness.store().keep_document(kind, url, &document(text), life).await);
}

async fn text(harness: &dyn OAuthHarness, url: &str) -> Option<String> {
    done(harness.store().document(DocumentKind::Client, url).await).map(|document| document.text)
}

/// A document is read as it was kept, until its life ends.
pub async fn is_found_until_its_life_ends(harness: &dyn OAuthHarness) {
    assert_eq!(text(harness, URL).await, None);
    keep(harness, URL, "{\"a\": \"\u{e9}\n\"}", 1).await;
    let kept = done(harness.store().document(DocumentKind::Client, URL).await);
    assert_eq!(kept, Some(document("{\"a\": \"\u{e9}\n\"}")));
    assert_eq!(text(harness, "https://client.example/metadata.json").await, None);
    harness.pass(MINUTE).await;
    assert_eq!(text(harness, URL).await, None);
}

/// The newer one counts, whichever would end first.
pub async fn a_newer_one_takes_its_place(harness: &dyn OAuthHarness) {
    keep(harness, URL, "1", 3).await;
    keep(harness, URL, "2", 1).await;
    assert_eq!(text(harness, URL).await.as_deref(), Some("2"));
    harness.pass(MINUTE).await;
    assert_eq!(text(harness, URL).await, None);
    keep(harness, URL, "3", 1).await;
    keep(harness, URL, "4", 2).await;
    harness.pass(MINUTE).await;
    assert_eq!(text(harness, URL).await.as_deref(), Some("4"));
}

/// What is good as one kind says nothing of the other.
pub async fn is_of_one_kind(harness: &dyn OAuthHarness) {
    keep(harness, URL, "1", 1).await;
    assert_eq!(done(harness.store().document(DocumentKind::Jwks, URL).await), None);
    let keys = document("{\"keys\":[]}");
    done(harness.store().keep_document(DocumentKind::Jwks, URL, &keys, MINUTE).await);
    assert_eq!(done(harness.store().document(DocumentKind::Jwks, URL).await), Some(keys));
    assert_eq!(text(harness, URL).await.as_deref(), Some("1"));
}

/// A damaged document is an error; a newer one mends it.
pub async fn damaged_is_an_error(harness: &dyn OAuthHarness) {
    keep(harness, URL, "1", 1).await;
    harness.damage(Damage::Document(DocumentKind::Client, URL)).await;
    assert_corrupt(&harness.store().document(DocumentKind::Client, URL).await);
    keep(harness, URL, "2", 1).await;
    assert_eq!(text(harness, URL).await.as_deref(), Some("2"));
}
