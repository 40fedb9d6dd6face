//! JSON Schemas (2020-12): made from Rust types, and put to use.

use jsonschema::Validator;
use rmcp::model::JsonObject;
use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Value, json};

use crate::{
    number,
    text::{bounded, quoted},
};

/// How many faults of one input are told.
const FAULTS: usize = 5;
/// The longest description of a fault, in characters.
const FAULT_LENGTH: usize = 200;

/// The schema of what `T` reads, as tools publish it.
///
/// The dialect is not named: it is the protocol's default, and validators for older dialects
/// that some clients use refuse a schema that names a newer one.
pub(crate) fn of<T: JsonSchema>() -> JsonObject {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.meta_schema = None;
            settings.inline_subschemas = true;
        })
        .with_transform(RecursiveTransform(plain_numbers))
        .with_transform(RecursiveTransform(no_null));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // The name and the documentation of the Rust type tell a model nothing.
    schema.remove("title");
    schema.remove("description");
    schema.insert("type".to_owned(), json!("object"));
    if schema.get("properties").is_none() {
        schema.insert("properties".to_owned(), json!({}));
    }
    match schema.to_value() {
        Value::Object(object) => object,
        // `true` and `false` are schemas too, but not ones of a struct.
        _ => JsonObject::new(),
    }
}

/// Drops Rust's names of number formats, and writes whole limits and defaults without a point.
fn plain_numbers(schema: &mut Schema) {
    if schema.get("type").is_some_and(|kind| kind == "number" || kind == "integer") {
        schema.remove("format");
    }
    for (_, value) in schema.as_object_mut().into_iter().flatten() {
        if value.is_f64()
            && let Some(float) = value.as_f64()
        {
            *value = number::json(float);
        }
    }
}

/// An `Option` may be left out; `null` is not offered besides.
fn no_null(schema: &mut Schema) {
    let Some(Value::Array(kinds)) = schema.get_mut("type") else {
        return;
    };
    kinds.retain(|kind| kind != "null");
    if let [kind] = kinds.as_slice() {
        let kind = kind.clone();
        schema.insert("type".to_owned(), kind);
    }
}

/// Compiles a schema of the protocol's default dialect. Nothing is fetched: the crate is built
/// without resolvers (2026-07-28, JSON Schema Usage).
pub(crate) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::new(schema).map_err(|error| error.to_string())
}

/// What is wrong with `value`: where and why, without repeating the value itself.
pub(crate) fn faults(validator: &Validator, value: &Value) -> Option<String> {
    if validator.is_valid(value) {
        return None;
    }
    let mut faults: Vec<String> = validator
        .iter_errors(value)
        .take(FAULTS)
        .map(|error| {
            let reason = bounded(&error.masked().to_string(), FAULT_LENGTH);
            match error.instance_path().as_str().trim_start_matches('/') {
                "" => reason,
                place => format!("{}: {reason}", quoted(place)),
            }
        })
        .collect();
    faults.dedup();
    Some(faults.join("; "))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Input {
        /// Some text
        text: String,
        /// Some number
        #[serde(default = "two")]
        #[schemars(range(min = 1, max = 10))]
        number: f64,
        maybe: Option<bool>,
        kind: Kind,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        One,
        Other,
    }

    fn two() -> f64 {
        2.0
    }

    #[test]
    fn a_struct_becomes_a_plain_schema() {
        assert_eq!(
            Value::Object(of::<Input>()),
            json!({
                "type": "object",
                "properties": {
                    "text": { "type": "string", "description": "Some text" },
                    "number": {
                        "type": "number", "description": "Some number",
                        "default": 2, "minimum": 1, "maximum": 10,
                    },
                    "maybe": { "type": "boolean" },
                    "kind": { "type": "string", "enum": ["one", "other"] },
                },
                "required": ["text", "kind"],
            })
        );
        // 2 and 2.0 are equal to serde_json's comparison of values only when written alike.
        assert!(of::<Input>()["properties"]["number"]["default"].is_i64());
    }

    #[test]
    fn arguments_are_in_the_order_of_their_declaration() {
        let schema = of::<Input>();
        let properties = schema["properties"].as_object().unwrap();
        let properties: Vec<_> = properties.keys().collect();
        assert_eq!(properties, ["text", "number", "maybe", "kind"]);
    }

    #[test]
    fn nothing_becomes_an_empty_object() {
        let empty = json!({ "type": "object", "properties": {} });
        assert_eq!(Value::Object(of::<crate::NoInput>()), empty);
    }

    #[test]
    fn faults_name_the_argument_and_repeat_no_value() {
        let schema = json!({
            "properties": { "n": { "type": "number", "minimum": 1 }, "s": { "type": "string" } },
            "required": ["s"],
            "additionalProperties": false,
        });
        let validator = validator(&schema).unwrap();
        let said = |value: Value| faults(&validator, &value).unwrap_or_default();
        assert_eq!(said(json!({ "s": "x", "n": 1 })), "");
        assert_eq!(said(json!({})), "\"s\" is a required property");
        assert_eq!(said(json!({ "s": 7 })), "s: value is not of type \"string\"");
        let below = said(json!({ "s": "x", "n": -12345 }));
        assert!(below.starts_with("n: ") && !below.contains("12345"), "{below}");
        let long = said(json!({ "s": "x", "y".repeat(1000): 1 }));
        assert!(long.chars().count() <= FAULT_LENGTH + 1, "{long}");
    }
}
