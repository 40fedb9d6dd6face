//! Headers that repeat what is in the body, for whoever is on the way and does not read it. They
//! must say the same, or one of the two would be acted on and the other served (2026-07-28, Request
//! Metadata, Server Validation).

mod arguments;

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, header::AsHeaderName};
use rmcp::model::ClientRequest;

pub(crate) use self::arguments::check_arguments;
use crate::message::bounded;

// Read once, and not for each request.
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// What is wrong with a header.
type Reason = String;

/// That `MCP-Protocol-Version` names the version that the metadata does.
pub(crate) fn check_version(headers: &HeaderMap, version: &str) -> Result<(), Reason> {
    check(one(headers, VERSION, "MCP-Protocol-Version")?, "MCP-Protocol-Version", version)
}

/// That `Mcp-Method` names the message's method.
pub(crate) fn check_method(headers: &HeaderMap, method: &str) -> Result<(), Reason> {
    check(one(headers, METHOD, "Mcp-Method")?, "Mcp-Method", method)
}

fn check(told: Option<&str>, name: &str, body: &str) -> Result<(), Reason> {
    match told {
        Some(told) if told == body => Ok(()),
        Some(told) => Err(differs(name, told, body)),
        None => Err(format!("the {name} header is missing")),
    }
}

/// That `Mcp-Name` names what the request is about, if its method has such a thing.
pub(crate) fn check_name(headers: &HeaderMap, request: &ClientRequest) -> Result<(), Reason> {
    let Some(name) = name(request) else { return Ok(()) };
    let Some(told) = one(headers, NAME, "Mcp-Name")? else {
        return Err("the Mcp-Name header is missing".to_owned());
    };
    let told = decoded("Mcp-Name", told)?;
    if told == name { Ok(()) } else { Err(differs("Mcp-Name", &told, name)) }
}

/// Of tasks it is their id (SEP-2663).
fn name(request: &ClientRequest) -> Option<&str> {
    match request {
        ClientRequest::CallToolRequest(call) => Some(&call.params.name),
        ClientRequest::GetPromptRequest(get) => Some(&get.params.name),
        ClientRequest::ReadResourceRequest(read) => Some(&read.params.uri),
        ClientRequest::GetTaskRequest(get) => Some(&get.params.task_id),
        ClientRequest::UpdateTaskRequest(update) => Some(&update.params.task_id),
        ClientRequest::CancelTaskRequest(cancel) => Some(&cancel.params.task_id),
        _ => None,
    }
}

/// The one value of a header. Of several, somebody on the way might believe another than this
/// server.
fn one<'a>(
    headers: &'a HeaderMap,
    header: impl AsHeaderName,
    name: &str,
) -> Result<Option<&'a str>, Reason> {
    let mut values = headers.get_all(header).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(format!("there is more than one {name} header"));
    }
    let text = value.to_str();
    text.map(Some).map_err(|_| format!("the {name} header has characters that it may not have"))
}

/// A header's value, taken out of the form for what no header can carry (Value Encoding).
fn decoded<'a>(name: &str, value: &'a str) -> Result<Cow<'a, str>, Reason> {
    let wrapped = value.strip_prefix("=?base64?").and_then(|value| value.strip_suffix("?="));
    let Some(wrapped) = wrapped else { return Ok(value.into()) };
    let text = STANDARD.decode(wrapped).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Cow::Owned).ok_or_else(|| format!("the {name} header is not Base64 of a text"))
}

fn differs(name: &str, told: &str, body: &str) -> Reason {
    let (told, body) = (bounded(told), bounded(body));
    format!("the {name} header says `{told}` and the body `{body}`")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::message::{self, Wire};

    fn headers(headers: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        map
    }

    fn named(method: &str, params: &str, told: &[&[u8]]) -> Result<(), Reason> {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let request = message::request(Wire::Stateless, method, text.as_bytes()).unwrap();
        let told: Vec<_> = told.iter().map(|value| ("mcp-name", *value)).collect();
        check_name(&headers(&told), &request)
    }

    #[test]
    fn the_method_is_told_once_and_exactly() {
        let check = |told: &[(&'static str, &[u8])]| check_method(&headers(told), "tools/list");
        assert!(check(&[("mcp-method", b"tools/list")]).is_ok());
        for (told, said) in [
            (&[][..], "missing"),
            (&[("mcp-method", &b"tools/call"[..])], "tools/call"),
            (&[("mcp-method", b"Tools/List")], "Tools/List"),
            (&[("mcp-method", b"tools/list"), ("mcp-method", b"tools/list")], "more than one"),
            (&[("mcp-method", b"\xff")], "characters"),
        ] {
            let reason = check(told).unwrap_err();
            assert!(reason.contains("Mcp-Method") && reason.contains(said), "{reason}");
        }
    }

    #[test]
    fn each_method_is_named_by_its_own_parameter() {
        for (method, params, name) in [
            ("tools/call", r#"{"name":"x"}"#, "x"),
            ("prompts/get", r#"{"name":"x"}"#, "x"),
            ("resources/read", r#"{"uri":"test://x"}"#, "test://x"),
            ("tasks/get", r#"{"taskId":"x"}"#, "x"),
            ("tasks/update", r#"{"taskId":"x","inputResponses":{}}"#, "x"),
            ("tasks/cancel", r#"{"taskId":"x"}"#, "x"),
        ] {
            assert!(named(method, params, &[name.as_bytes()]).is_ok(), "{method}");
            assert!(named(method, params, &[b"y"]).is_err(), "{method}");
            assert!(named(method, params, &[]).unwrap_err().contains("missing"), "{method}");
        }
        assert!(named("tools/list", "{}", &[]).is_ok());
    }

    #[test]
    fn a_name_that_no_header_can_carry_is_encoded() {
        let params = r#"{"name":"übung"}"#;
        assert!(named("tools/call", params, &[b"=?base64?w7xidW5n?="]).is_ok());
        assert!(named("tools/call", params, &[b"=?base64?dWJ1bmc=?="]).is_err());
        for wrong in [&b"=?base64?w7xid?="[..], b"=?base64?/w==?="] {
            let reason = named("tools/call", params, &[wrong]).unwrap_err();
            assert!(reason.contains("Base64"), "{reason}");
        }
        // One that only looks like it must be encoded as well.
        let params = r#"{"name":"=?base64?x?="}"#;
        assert!(named("tools/call", params, &[b"=?base64?PT9iYXNlNjQ/eD89?="]).is_ok());
        assert!(named("tools/call", params, &[b"=?base64?x?="]).is_err());
        assert!(named("tools/call", r#"{"name":"=?base64?="}"#, &[b"=?base64?="]).is_ok());
    }
}
