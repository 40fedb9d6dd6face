//! A user's session of the account page and of what users are asked on other pages.

use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Context;
use crate::{cookies::CookieName, upstream::UserId};

const SESSION: &str = "account session";
const FORM: &str = "account form";
const NONCE: usize = 12;

/// A user who signed in a short while ago. Nothing is kept of it but the cookie, which says who the
/// user is and until when, and that this server said so.
pub(in crate::server) struct Session {
    user: UserId,
    value: String,
}

impl Session {
    /// The cookie of a new one.
    pub(super) fn begin(context: &Context, user: &UserId) -> Option<HeaderValue> {
        let life = context.config.lifetimes.account;
        let until = (context.clock.now() + life).as_millis();
        let nonce = context.random.token::<NONCE>();
        let tag = context.keys.sign(SESSION, &parts(context, user, &nonce, &until.to_be_bytes()));
        let [user, tag] = [user.as_str().as_bytes(), &tag].map(|b| URL_SAFE_NO_PAD.encode(b));
        name(context).set(&format!("{until}.{nonce}.{user}.{tag}"), life)
    }

    /// The cookie that takes the place of one.
    pub(super) fn end(context: &Context) -> Option<HeaderValue> {
        name(context).set("", std::time::Duration::ZERO)
    }

    /// The session that a request belongs to, if it goes on.
    pub(in crate::server) fn of(context: &Context, headers: &HeaderMap) -> Option<Self> {
        name(context).values(headers).find_map(|value| Self::read(context, value))
    }

    fn read(context: &Context, value: String) -> Option<Self> {
        let mut fields = value.split('.');
        let [until, nonce, user, tag] = std::array::from_fn(|_| fields.next().unwrap_or_default());
        let until: u64 = until.parse().ok()?;
        let user = String::from_utf8(URL_SAFE_NO_PAD.decode(user).ok()?).ok()?;
        let (user, tag) = (UserId::parse(&user)?, URL_SAFE_NO_PAD.decode(tag).ok()?);
        let end = until.to_be_bytes();
        let is_good = fields.next().is_none()
            && context.clock.now().as_millis() < until
            && context.keys.verify(SESSION, &parts(context, &user, nonce, &end), &tag);
        is_good.then_some(Self { user, value })
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

fn name(context: &Context) -> CookieName {
    CookieName::account(context.config.issuer.is_https())
}

fn parts<'a>(
    context: &'a Context,
    user: &'a UserId,
    nonce: &'a str,
    until: &'a [u8; 8],
) -> [&'a [u8]; 4] {
    let issuer = context.config.issuer.as_str();
    [issuer.as_bytes(), user.as_str().as_bytes(), nonce.as_bytes(), until]
}
