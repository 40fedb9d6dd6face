//! As much of a browser as the pages need: cookies, forms, redirects.

use std::{collections::HashMap, sync::Mutex};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use cookie::Cookie;
use http_body_util::BodyExt as _;
use serde_json::Value;

/// Keeps cookies.
#[derive(Default)]
pub(crate) struct Jar(Mutex<HashMap<String, String>>);

impl Jar {
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        for (name, value) in &*self.0.lock().unwrap() {
            headers.append(header::COOKIE, format!("{name}={value}").parse().unwrap());
        }
    }

    pub(crate) fn values(&self) -> Vec<String> {
        self.0.lock().unwrap().values().cloned().collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        self.0.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn take_from(&self, headers: &HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            let cookie = Cookie::parse(value.to_str().unwrap()).unwrap();
            let (name, value) = cookie.name_value();
            self.0.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A response that was read to its end.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What a token response gave.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Page {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.unwrap_or_else(|| panic!("no {name}: {}", self.body)).to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    #[track_caller]
    pub(crate) fn tokens(&self) -> Tokens {
        let json = self.json();
        let text = |name: &str| match &json[name] {
            Value::String(text) => text.clone(),
            other => panic!("{name} is {other}: {}", self.body),
        };
        Tokens { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// The status, and the error code in a body of the shape of RFC 6749, section 5.2.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        let body = self.json();
        assert_eq!(body["error"], error, "{}", self.body);
        let description = body["error_description"].as_str().unwrap();
        let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        assert!(!description.is_empty() && description.chars().all(allowed), "{description}");
    }

    /// The parameters of a redirect to this URI.
    #[track_caller]
    pub(crate) fn redirected_to(&self, uri: &str) -> HashMap<String, String> {
        assert_eq!(self.status, StatusCode::SEE_OTHER.as_u16(), "{}", self.body);
        let (target, _) = self.header("location").split_once('?').unwrap();
        assert_eq!(target, uri);
        self.query_of_location()
    }

    #[track_caller]
    pub(crate) fn query_of_location(&self) -> HashMap<String, String> {
        let (_, query) = self.header("location").split_once('?').unwrap();
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The first form on the page.
    #[track_caller]
    pub(crate) fn form(&self) -> Form {
        let first = self.forms().into_iter().next();
        first.unwrap_or_else(|| panic!("no form, but {}: {}", self.status, self.body))
    }

    /// The forms on the page.
    pub(crate) fn forms(&self) -> Vec<Form> {
        let forms = self.body.split("<form ").skip(1);
        forms.map(|rest| Form::read(rest.split_once("</form>").unwrap().0)).collect()
    }
}

/// A form as it was filled in by the server.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) method: String,
    pub(crate) action: String,
    inputs: Vec<(String, String)>,
}

impl Form {
    fn read(form: &str) -> Self {
        let inputs = form.split("<input ").skip(1).map(|input| {
            let input = input.split('>').next().unwrap();
            (attribute(input, "name").unwrap(), attribute(input, "value").unwrap_or_default())
        });
        Self {
            method: attribute(form, "method").unwrap(),
            action: attribute(form, "action").unwrap(),
            inputs: inputs.collect(),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.inputs.iter().any(|(other, _)| other == name)
    }

    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> String {
        self.inputs.iter().find(|(other, _)| other == name).unwrap().1.clone()
    }

    pub(crate) fn encode(&self, changes: &[(&str, &str)]) -> String {
        let usual: Vec<_> = self.inputs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        super::form(&usual, changes)
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    let unescaped = value.replace("&#38;", "&").replace("&#34;", "\"");
    Some(unescaped.replace("&#60;", "<").replace("&#62;", ">").replace("&#39;", "'"))
}
