//! Completions: known values by what was typed so far.

use serde_json::{Value, json};

use crate::support::{Raw, everything};

fn of_prompt(name: &str, argument: &str, typed: &str) -> Value {
    json!({
        "ref": { "type": "ref/prompt", "name": name },
        "argument": { "name": argument, "value": typed },
    })
}

fn of_template(uri: &str, variable: &str, typed: &str) -> Value {
    json!({
        "ref": { "type": "ref/resource", "uri": uri },
        "argument": { "name": variable, "value": typed },
    })
}

#[tokio::test]
async fn values_are_filtered_by_prefix() {
    let template = "test://static/resource/{id}";
    for mut client in [
        Raw::stateful(&everything(), "2025-06-18", json!({})).await,
        Raw::stateless(&everything(), json!({})),
    ] {
        for (params, values) in [
            (
                of_prompt("complex_prompt", "style", ""),
                json!(["casual", "formal", "technical", "friendly"]),
            ),
            (of_prompt("complex_prompt", "style", "f"), json!(["formal", "friendly"])),
            (of_prompt("complex_prompt", "style", "F"), json!([])),
            (of_prompt("complex_prompt", "temperature", "0"), json!(["0", "0.5", "0.7"])),
            (of_prompt("complex_prompt", "temperature", "1"), json!(["1.0"])),
            (of_prompt("resource_prompt", "resourceId", ""), json!(["1", "2", "3", "4", "5"])),
            (of_template(template, "id", ""), json!(["1", "2", "3", "4", "5"])),
            (of_template(template, "id", "4"), json!(["4"])),
        ] {
            let answer = client.request("completion/complete", params.clone()).await;
            let total = values.as_array().unwrap().len();
            let completion = json!({ "values": values, "total": total, "hasMore": false });
            assert_eq!(answer["result"]["completion"], completion, "{params}");
        }
    }
}

#[tokio::test]
async fn what_is_unknown_is_named() {
    let mut client = Raw::stateful(&everything(), "2025-11-25", json!({})).await;
    for (params, named) in [
        (of_prompt("nope", "style", ""), "nope"),
        (of_prompt("complex_prompt", "colour", ""), "colour"),
        (of_prompt("simple_prompt", "style", ""), "style"),
        (of_template("test://nope/{id}", "id", ""), "test://nope/{id}"),
        (of_template("test://static/resource/{id}", "nope", ""), "nope"),
        (of_template("test://static/resource/1", "id", ""), "test://static/resource/1"),
    ] {
        let answer = client.request("completion/complete", params.clone()).await;
        assert_eq!(answer["error"]["code"], -32602, "{params}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(named), "{answer}");
    }
}

#[tokio::test]
async fn other_arguments_count_and_no_answer_is_endless() {
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", json!({})).await,
        Raw::stateless(&everything(), json!({})),
    ] {
        let mut params = of_prompt("completable_prompt", "name", "");
        params["context"] = json!({ "arguments": { "department": "Support" } });
        let answer = client.request("completion/complete", params).await;
        let completion = json!({ "values": ["John", "Kim", "Lee"], "total": 3, "hasMore": false });
        assert_eq!(answer["result"]["completion"], completion);

        let params = of_prompt("args_prompt", "city", "");
        let mut answer = client.request("completion/complete", params).await;
        let completion = answer["result"]["completion"].take();
        assert_eq!(completion["values"].as_array().unwrap().len(), 100);
        assert_eq!(completion["hasMore"], true);
        assert!(completion["total"].as_u64().unwrap() > 100);

        let mut params = of_prompt("args_prompt", "city", "");
        params["context"] = json!({ "arguments": { "state": "Alaska" } });
        let answer = client.request("completion/complete", params).await;
        let completion = json!({ "values": ["Anchorage"], "total": 1, "hasMore": false });
        assert_eq!(answer["result"]["completion"], completion);
    }
}

#[tokio::test]
async fn variables_of_a_template_depend_on_each_other() {
    let path = "demo://directory/{department}/{name}";
    let query = "demo://directory{?department,name}";
    for mut client in [
        Raw::stateful(&everything(), "2025-11-25", json!({})).await,
        Raw::stateless(&everything(), json!({})),
    ] {
        for (uri, variable, typed, known, values) in [
            (
                path,
                "department",
                "",
                json!({}),
                json!(["Engineering", "Sales", "Marketing", "Support"]),
            ),
            (path, "name", "", json!({}), json!([])),
            (path, "name", "", json!({ "department": "Sales" }), json!(["David", "Eve", "Frank"])),
            (path, "name", "f", json!({ "department": "Sales" }), json!(["Frank"])),
            (query, "name", "e", json!({}), json!(["Eve"])),
            (query, "department", "", json!({ "name": "Kim" }), json!(["Support"])),
            (
                "demo://resource/dynamic/text/{resourceId}",
                "resourceId",
                "4711",
                json!({}),
                json!(["4711"]),
            ),
        ] {
            let mut params = of_template(uri, variable, typed);
            params["context"] = json!({ "arguments": known });
            let answer = client.request("completion/complete", params.clone()).await;
            assert_eq!(answer["result"]["completion"]["values"], values, "{params}");
        }
    }
}
