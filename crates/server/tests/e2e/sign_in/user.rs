//! A user at a desktop, with a browser.

use std::process::Command;

use tokio::time::timeout;

use crate::{
    chromium::Chromium,
    desktop::Desktop,
    it::support::BOUND,
    pages::{ALLOW, SIGN_IN},
    running::Running,
};

pub(crate) struct User {
    pub(crate) browser: Chromium,
    pub(crate) desktop: Desktop,
    /// How often a client asked for something.
    pub(crate) asked: usize,
    /// What the page said when the last client asked for what cannot be.
    pub(crate) refused: Option<String>,
    _profile: tempfile::TempDir,
}

/// What a client said until it ended.
pub(crate) struct Told {
    lines: Vec<String>,
    complaints: String,
}

impl User {
    pub(crate) async fn at_a_desktop() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let browser = Chromium::start(profile.path()).await;
        Self { browser, desktop: Desktop::new(), asked: 0, refused: None, _profile: profile }
    }

    /// Has this id at the identity provider, whose pages are there.
    pub(crate) async fn is(&self, id: &str, identity_provider: &str) {
        self.browser.open(identity_provider).await;
        self.browser.script(&format!("localStorage.setItem('mcpUserId', '{id}')")).await;
    }

    /// Runs a client to its end, and does at the browser what it asks for. Where that cannot be
    /// done, the client is ended.
    pub(crate) async fn runs(&mut self, command: &mut Command) -> Told {
        self.refused = None;
        let mut client = Running::start(command.env("BROWSER", self.desktop.browser()));
        let mut lines = Vec::new();
        let ended = async {
            while let Some(line) = self.next_line_of(&mut client).await {
                lines.push(line);
            }
        };
        let in_time = timeout(2 * BOUND, ended).await.is_ok();
        let complaints = client.complaints().await;
        assert!(in_time, "it does not end: {lines:?} {complaints}");
        Told { lines, complaints }
    }

    /// The next line that a client says; until then, the user does at the browser what it asks for.
    pub(crate) async fn next_line_of(&mut self, client: &mut Running) -> Option<String> {
        loop {
            tokio::select! {
                line = client.next() => return line,
                url = self.desktop.opened() => {
                    self.asked += 1;
                    self.answers(&url).await;
                    if self.refused.is_some() {
                        return None;
                    }
                }
            }
        }
    }

    /// Allows what the client asks for, and signs in.
    async fn answers(&mut self, url: &str) {
        self.browser.open(url).await;
        let may_allow = format!("return document.querySelector(`{ALLOW}`) !== null");
        if self.browser.script(&may_allow).await == true {
            self.browser.click(ALLOW).await;
            self.browser.click(SIGN_IN).await;
        } else {
            self.refused = Some(self.browser.text("main").await);
        }
    }
}

impl Told {
    /// It did all it wanted to do.
    pub(crate) fn is_ok(&self) {
        let ok = self.lines.last().is_some_and(|line| line == "ok");
        assert!(ok, "{:?} {}", self.lines, self.complaints);
    }

    /// It did not, and said why.
    pub(crate) fn complains(&self, why: &str) {
        assert!(self.complaints.contains(why), "{why}: {:?} {}", self.lines, self.complaints);
    }

    /// What it found of this name.
    pub(crate) fn told(&self, name: &str) -> &str {
        let found = self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        found.unwrap_or_else(|| panic!("no {name}: {:?}", self.lines))
    }
}
