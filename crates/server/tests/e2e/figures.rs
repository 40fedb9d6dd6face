//! What is measured.

use std::time::Duration;

use crate::it::support::Server;

/// The memory of each instance, in bytes.
pub(crate) fn memory(server: &Server) -> Vec<u64> {
    server.instances.iter().map(|instance| resident(instance.id())).collect()
}

fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: u64 = line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap();
    kilobytes * 1024
}

/// Half of them, 99 of 100 and all of them took no longer than this.
pub(crate) fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    format!("p50 {:?}, p99 {:?}, longest {:?}", at(50), at(99), at(100))
}
