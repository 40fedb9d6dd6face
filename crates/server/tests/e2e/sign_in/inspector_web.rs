//! MCP Inspector in the browser.

use std::path::Path;

use super::{Deployed, User};
use crate::{
    chromium::Chromium,
    it::support::{server::free_port, soon},
    pages::{ALLOW, SIGN_IN},
    running::Running,
    tools,
};

on_every_deployment!(inspector_web_over_http, inspector_web_over_sse);

async fn inspector_web_over_http(deployed: &Deployed) {
    it_is_used(deployed, "streamable-http", "/mcp").await;
}

async fn inspector_web_over_sse(deployed: &Deployed) {
    it_is_used(deployed, "sse (Server-Sent Events)", "/sse").await;
}

async fn it_is_used(deployed: &Deployed, transport: &str, path: &str) {
    let user = User::at_a_desktop().await;
    let page = &user.browser;
    let home = tempfile::tempdir().unwrap();
    let _inspector = connect(page, home.path(), transport, &deployed.server.url(path)).await;
    page.click(&tab("Tools")).await;
    echoes(page, "hi").await;

    // What it has is good enough to connect again.
    page.click("//button[@aria-label='Disconnect from server']").await;
    page.click(&connect_switch("everything")).await;
    page.click(&tab("Tools")).await;
    echoes(page, "again").await;
}

/// Starts it, and has it connect to the server and sign in there. It ends with what is returned.
pub(crate) async fn connect(page: &Chromium, home: &Path, transport: &str, url: &str) -> Running {
    let (inspector, page_url) = start(home).await;
    // On a narrow screen it has no room for all its buttons.
    page.look(1400, "light").await;
    page.open(&page_url).await;

    page.click(&button("Add Servers")).await;
    page.click(&menu_item("Add manually")).await;
    page.fill(&labelled("Server ID"), "everything").await;
    page.click(&labelled("Transport")).await;
    page.click(&option(transport)).await;
    page.fill(&labelled("URL"), url).await;
    page.click(&button("Add")).await;
    page.click(&connect_switch("everything")).await;

    page.click(ALLOW).await;
    page.click(SIGN_IN).await;
    inspector
}

async fn echoes(page: &Chromium, message: &str) {
    page.click(&button_that_begins("Echo")).await;
    page.fill(&labelled("message"), message).await;
    page.click(&button("Execute Tool")).await;
    page.text(&format!("//*[text()='Echo: {message}']")).await;
}

/// It, and its page's URL.
async fn start(home: &Path) -> (Running, String) {
    let mut command = tools::inspector(home);
    command.arg("--web").env("MCP_AUTO_OPEN_ENABLED", "false");
    for port in ["CLIENT_PORT", "MCP_SANDBOX_PORT"] {
        command.env(port, free_port().to_string());
    }
    let mut inspector = Running::start(&mut command);
    let url = page_of(&mut inspector).await;
    (inspector, url)
}

/// The URL of its page, which it says when it has started.
pub(crate) async fn page_of(inspector: &mut Running) -> String {
    let url = async {
        while let Some(line) = inspector.next().await {
            if line.trim().starts_with("http://") {
                return Some(line.trim().to_owned());
            }
        }
        None
    };
    match soon(url).await {
        Some(url) => url,
        None => panic!("{}", inspector.complaints().await),
    }
}

pub(crate) fn button(name: &str) -> String {
    format!("//button[normalize-space()='{name}']")
}

pub(crate) fn button_that_begins(name: &str) -> String {
    format!("//button[starts-with(normalize-space(), '{name}')]")
}

fn menu_item(name: &str) -> String {
    format!("//*[@role='menuitem'][contains(., '{name}')]")
}

fn option(name: &str) -> String {
    format!("//*[@role='option'][contains(., '{name}')]")
}

/// The switch itself is too small to be hit: its label is.
pub(crate) fn connect_switch(server: &str) -> String {
    format!("//*[@role='switch'][@aria-label='Connect or disconnect \"{server}\"']/..")
}

pub(crate) fn tab(name: &str) -> String {
    format!("//label[normalize-space()='{name}']")
}

/// What has this label.
pub(crate) fn labelled(label: &str) -> String {
    format!("//*[@id=//label[starts-with(normalize-space(), '{label}')]/@for]")
}
