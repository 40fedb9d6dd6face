//! What pages have their reader type is typed here, against a server.
//!
//! Blocks after `<!-- run -->`, and those for newcomers, are run as they are, those of one page in one shell. `cargo run` is the
//! binary under test there, and the usual address that of a server of the test's.

use std::{fs, process::Command};

use tokio::task::spawn_blocking;

use super::pages::{Block, Page, pages};
use crate::support::{Server, binary};

const USUAL: &str = "http://localhost:3232";

#[tokio::test]
async fn what_is_marked_works() {
    let mut typed = Vec::new();
    for page in pages().into_values() {
        let blocks: String = marked(&page).collect();
        if blocks.is_empty() {
            continue;
        }
        let server = Server::start();
        let base = server.base.clone();
        let said = spawn_blocking(move || run(&blocks, &base)).await.unwrap();
        let said = said.unwrap_or_else(|said| panic!("{}: {said}", page.path));
        // What is refused is no error of curl's.
        for refused in ["\"error\":", "\"isError\":true"] {
            assert!(!said.contains(refused), "{}: {said}", page.path);
        }
        typed.push(page.path);
    }
    assert!(typed.contains(&"docs/quick-start.md".to_owned()), "{typed:?}");
}

fn marked(page: &Page) -> impl Iterator<Item = &str> {
    let marks = ["run", "newcomer: curl"];
    let is_run =
        move |block: &&Block| block.mark.as_deref().is_some_and(|mark| marks.contains(&mark));
    let marked = page.blocks.iter().filter(is_run);
    marked.map(|block| block.text.as_str())
}

/// What is said to these lines; an error if one of them fails.
fn run(lines: &str, server: &str) -> Result<String, String> {
    let binary = fs::canonicalize(binary().get_program()).unwrap();
    let lines = lines.replace(" login --user", &format!(" login --server {USUAL} --user"));
    let script = format!(
        "set -eu\n\
         cargo() {{ while [ \"$1\" != -- ]; do shift; done; shift; '{}' \"$@\"; }}\n\
         {}",
        binary.display(),
        lines.replace(USUAL, server)
    );
    let folder = tempfile::tempdir().unwrap();
    // Some of it waits for the server, as long as that has something to say.
    let mut shell = Command::new("timeout");
    let shell = shell.args(["60", "bash", "-c", &script]).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&[shell.stdout, shell.stderr].concat()).into_owned();
    if shell.status.success() { Ok(said) } else { Err(said) }
}
