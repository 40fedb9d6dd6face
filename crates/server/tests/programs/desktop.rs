//! What a desktop does with a URL that a program asks it to open.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use tokio::sync::mpsc;

/// A program for `BROWSER` that hands the URLs it is called with to the test.
pub(crate) struct Desktop {
    folder: tempfile::TempDir,
    urls: mpsc::UnboundedReceiver<String>,
}

impl Desktop {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("urls");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >'{}'\n", pipe.display());
        let browser = browser_in(folder.path());
        fs::write(&browser, script).unwrap();
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).unwrap();
        // Open for writing as well, the pipe has no end, and nobody waits for the other side.
        let pipe = fs::File::options().read(true).write(true).open(pipe).unwrap();
        let (sender, urls) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for url in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(url).is_err() {
                    break;
                }
            }
        });
        Self { folder, urls }
    }

    /// The program for `BROWSER`.
    pub(crate) fn browser(&self) -> PathBuf {
        browser_in(self.folder.path())
    }

    /// The next URL that a program wants to be opened.
    pub(crate) async fn opened(&mut self) -> String {
        self.urls.recv().await.expect("the desktop is there as long as the test")
    }
}

fn browser_in(folder: &Path) -> PathBuf {
    folder.join("browser")
}
