//! MCP Inspector in the browser: what it can that its command line cannot.

use super::Deployed;
use crate::sign_in::{
    inspector_web::{button, button_that_begins, connect, tab},
    user::User,
};

on_one_and_three!(inspector_web_answers_and_shows);

/// In its dialog.
fn labelled(label: &str) -> String {
    format!("//*[@role='dialog']//*[@id=//label[starts-with(normalize-space(), '{label}')]/@for]")
}

async fn inspector_web_answers_and_shows(deployed: &Deployed) {
    let user = User::at_a_desktop().await;
    let page = &user.browser;
    let home = tempfile::tempdir().unwrap();
    let url = deployed.server.url("/mcp");
    let _inspector = connect(page, home.path(), "streamable-http", &url).await;

    // The form of `elicitInputs`.
    page.click(&tab("Tools")).await;
    page.click(&button_that_begins("Elicit inputs")).await;
    page.click(&button("Execute Tool")).await;
    page.fill(&labelled("Full Name"), "Ada").await;
    page.click("//*[@role='dialog']//label[starts-with(normalize-space(), 'Agree')]").await;
    page.click(&button("Submit")).await;
    page.text("//*[contains(text(), 'Elicitation result: ')]").await;

    // The app, in the sandbox that it is shown in, calls a tool.
    page.click(&tab("Apps")).await;
    page.click(&button_that_begins("MCP Apps hello world")).await;
    page.enter("iframe").await;
    page.enter("iframe").await;
    page.text("//h1[.='Hello from MCP Apps!']").await;
    page.click("#call").await;
    page.text("//p[@id='called'][.='The sum of 2 and 3 is 5.']").await;
}
