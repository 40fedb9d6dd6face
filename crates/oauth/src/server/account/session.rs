//! A user's session of the account page and of what users are asked on other pages.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use mcp_everything_store::{Clock, SecretKeys, Timestamp};

use super::Context;
use crate::{BaseUri, cookies::CookieName, upstream::UserId};

const SESSION: &str = "account session";
const FORM: &str = "account form";
const NONCE: usize = 12;

/// A user who signed in a short while ago. Nothing is kept of it but the cookie, which says who the
/// user is and until when, and that this server said so.
pub(in crate::server) struct Session {
    user: UserId,
    value: String,
    until: Timestamp,
}

/// Says who is signed in at an authorization server, for other pages of the same process.
#[derive(Clone)]
pub struct SignedIn {
    issuer: BaseUri,
    keys: SecretKeys,
    clock: Arc<dyn Clock>,
}

impl SignedIn {
    /// Of the server of this issuer, that has these keys.
    pub fn new(issuer: BaseUri, keys: SecretKeys, clock: Arc<dyn Clock>) -> Self {
        Self { issuer, keys, clock }
    }

    /// The user whose browser sends these headers, and until when that counts; `None` if nobody is
    /// signed in there.
    pub fn user(&self, headers: &HeaderMap) -> Option<(String, Timestamp)> {
        let session = Session::find(&self.issuer, &self.keys, &*self.clock, headers)?;
        Some((session.user().to_owned(), session.until))
    }
}

impl Session {
    /// The cookie of a new one.
    pub(super) fn begin(context: &Context, user: &UserId) -> Option<HeaderValue> {
        let life = context.config.lifetimes.account;
        let until = (context.clock.now() + life).as_millis();
        let nonce = context.random.token::<NONCE>();
        let tag = context
            .keys
            .sign(SESSION, &parts(&context.config.issuer, user, &nonce, &until.to_be_bytes()));
        let [user, tag] = [user.as_str().as_bytes(), &tag].map(|b| URL_SAFE_NO_PAD.encode(b));
        name(&context.config.issuer).set(&format!("{until}.{nonce}.{user}.{tag}"), life)
    }

    /// The cookie that takes the place of one.
    pub(super) fn end(context: &Context) -> Option<HeaderValue> {
        name(&context.config.issuer).set("", std::time::Duration::ZERO)
    }

    /// The session that a request belongs to, if it goes on.
    pub(in crate::server) fn of(context: &Context, headers: &HeaderMap) -> Option<Self> {
        Self::find(&context.config.issuer, &context.keys, &*context.clock, headers)
    }

    fn find(
        issuer: &BaseUri,
        keys: &SecretKeys,
        clock: &dyn Clock,
        headers: &HeaderMap,
    ) -> Option<Self> {
        let mut values = name(issuer).values(headers);
        values.find_map(|value| Self::read(issuer, keys, clock, value))
    }

    fn read(issuer: &BaseUri, keys: &SecretKeys, clock: &dyn Clock, value: String) -> Option<Self> {
        let mut fields = value.split('.');
        let [until, nonce, user, tag] = std::array::from_fn(|_| fields.next().unwrap_or_default());
        let until: u64 = until.parse().ok()?;
        let user = String::from_utf8(URL_SAFE_NO_PAD.decode(user).ok()?).ok()?;
        let (user, tag) = (UserId::parse(&user)?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        let end = until.to_be_bytes();
        let is_good = fields.next().is_none()
            && clock.now().as_millis() < until
            && keys.verify(SESSION, &parts(issuer, &user, nonce, &end), &tag);
        is_good.then_some(Self { user, value, until: Timestamp::from_millis(until) })
    }

    pub(in crate::server) fn user(&self) -> &str {
        self.user.as_str()
    }

    /// Signs the forms that are shown in this session.
    pub(super) fn sign_form(&self, context: &Context) -> String {
        URL_SAFE_NO_PAD.encode(context.keys.sign(FORM, &[self.value.as_bytes()]))
    }

    /// Whether a form was shown in this session.
    pub(super) fn has_shown(&self, context: &Context, signature: &str) -> bool {
        let tag = URL_SAFE_NO_PAD.decode(signature);
        tag.is_ok_and(|tag| context.keys.verify(FORM, &[self.value.as_bytes()], &tag))
    }
}

fn name(issuer: &BaseUri) -> CookieName {
    CookieName::account(issuer.is_https())
}

fn parts<'a>(
    issuer: &'a BaseUri,
    user: &'a UserId,
    nonce: &'a str,
    until: &'a [u8; 8],
) -> [&'a [u8]; 4] {
    [issuer.as_str().as_bytes(), user.as_str().as_bytes(), nonce.as_bytes(), until]
}
