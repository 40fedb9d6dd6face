//! Arguments of a tool that its schema has repeated in headers (Custom Headers from Tool
//! Parameters).

use std::sync::Arc;

use http::{HeaderMap, request::Parts};
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, JsonObject, ProtocolVersion, RequestMetaObject},
    service::RequestContext,
};
use serde_json::{Number, Value};

use super::{Reason, decoded, differs, one};

const PREFIX: &str = "Mcp-Param-";

/// The largest integer of which every program has the same idea.
const LARGEST: f64 = 9_007_199_254_740_991.0;

/// That the `Mcp-Param-*` headers of a call say what its arguments say. Of calls that came without
/// headers, or by a revision without such, nothing is asked.
pub(crate) fn check_arguments(
    context: &RequestContext<RoleServer>,
    call: &CallToolRequestParams,
    schema: impl FnOnce(&str) -> Option<Arc<JsonObject>>,
) -> Result<(), ErrorData> {
    let Some(headers) = context.extensions.get::<Parts>().map(|parts| &parts.headers) else {
        return Ok(());
    };
    let arguments = call.arguments.as_ref();
    let has_none = arguments.is_none_or(JsonObject::is_empty)
        && !headers.keys().any(|name| name.as_str().starts_with("mcp-param-"));
    if has_none || !has_headers(&context.meta) {
        return Ok(());
    }
    let Some(schema) = schema(&call.name) else { return Ok(()) };
    compare(&schema, arguments, headers).map_err(|reason| ErrorData::header_mismatch(reason, None))
}

fn has_headers(meta: &RequestMetaObject) -> bool {
    let version = meta.get(RequestMetaObject::DRAFT_REQUIRED_KEYS[0]).and_then(Value::as_str);
    version.is_some_and(|version| version >= ProtocolVersion::STANDARD_HEADERS.as_str())
}

/// Compares what is annotated in a schema and in the schemas of its properties.
fn compare(
    schema: &JsonObject,
    arguments: Option<&JsonObject>,
    headers: &HeaderMap,
) -> Result<(), Reason> {
    let Some(Value::Object(properties)) = schema.get("properties") else { return Ok(()) };
    for (name, property) in properties {
        let Value::Object(property) = property else { continue };
        let value = arguments.and_then(|arguments| arguments.get(name));
        if let Some(Value::String(annotation)) = property.get("x-mcp-header")
            && !annotation.is_empty()
        {
            compare_one(&format!("{PREFIX}{annotation}"), value, name, headers)?;
        }
        compare(property, value.and_then(Value::as_object), headers)?;
    }
    Ok(())
}

fn compare_one(
    header: &str,
    value: Option<&Value>,
    name: &str,
    headers: &HeaderMap,
) -> Result<(), Reason> {
    let told = one(headers, header, header)?;
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(is)) => is.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        // Of what is no value of such a header the tool itself has to say what is wrong.
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => {
            return match told {
                None => Ok(()),
                Some(_) => Err(format!("there is a {header} header, and no `{name}`")),
            };
        }
    };
    let Some(told) = told else {
        return Err(format!("the {header} header is missing for `{name}`"));
    };
    let told = decoded(header, told)?;
    if told == text || value.and_then(Value::as_number).is_some_and(|body| equals(body, &told)) {
        return Ok(());
    }
    Err(differs(header, &told, &text))
}

/// "Servers SHOULD compare the header value and the body value numerically".
fn equals(body: &Number, told: &str) -> bool {
    let told = serde_json::from_str::<Number>(told).ok().and_then(|number| number.as_f64());
    match (body.as_f64(), told) {
        // Zero has two signs, and is one number.
        (Some(body), Some(told)) => {
            body.abs() <= LARGEST && (body + 0.0).total_cmp(&(told + 0.0)).is_eq()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn check(arguments: &Value, told: &[(&str, &str)]) -> Result<(), Reason> {
        let schema = json!({ "type": "object", "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "count": { "type": "integer", "x-mcp-header": "Count" },
            "really": { "type": "boolean", "x-mcp-header": "Really" },
            "place": { "type": "object", "properties": {
                "city": { "type": "string", "x-mcp-header": "City" } } },
            "plain": { "type": "string" },
            "unnamed": { "type": "string", "x-mcp-header": "" },
        } });
        let mut headers = HeaderMap::new();
        for (name, value) in told {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        compare(schema.as_object().unwrap(), arguments.as_object(), &headers)
    }

    #[test]
    fn headers_say_what_the_arguments_say() {
        for (arguments, told) in [
            (json!({}), &[][..]),
            (json!({ "plain": "x", "region": null }), &[]),
            (json!({ "region": "eu" }), &[("mcp-param-region", "eu")]),
            (json!({ "region": " eu" }), &[("Mcp-Param-Region", "=?base64?IGV1?=")]),
            (json!({ "really": true }), &[("mcp-param-really", "true")]),
            (json!({ "count": 42 }), &[("mcp-param-count", "42")]),
            (json!({ "count": 42 }), &[("mcp-param-count", "42.0")]),
            (json!({ "count": 42.0 }), &[("mcp-param-count", "42")]),
            (json!({ "count": 0 }), &[("mcp-param-count", "-0")]),
            (json!({ "unnamed": "x" }), &[]),
            (json!({ "place": { "city": "Rome" } }), &[("mcp-param-city", "Rome")]),
            (json!({ "plain": "x" }), &[("mcp-param-unknown", "y")]),
            (json!({ "region": ["no value of a header"] }), &[]),
        ] {
            assert_eq!(check(&arguments, told), Ok(()), "{arguments} {told:?}");
        }
    }

    #[test]
    fn what_differs_is_named() {
        for (arguments, told, said) in [
            (json!({ "region": "eu" }), &[][..], "missing for `region`"),
            (json!({ "region": "eu" }), &[("mcp-param-region", "us")], "`us` and the body `eu`"),
            (json!({ "region": "eu" }), &[("mcp-param-region", "EU")], "`EU`"),
            (json!({}), &[("mcp-param-region", "us")], "no `region`"),
            (json!({ "region": null }), &[("mcp-param-region", "null")], "no `region`"),
            (
                json!({ "region": "eu" }),
                &[("mcp-param-region", "eu"), ("mcp-param-region", "us")],
                "more than one Mcp-Param-Region",
            ),
            (json!({ "region": "eu" }), &[("mcp-param-region", "=?base64?!?=")], "Base64"),
            (json!({ "count": 42 }), &[("mcp-param-count", "43")], "`43`"),
            (json!({ "really": true }), &[("mcp-param-really", "True")], "`True`"),
            // Past what every program tells apart, equal is what is written alike.
            (
                json!({ "count": 9_007_199_254_740_993_u64 }),
                &[("mcp-param-count", "9007199254740992")],
                "9007199254740993",
            ),
            (json!({ "place": { "city": "Rome" } }), &[], "missing for `city`"),
            (json!({ "place": "Rome" }), &[("mcp-param-city", "Rome")], "no `city`"),
        ] {
            let reason = check(&arguments, told).unwrap_err();
            assert!(reason.contains(said), "{arguments} {told:?}: {reason}");
        }
    }
}
