//! Clients that do not register themselves.

use std::fs;

use mcp_everything_oauth::{Config, DocumentHosts, ListedClients};
use url::Host;

use super::{
    Problem, RawSettings,
    read::{Reader, given, list, switch},
};

/// Where clients are known from, besides `/register`.
#[derive(Clone)]
pub(crate) struct Clients {
    /// Those of `CLIENTS_FILE`.
    pub(crate) listed: ListedClients,
    /// Whose Client ID Metadata Documents are read.
    pub(crate) documents: DocumentHosts,
}

pub(super) fn clients(reader: &mut Reader, raw: &RawSettings) -> Clients {
    let takes = "on, off, or hosts separated by commas, such as client.example.com";
    let documents = raw.client_metadata_documents.as_deref();
    Clients {
        listed: listed(reader, raw.clients_file.as_deref()),
        documents: reader.read(
            "CLIENT_METADATA_DOCUMENTS",
            documents,
            DocumentHosts::Everybody,
            takes,
            hosts,
        ),
    }
}

fn listed(reader: &mut Reader, path: Option<&str>) -> ListedClients {
    let Some(path) = given(path) else { return ListedClients::default() };
    let mut problem = |why: String| {
        let takes = format!("a file with clients as docs/authorization.md says ({why})");
        reader.0.push(Problem::new("CLIENTS_FILE", path, takes));
        ListedClients::default()
    };
    match fs::read_to_string(path) {
        Ok(text) => match ListedClients::parse(&text, &Config::usual_app_schemes()) {
            Ok(clients) => clients,
            Err(problems) => {
                for each in problems {
                    problem(each.to_string());
                }
                ListedClients::default()
            }
        },
        Err(error) => problem(error.to_string()),
    }
}

fn hosts(text: &str) -> Option<DocumentHosts> {
    match switch(text) {
        Some(true) => return Some(DocumentHosts::Everybody),
        Some(false) => return Some(DocumentHosts::Nobody),
        None => {}
    }
    // As a URL has them. `*.example.com` is a host to the parser, and none that anybody has.
    let host = |item: &str| {
        let host = Host::parse(item).ok()?.to_string();
        (!host.contains('*')).then_some(host)
    };
    let hosts: Option<Vec<String>> = list(text).map(host).collect();
    hosts.filter(|hosts| !hosts.is_empty()).map(DocumentHosts::Only)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Role, Settings};

    fn read(change: impl FnOnce(&mut RawSettings)) -> Result<Clients, Vec<String>> {
        let mut raw = RawSettings::default();
        change(&mut raw);
        let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
        Settings::from_raw(&raw, Role::McpServer).map(|settings| settings.clients).map_err(told)
    }

    #[test]
    fn documents_are_read_from_everybody_nobody_or_some() {
        for (text, documents) in [
            ("on", DocumentHosts::Everybody),
            ("off", DocumentHosts::Nobody),
            (
                "Client.example, xn--e1awd7f.example,[::1]",
                DocumentHosts::Only(vec![
                    "client.example".into(),
                    "xn--e1awd7f.example".into(),
                    "[::1]".into(),
                ]),
            ),
        ] {
            let clients = read(|raw| raw.client_metadata_documents = Some(text.into())).unwrap();
            assert_eq!(clients.documents, documents, "{text}");
        }
        for text in ["https://client.example", "client.example/a", "*.example", "a b", "a:80"] {
            let told = read(|raw| raw.client_metadata_documents = Some(text.into())).err().unwrap();
            assert!(told[0].starts_with("CLIENT_METADATA_DOCUMENTS is"), "{text}: {told:?}");
        }
    }

    #[test]
    fn each_problem_of_the_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.json");
        let file = |text: &str| {
            fs::write(&path, text).unwrap();
            read(|raw| raw.clients_file = Some(path.display().to_string()))
        };
        let good = r#"{"client_id": "c", "redirect_uris": ["cursor://a.b/cb"],
            "token_endpoint_auth_method": "none"}"#;
        assert_eq!(file(&format!("[{good}]")).unwrap().listed.len(), 1);
        let told = file(&format!(r#"[7, {good}, {{"client_id": "d"}}]"#)).err().unwrap();
        assert_eq!(told.len(), 2);
        for (told, says) in told.iter().zip(["entry 1: it is not", "entry 3: redirect_uris"]) {
            assert!(told.starts_with("CLIENTS_FILE is"), "{told}");
            assert!(told.contains("clients.json") && told.contains(says), "{told}");
        }
        assert!(file("{").err().unwrap()[0].contains("not a JSON array"));
        let missing = read(|raw| raw.clients_file = Some("/nowhere/clients.json".into()));
        assert!(missing.err().unwrap()[0].contains("/nowhere/clients.json"));
    }
}
