//! `docs/oauth-errors.md`, tried row by row.

mod known;

use reqwest::StatusCode;
use serde_json::json;
use url::{Url, form_urlencoded};

use self::known::Known;
use crate::support::{
    Answer, Deployment, is_mcp,
    rows::{Row, client},
};

on_every_deployment!(every_row_is_true);

const PAGE: &str = include_str!("../../../../docs/oauth-errors.md");

async fn every_row_is_true(on: &Deployment) {
    let server = on.start();
    let known = Known::of(&server).await;
    let (http, rows) = (client(), Row::all(PAGE));
    assert!(rows.len() > 150, "the tables were found: {}", rows.len());
    let mut wrong = Vec::new();
    for mut row in rows {
        known.fill_in(&mut row);
        let is_json = is_mcp(path(&row)) || path(&row) == "/register";
        let content_type =
            if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
        let mut answer = row.send(&http, &server, content_type, None).await;
        let odd = match answer.status {
            StatusCode::SEE_OTHER => sent_back(&row, &server.base, &mut answer),
            _ => said(&row, &answer),
        };
        wrong.extend(odd.map(|odd| format!("{row:?}\n  {odd}: {answer:?}")));
        wrong.extend(row.wrong(&answer));
    }
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
    known.are_unharmed(&server).await;
}

fn path(row: &Row) -> &str {
    row.path.split('?').next().unwrap()
}

/// What is wrong with the form of an error in JSON (RFC 6749, section 5.2; RFC 6750, section 3).
fn said(row: &Row, answer: &Answer) -> Option<&'static str> {
    if matches!(row.code.as_str(), "page" | "method_not_allowed" | "not_found") {
        return None;
    }
    let description = answer.body["error_description"].as_str().unwrap_or_default();
    let is_plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    if description.is_empty() || !description.chars().all(is_plain) {
        return Some("its description is not plain text");
    }
    if answer.body.as_object().is_none_or(|body| body.len() != 2) {
        return Some("it has more members");
    }
    if answer.headers.get("cache-control").is_none_or(|value| value != "no-store") {
        return Some("it may be kept");
    }
    let challenge = answer.headers.get("www-authenticate").map(|value| value.to_str().unwrap());
    let challenge = challenge.unwrap_or_default();
    let in_header = row.headers.iter().any(|(name, _)| name == "Authorization");
    if !is_mcp(path(row)) {
        let expected = answer.status == StatusCode::UNAUTHORIZED && in_header;
        return (challenge.starts_with("Basic realm=") != expected).then_some("its challenge");
    }
    let is_dpop = |(name, value): &(String, Option<String>)| {
        name == "Authorization" && value.as_ref().is_some_and(|value| value.starts_with("DPoP"))
    };
    let scheme = if row.headers.iter().any(is_dpop) { "DPoP" } else { "Bearer" };
    let names_error = challenge.starts_with(&format!("{scheme} error=\"{}\"", row.code));
    let expected = row.code != "unauthorized";
    let leads_on = challenge.starts_with(scheme) && challenge.contains("resource_metadata=\"");
    (names_error != expected || !leads_on).then_some("its challenge")
}

/// What is wrong with where a browser is sent with an error. Its parameters become the body.
fn sent_back(row: &Row, issuer: &str, answer: &mut Answer) -> Option<&'static str> {
    let query = row.path.split_once('?').map_or(&*row.body, |(_, query)| query);
    let sent: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let location = Url::parse(answer.headers["location"].to_str().unwrap()).unwrap();
    let got: Vec<_> = location.query_pairs().into_owned().collect();
    let [error, description, iss, state] =
        ["error", "error_description", "iss", "state"].map(|name| all(&got, name));
    answer.body = json!({ "error": error[0], "error_description": description[0] });
    let target = location.as_str().split('?').next().unwrap();
    let states = all(&sent, "state");
    if all(&sent, "redirect_uri") != [target] {
        Some("it goes elsewhere")
    } else if iss != [issuer] {
        Some("its issuer")
    } else if state != if states.len() == 1 { states } else { Vec::new() } {
        Some("its state")
    } else {
        (got.len() != 3 + state.len()).then_some("it has more parameters")
    }
}

/// The values of a parameter.
fn all(pairs: &[(String, String)], name: &str) -> Vec<String> {
    let named = pairs.iter().filter(|(key, _)| key == name);
    named.map(|(_, value)| value.clone()).collect()
}
