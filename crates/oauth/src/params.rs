//! Request parameters, from a query or a form.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode;
use thiserror::Error;

/// The longest query or form that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// The same for a form that has a whole query in one field, where each byte may need three, and
/// something besides.
const LONGEST_WITH_QUERY: usize = 3 * LONGEST + 1024;

/// Parameters in the order they came.
#[derive(Default)]
pub(crate) struct Params(Vec<(String, String)>);

/// A parameter that was sent more than once, which RFC 6749, sections 3.1 and 3.2, forbids: two
/// readers of one request must not see different values.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the parameter {0} was sent more than once")]
pub(crate) struct Repeated(pub(crate) &'static str);

/// Why a body is not a form.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum FormError {
    #[error("the body is not application/x-www-form-urlencoded")]
    NotAForm,
    #[error("the request is not text in UTF-8")]
    NotText,
    #[error("the request is longer than 16 KiB")]
    TooLong,
    #[error("the body could not be read")]
    Broken,
}

impl Params {
    /// Reads a query or form. A parameter without a value counts as omitted (RFC 6749, section
    /// 3.1).
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, FormError> {
        if encoded.len() > LONGEST {
            return Err(FormError::TooLong);
        }
        Self::decode(encoded)
    }

    /// Reads the form in a request's body.
    pub(crate) async fn from_body(headers: &HeaderMap, body: Body) -> Result<Self, FormError> {
        Self::decode(&form(headers, body, LONGEST).await?)
    }

    /// Reads the form in a request's body, one of whose fields is a query that
    /// [`encode`](Self::encode) made.
    pub(crate) async fn from_body_with_query(
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, FormError> {
        Self::decode(&form(headers, body, LONGEST_WITH_QUERY).await?)
    }

    fn decode(encoded: &[u8]) -> Result<Self, FormError> {
        // Something else would stand in its place, and a client would not get back what it sent.
        percent_decode(encoded).decode_utf8().map_err(|_| FormError::NotText)?;
        let pairs = form_urlencoded::parse(encoded).into_owned();
        Ok(Self(pairs.filter(|(_, value)| !value.is_empty()).collect()))
    }

    /// A parameter that may be sent once.
    pub(crate) fn one(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        match values.next() {
            None => Ok(first),
            Some(_) => Err(Repeated(name)),
        }
    }

    /// A parameter that may be sent often.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// These parameters, encoded again, so that [`parse`](Self::parse) will read them. That may be
    /// longer than they were.
    pub(crate) fn encode(&self, names: &[&str]) -> Result<String, FormError> {
        let known = self.0.iter().filter(|(key, _)| names.contains(&key.as_str()));
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(known).finish();
        if encoded.len() > LONGEST { Err(FormError::TooLong) } else { Ok(encoded) }
    }
}

/// Whether this is the type of the body, whatever its parameters.
pub(crate) fn has_content_type(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected))
}

async fn form(headers: &HeaderMap, body: Body, longest: usize) -> Result<Bytes, FormError> {
    if !has_content_type(headers, "application/x-www-form-urlencoded") {
        return Err(FormError::NotAForm);
    }
    read_within(body, longest).await
}

/// Reads a body up to the limit. How long that may take, is for the server to say that gives it.
pub(crate) async fn read(body: Body) -> Result<Bytes, FormError> {
    read_within(body, LONGEST).await
}

async fn read_within(body: Body, longest: usize) -> Result<Bytes, FormError> {
    match Limited::new(body, longest).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FormError::TooLong),
        Err(_) => Err(FormError::Broken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_are_left_out() {
        let params = Params::parse(b"a=1+2%263&b=&c&d=x").unwrap();
        assert_eq!(params.one("a"), Ok(Some("1 2&3")));
        for name in ["b", "c", "e"] {
            assert_eq!(params.one(name), Ok(None), "{name}");
        }
    }

    #[test]
    fn what_is_not_text_is_not_replaced() {
        for bad in [&b"a=%ff"[..], b"%c3=a", b"a=%C3&b=%A9", b"a=\xff"] {
            assert_eq!(Params::parse(bad).err(), Some(FormError::NotText), "{bad:?}");
        }
        let good = Params::parse("a=%C3%A9%00&b=\u{e9}&c=%zz".as_bytes()).unwrap();
        assert_eq!(good.one("a"), Ok(Some("\u{e9}\0")));
        assert_eq!((good.one("b"), good.one("c")), (Ok(Some("\u{e9}")), Ok(Some("%zz"))));
    }

    #[test]
    fn a_repeated_one_is_noticed_only_where_it_matters() {
        let params = Params::parse(b"a=1&a=1&r=x&r=y").unwrap();
        assert_eq!(params.one("a"), Err(Repeated("a")));
        assert_eq!(params.all("r").collect::<Vec<_>>(), ["x", "y"]);
    }

    #[test]
    fn known_ones_are_encoded_again() {
        let params = Params::parse(b"state=a%2Bb&evil=1&scope=x+y").unwrap();
        assert_eq!(params.encode(&["state", "scope"]), Ok("state=a%2Bb&scope=x+y".into()));
    }

    #[tokio::test]
    async fn what_is_encoded_is_read_again_even_within_a_form() {
        let headers =
            [(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap())];
        let headers = headers.into_iter().collect();
        for (character, fits) in [('+', LONGEST - 2), ('/', (LONGEST - 2) / 3), ('a', LONGEST - 2)]
        {
            let query = |length| format!("a={}", character.to_string().repeat(length));
            let params = Params::parse(query(fits).as_bytes()).unwrap();
            let encoded = params.encode(&["a"]).unwrap();
            let within = form_urlencoded::Serializer::new(String::new())
                .append_pair("request", &encoded)
                .append_pair("signature", &"x".repeat(100))
                .finish();
            let form = Params::from_body_with_query(&headers, Body::from(within)).await.unwrap();
            let read = Params::parse(form.one("request").unwrap().unwrap().as_bytes()).unwrap();
            assert_eq!(read.one("a"), params.one("a"));
            let longer = Params::decode(query(fits + 1).as_bytes()).unwrap();
            assert_eq!(longer.encode(&["a"]), Err(FormError::TooLong), "{character}");
        }
        let long = Body::from("a".repeat(LONGEST_WITH_QUERY + 1));
        let read = Params::from_body_with_query(&headers, long).await;
        assert_eq!(read.err(), Some(FormError::TooLong));
    }

    #[tokio::test]
    async fn only_forms_of_some_length_are_read() {
        let form = "application/x-www-form-urlencoded";
        for (content_type, length, expected) in [
            (form, 10, None),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", 10, None),
            (form, LONGEST, None),
            (form, LONGEST + 1, Some(FormError::TooLong)),
            ("application/json", 10, Some(FormError::NotAForm)),
            ("", 10, Some(FormError::NotAForm)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
            let read = Params::from_body(&headers, Body::from("a".repeat(length))).await;
            assert_eq!(read.err(), expected, "{content_type} {length}");
        }
        let untyped = Params::from_body(&HeaderMap::new(), Body::empty()).await;
        assert_eq!(untyped.err(), Some(FormError::NotAForm));
    }
}
