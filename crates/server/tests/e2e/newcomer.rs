//! The quick start of `README.md` as a newcomer takes it, from a clone to a tool that was called. Every
//! command and the name of every button is read there, so it cannot say what is not so.
//!
//! Only two things are not as a newcomer has them: `cargo run` starts what was compiled before, and
//! `npx` the Inspector that was installed before, so that neither is counted. The port is one of
//! the test's own.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    it::support::{binary, server::free_port, soon},
    running::Running,
    sign_in::{
        inspector_web::{connect_switch, labelled, page_of},
        user::User,
    },
    tools,
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const LONGEST: Duration = Duration::from_secs(5 * 60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_quick_start_takes_less_than_five_minutes() {
    let home = tempfile::tempdir().unwrap();
    let user = User::at_a_desktop().await;
    let mut clock = Clock::start();

    let clone = home.path().join("clone");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", ROOT]).arg(&clone);
    let cloned = git.output().unwrap();
    assert!(cloned.status.success(), "{}", String::from_utf8_lossy(&cloned.stderr));
    clock.step("a clone of the repository");
    let newcomer = Newcomer::new(&home.path().join("bin"), clone);

    let mut server = Running::start(&mut newcomer.runs("server"));
    while !soon(server.next()).await.expect("it starts").contains("Ctrl-C ends it") {}
    clock.step("the server runs");

    let mut inspector = Running::start(&mut newcomer.runs("inspector"));
    let url = page_of(&mut inspector).await;
    clock.step("the Inspector runs");
    let page = &user.browser;
    // On a narrow screen it has no room for all its buttons.
    page.look(1400, "light").await;
    page.open(&url).await;
    page.click(&connect_switch(&format!("localhost:{}", newcomer.port))).await;
    for name in newcomer.pressed() {
        page.click(&format!(
            "//*[self::button or self::label][starts-with(normalize-space(), '{name}')]"
        ))
        .await;
        match name.as_str() {
            "Sign in" => clock.step("the Inspector is signed in"),
            "Echo" => page.fill(&labelled("message"), "hello").await,
            _ => {}
        }
    }
    page.text("//*[text()='Echo: hello']").await;
    clock.step("a tool was called in the Inspector's page");

    let asked = newcomer.ends("curl").await;
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    assert!(said.contains("Echo: hello"), "{said} {}", String::from_utf8_lossy(&asked.stderr));
    clock.step("and by curl");

    server.interrupt();
    while !soon(server.next()).await.expect("it says goodbye").contains("Goodbye.") {}
    assert!(server.succeeded());
    clock.step("the server has said goodbye");
    assert!(clock.total() < LONGEST, "{:?}", clock.total());
}

/// Somebody with a terminal in a clone of the repository.
struct Newcomer {
    readme: String,
    clone: std::path::PathBuf,
    bin: std::path::PathBuf,
    port: u16,
}

impl Newcomer {
    /// With programs of their own in this folder, which does not exist yet.
    fn new(bin: &Path, clone: std::path::PathBuf) -> Self {
        fs::create_dir(bin).unwrap();
        let inspector = tools::inspector(bin);
        let inspector: Vec<_> = [inspector.get_program()]
            .into_iter()
            .chain(inspector.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let server = format!("'{}'", binary().get_program().to_str().unwrap());
        let options = "for option in -q --; do [ \"${1-}\" != \"$option\" ] || shift; done\n";
        for (name, prefix, run) in [
            ("cargo", "run --release", format!("{options}exec {server}")),
            ("npx", "-y @modelcontextprotocol/inspector", format!("exec {}", inspector.join(" "))),
        ] {
            let script = format!(
                "#!/bin/sh\n[ \"${{1-}} ${{2-}}\" = '{prefix}' ] || {{ echo \"$0 $*\" >&2; exit 64; }}\n\
                 shift 2\n{run} \"$@\"\n"
            );
            let file = bin.join(name);
            fs::write(&file, script).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let readme = fs::read_to_string(clone.join("README.md")).unwrap();
        Self { readme, clone, bin: bin.to_owned(), port: free_port() }
    }

    /// What follows a mark of the page.
    fn after(&self, mark: &str) -> &str {
        let mark = format!("<!-- newcomer: {mark} -->");
        self.readme.split_once(&mark).unwrap_or_else(|| panic!("README.md has no {mark}")).1
    }

    /// The commands there.
    fn commands(&self, mark: &str) -> String {
        let after = self.after(mark).trim_start();
        let block = after.strip_prefix("```bash\n").expect("commands follow the mark");
        block.split_once("\n```").unwrap().0.replace("3232", &self.port.to_string())
    }

    /// What is to be pressed, in that order.
    fn pressed(&self) -> Vec<String> {
        let paragraph = self.after("press").trim_start().split("\n\n").next().unwrap();
        let names = paragraph.split('*').skip(1).step_by(2);
        let names: Vec<_> = names.map(|name| name.replace('\n', " ")).collect();
        assert!(names.len() > 3, "{names:?}");
        names
    }

    fn shell(&self, commands: &str) -> Command {
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh");
        shell
            .args(["-eu", "-c", commands])
            .current_dir(&self.clone)
            .env_clear()
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .env("HOME", &self.bin)
            .env("PORT", self.port.to_string())
            .env("LOG_FORMAT", "pretty")
            .env("MCP_INSPECTOR_SECRET_STORE", "memory")
            .env("MCP_AUTO_OPEN_ENABLED", "false");
        for port in ["CLIENT_PORT", "MCP_SANDBOX_PORT"] {
            shell.env(port, free_port().to_string());
        }
        shell
    }

    /// A command that goes on until it is ended.
    fn runs(&self, mark: &str) -> Command {
        let command = self.commands(mark);
        assert_eq!(command.lines().count(), 1, "{command}");
        self.shell(&format!("exec {command}"))
    }

    /// Commands that come to an end.
    async fn ends(&self, mark: &str) -> Output {
        let mut shell = self.shell(&self.commands(mark));
        spawn_blocking(move || shell.output().unwrap()).await.unwrap()
    }
}

/// Says how long each step took.
struct Clock {
    started: Instant,
    last: Instant,
}

impl Clock {
    fn start() -> Self {
        let now = Instant::now();
        Self { started: now, last: now }
    }

    fn step(&mut self, what: &str) {
        let now = Instant::now();
        let (step, total) = ((now - self.last).as_secs_f64(), self.total().as_secs_f64());
        println!("{step:6.1} s  {what} ({total:.1} s so far)");
        self.last = now;
    }

    fn total(&self) -> Duration {
        self.started.elapsed()
    }
}
