//! Instructions for a call, counted by callgrind: noise does not move them, so that a change which
//! makes calls dearer is seen on any machine. The kernel's are not among them.

use std::{fs, path::Path};

use tokio::process::Command;

use crate::{
    http::Connection,
    mcp::{Ask, Wire, sessions},
    report::{Report, Target},
    result::Result,
    subject::{Subject, bare, server},
};

/// As every server of these measurements has it.
const HOST: &str = "127.0.0.1";
/// Calls until everything is where it stays: memory of the allocator's, tables, pools.
const WARM: usize = 300;
const COUNTED: usize = 500;
/// What a call may take, in thousands. Who raises one says why in the commit.
const STATEFUL: f64 = 105.0;
const STATELESS: f64 = 125.0;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    for (what, target, wire) in [
        ("thousands of instructions a call in a session", STATEFUL, Wire::Stateful),
        ("the same on 2026-07-28", STATELESS, Wire::Stateless),
    ] {
        let folder = tempfile::tempdir()?;
        let valgrind = counting(&server()?, folder.path());
        let subject = Subject::with("counted", valgrind).await?;
        report.add(what, count(&subject, wire, folder.path()).await?, "", Target::AtMost(target));
    }
    for (what, wire) in
        [("bare rmcp: in a session", Wire::Stateful), ("bare rmcp: on 2026-07-28", Wire::Stateless)]
    {
        let folder = tempfile::tempdir()?;
        let valgrind = counting(&bare()?, folder.path());
        let subject = Subject::other("counted", valgrind).await?;
        report.add(what, count(&subject, wire, folder.path()).await?, "", Target::None);
    }
    Ok(())
}

/// The same program, counted into files of a folder.
fn counting(command: &Command, folder: &Path) -> Command {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", folder.join("counts").display()))
        .arg(command.as_std().get_program())
        .env("HOST", HOST)
        .env_remove("LOGNAME");
    valgrind
}

async fn count(subject: &Subject, wire: Wire, folder: &Path) -> Result<f64> {
    let token = subject.token("bench").await?;
    let mut ask = Ask::echo(wire, subject.port, token.as_deref());
    if wire == Wire::Stateful {
        ask = ask.within(sessions(subject.port, token.as_deref(), 1).await?);
    }
    ask.is_answered().await?;
    let mut connection = Connection::open(ask.port).await?;
    let request = ask.bytes(0);
    let pid = subject.instances[0].pid()?.to_string();
    for _ in 0..WARM {
        connection.ask(&request).await?;
    }
    control(&["--zero", &pid]).await?;
    for _ in 0..COUNTED {
        connection.ask(&request).await?;
    }
    control(&["--dump", &pid]).await?;
    let counts = fs::read_to_string(folder.join("counts.1"))?;
    let total = counts.lines().find_map(|line| line.strip_prefix("totals: "));
    let total: f64 = total.ok_or("callgrind counted nothing")?.trim().parse()?;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let calls = COUNTED as f64;
    Ok(total / calls / 1e3)
}

async fn control(arguments: &[&str]) -> Result<()> {
    // Valgrind names the file by which it is spoken to after these two: they must be as they are
    // for the program that is counted.
    let mut control = Command::new("callgrind_control");
    control.args(arguments).env("HOST", HOST).env_remove("LOGNAME");
    let output = control.output().await?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("callgrind_control: {}", String::from_utf8_lossy(&output.stderr)).into())
}
