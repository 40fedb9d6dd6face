//! Programs that are measured, each a process of its own that ends with this one.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

use crate::result::Result;

/// How long a program may take to answer.
const BOUND: Duration = Duration::from_secs(30);
/// How many of the kernel's ticks are a second, on Linux, always.
const TICKS: f64 = 100.0;

/// A running program that listens.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
}

/// What it took so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Seconds of processor time.
    pub(crate) cpu: f64,
    /// Bytes of memory that are its own, pages of its program among them.
    pub(crate) memory: f64,
    /// Those it asked for. What is told apart by a difference is counted in these: a page of a
    /// program is a process's own only as long as no other process runs that program.
    pub(crate) allocated: f64,
}

impl Process {
    /// Starts `command` and waits until something listens on `port`.
    pub(crate) async fn start(mut command: Command, port: u16) -> Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let mut process = Self { child, port };
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("{command:?} ended: {status}").into());
            }
            if started.elapsed() > BOUND {
                return Err(format!("{command:?} does not listen").into());
            }
            sleep(Duration::from_micros(200)).await;
        }
        Ok(process)
    }

    pub(crate) fn pid(&self) -> Result<u32> {
        Ok(self.child.id().ok_or("the process has ended")?)
    }

    /// What it took so far.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let pid = self.pid()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name, which may hold anything, ends with the last parenthesis; utime and stime are
        // the 12th and 13th after it (proc_pid_stat(5)).
        let after = stat.rsplit(')').next().unwrap_or_default();
        let ticks: f64 = after
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<f64>().ok())
            .sum();
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        let kibibytes = |name: &str| -> f64 {
            let line = rollup.lines().find(|line| line.starts_with(name));
            let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            number.unwrap_or_default()
        };
        let memory = (kibibytes("Private_Dirty:") + kibibytes("Private_Clean:")) * 1024.0;
        let allocated = kibibytes("Anonymous:") * 1024.0;
        Ok(Usage { cpu: ticks / TICKS, memory, allocated })
    }

    /// Ends it as a service manager would, and waits.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.start_kill()?;
        timeout(BOUND, self.child.wait()).await??;
        Ok(())
    }
}

/// A port that nothing listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
