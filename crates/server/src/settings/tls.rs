//! Whether the server speaks TLS itself.

use super::{
    Problem, RawSettings,
    read::{Reader, given},
};
use crate::net::{TlsFiles, TlsProblem};

/// `None`: plain HTTP.
pub(super) fn tls(reader: &mut Reader, raw: &RawSettings) -> Option<TlsFiles> {
    let (cert, key) = (given(raw.tls_cert.as_deref()), given(raw.tls_key.as_deref()));
    let (cert, key) = match (cert, key) {
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => {
            let but = "TLS_KEY is not, so the server cannot prove that the certificate is its own";
            reader.0.push(Problem::useless("TLS_CERT", but));
            return None;
        }
        (None, Some(_)) => {
            let but = "TLS_CERT is not, so there is no certificate that the key is of";
            reader.0.push(Problem::useless("TLS_KEY", but));
            return None;
        }
        (None, None) => return None,
    };
    let files = TlsFiles { cert: cert.into(), key: key.into() };
    let problems: Vec<TlsProblem> = match (files.certificates(), files.key()) {
        (Ok(_), Ok(_)) => files.read().err().into_iter().collect(),
        (cert, key) => cert.err().into_iter().chain(key.err()).collect(),
    };
    for problem in &problems {
        let (holds, takes) = match problem {
            TlsProblem::Certificate(why) => (
                cert,
                format!(
                    "a file with the server's certificate in PEM, followed by those that lead from \
                     it to a root ({why})"
                ),
            ),
            TlsProblem::Key(why) => {
                (key, format!("a file with the key of TLS_CERT in PEM ({why})"))
            }
            TlsProblem::Mismatch => {
                (key, "the key of the certificate in TLS_CERT, not another's".to_owned())
            }
        };
        reader.0.push(if holds.contains("-----BEGIN") {
            let why = "it takes the name of a file, and not what is in it";
            Problem::secret(problem.variable(), why)
        } else {
            Problem::new(problem.variable(), holds, takes)
        });
    }
    problems.is_empty().then_some(files)
}

/// `http`, or `https` where the server speaks TLS itself.
pub(super) fn scheme(raw: &RawSettings) -> &'static str {
    if given(raw.tls_cert.as_deref()).is_some() { "https" } else { "http" }
}

#[cfg(test)]
mod tests {
    use mcp_everything_fetch::testing::certificate;

    use super::*;
    use crate::settings::{Role, Settings};

    fn read(role: Role, cert: &str, key: &str) -> Result<Settings, Vec<String>> {
        let raw = RawSettings {
            tls_cert: Some(cert.to_owned()),
            tls_key: Some(key.to_owned()),
            ..RawSettings::default()
        };
        Settings::from_raw(&raw, role)
            .map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    fn problem(cert: &str, key: &str) -> String {
        let problems = read(Role::McpServer, cert, key).err().unwrap_or_default();
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems[0].clone()
    }

    #[test]
    fn with_a_certificate_urls_are_https() {
        let folder = certificate();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (cert, key) = (file("cert.pem"), file("key.pem"));
        let settings = read(Role::McpServer, &cert, &key).unwrap();
        assert_eq!(settings.base_uri.as_str(), "https://localhost:3232");
        assert_eq!(settings.tls, Some(TlsFiles { cert: cert.clone().into(), key: key.into() }));
        let settings = read(Role::AuthServer, &cert, &file("key.pem")).unwrap();
        assert_eq!(settings.base_uri.as_str(), "https://localhost:3001");
        assert_eq!(read(Role::McpServer, "", " ").unwrap().tls, None);
    }

    #[test]
    fn what_cannot_be_used_is_said_in_one_line() {
        let (folder, other) = (certificate(), certificate());
        let file = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(file("empty"), "").unwrap();
        let (cert, key) = (file("cert.pem"), file("key.pem"));
        let others = other.path().join("key.pem").display().to_string();
        for (cert, key, variable, why) in [
            (&cert, &String::new(), "TLS_CERT is set", "TLS_KEY is not"),
            (&String::new(), &key, "TLS_KEY is set", "TLS_CERT is not"),
            (&"/nowhere".to_owned(), &key, "TLS_CERT", "No such file"),
            (&cert, &"/nowhere".to_owned(), "TLS_KEY", "No such file"),
            (&file("empty"), &key, "TLS_CERT", "no certificate"),
            (&key, &key, "TLS_CERT", "no certificate"),
            (&cert, &cert, "TLS_KEY", "no private key"),
            (&cert, &others, "TLS_KEY", "not another's"),
        ] {
            let told = problem(cert, key);
            assert!(told.starts_with(variable) && told.contains(why), "{told}");
            assert_eq!(told.lines().count(), 1, "{told}");
        }
    }

    #[test]
    fn a_key_in_place_of_its_file_is_not_shown() {
        let folder = certificate();
        let cert = folder.path().join("cert.pem").display().to_string();
        let key = std::fs::read_to_string(folder.path().join("key.pem")).unwrap();
        for (cert, key) in [(&cert, &key), (&key, &key)] {
            let problems = read(Role::McpServer, cert, key).err().unwrap();
            let told = problems.join(" ");
            assert!(told.contains("the name of a file"), "{told}");
            assert!(!told.contains(key.lines().nth(1).unwrap()), "{told}");
        }
    }
}
