//! Each prompt, over all revisions.

use rmcp::model::GetPromptRequestParams;
use serde_json::json;

use crate::support::{Answering, REVISIONS, Raw, arguments, everything};

#[tokio::test]
async fn prompts_say_the_same_on_all_revisions() {
    for version in REVISIONS {
        let client = Answering::new(version, json!({})).connect(&everything()).await;
        let get = async |name: &str, with| {
            let params = GetPromptRequestParams::new(name).with_arguments(arguments(with));
            json!(client.get_prompt(params).await.unwrap().messages)
        };

        let simple = get("simple_prompt", json!({})).await;
        let text = "This is a simple prompt without arguments.";
        assert_eq!(
            simple,
            json!([{ "role": "user", "content": { "type": "text", "text": text } }])
        );

        let complex =
            get("complex_prompt", json!({ "temperature": "0.5", "style": "casual" })).await;
        assert_eq!(
            complex[0]["content"]["text"],
            "This is a complex prompt with arguments: temperature=0.5, style=casual"
        );
        assert_eq!(complex[1]["role"], "assistant");
        assert_eq!(
            complex[1]["content"]["text"],
            "I understand. You've provided a complex prompt with temperature and style arguments. \
             How would you like me to proceed?"
        );
        assert_eq!(complex[2]["role"], "user");
        assert_eq!(complex[2]["content"]["mimeType"], "image/png");
        let complex = get("complex_prompt", json!({ "temperature": "1" })).await;
        assert_eq!(
            complex[0]["content"]["text"],
            "This is a complex prompt with arguments: temperature=1"
        );

        let resource = get("resource_prompt", json!({ "resourceId": "3" })).await;
        assert_eq!(
            resource[0]["content"]["text"],
            "This prompt includes Resource 3. Please analyze the following resource:"
        );
        assert_eq!(resource[1]["content"]["type"], "resource");
        assert_eq!(resource[1]["content"]["resource"]["uri"], "test://static/resource/3");
        assert_eq!(
            resource[1]["content"]["resource"]["text"],
            "Resource 3: This is a plaintext resource"
        );

        let weather = get("args_prompt", json!({ "city": "Salem", "state": "Oregon" })).await;
        assert_eq!(weather[0]["content"]["text"], "What's weather in Salem, Oregon?");
        let weather = get("args_prompt", json!({ "city": "Salem" })).await;
        assert_eq!(weather[0]["content"]["text"], "What's weather in Salem?");

        let promoted =
            get("completable_prompt", json!({ "department": "Sales", "name": "Eve" })).await;
        assert_eq!(
            promoted[0]["content"]["text"],
            "Please promote Eve to the head of the Sales team."
        );
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn prompts_are_published_as_specified() {
    let mut client = Raw::stateful(&everything(), "2025-06-18", json!({})).await;
    let answer = client.request("prompts/list", json!({})).await;
    let argument = |name: &str, description: &str, required: bool| json!({ "name": name, "description": description, "required": required });
    assert_eq!(
        answer["result"]["prompts"],
        json!([
            {
                "name": "simple_prompt",
                "title": "Simple prompt",
                "description": "A prompt without arguments",
            },
            {
                "name": "complex_prompt",
                "title": "Complex prompt",
                "description": "A prompt with arguments",
                "arguments": [
                    argument("temperature", "Temperature setting", true),
                    argument("style", "Output style", false),
                ],
            },
            {
                "name": "resource_prompt",
                "title": "Resource prompt",
                "description": "A prompt that includes an embedded resource reference",
                "arguments": [argument("resourceId", "Resource ID to include (1-100)", true)],
            },
            {
                "name": "args_prompt",
                "title": "Arguments prompt",
                "description":
                    "Asks for the weather somewhere: a required and an optional argument",
                "arguments": [
                    argument("city", "Name of the city", true),
                    argument("state", "Name of the state", false),
                ],
            },
            {
                "name": "completable_prompt",
                "title": "Completable prompt",
                "description":
                    "Names somebody of a department: the second argument's suggestions depend on \
                     the first",
                "arguments": [
                    argument("department", "The department, such as Engineering", true),
                    argument("name", "Somebody of that department", true),
                ],
            },
        ])
    );
}
