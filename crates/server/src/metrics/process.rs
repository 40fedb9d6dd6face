//! The process, under the names that every program has for this, read where Linux tells it.

use std::{fmt, fs, str::FromStr};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// In a second, as every Linux has it in what it tells programs (`USER_HZ`).
const TICKS: f64 = 100.0;

/// Asks the system whenever somebody looks. What it does not tell, say on another system, is not
/// there.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stat = Stat::read();
        let mut gauge = |name, help, value: Option<f64>| {
            let Some(value) = value else { return Ok(()) };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        gauge(
            "process_start_time_seconds",
            "When the process started, in seconds since 1970.",
            stat.as_ref().and_then(|stat| Some(booted()? + stat.started)),
        )?;
        gauge("process_resident_memory_bytes", "Memory that is in use.", status("VmRSS:"))?;
        gauge("process_virtual_memory_bytes", "Memory that is asked for.", status("VmSize:"))?;
        gauge("process_threads", "Threads.", status("Threads:"))?;
        gauge("process_open_fds", "File descriptors that are open.", open_files())?;
        gauge("process_max_fds", "File descriptors that may be open.", most_files())?;
        if let Some(stat) = stat {
            let spent = ConstCounter::new(stat.spent);
            let help = "Time of processors that was spent, for programs and for the system.";
            let kind = spent.metric_type();
            spent.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, kind)?)?;
        }
        Ok(())
    }
}

/// `/proc/self/stat`, in seconds.
struct Stat {
    spent: f64,
    /// After the system.
    started: f64,
}

impl Stat {
    fn read() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// `proc_pid_stat(5)`. The name of the program, in parentheses, may have spaces in it.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let ticks = |field: usize| rest.split_whitespace().nth(field - 3)?.parse::<f64>().ok();
        Some(Self { spent: (ticks(14)? + ticks(15)?) / TICKS, started: ticks(22)? / TICKS })
    }
}

/// When the system started, in seconds since 1970.
fn booted() -> Option<f64> {
    number(&fs::read_to_string("/proc/stat").ok()?, "btime ")
}

/// A line of `/proc/self/status`: a number, of bytes where it is of kilobytes.
fn status(name: &str) -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let unit = if line.ends_with(" kB") { 1024.0 } else { 1.0 };
    Some(number::<f64>(line, "")? * unit)
}

fn open_files() -> Option<f64> {
    // One of them is the folder that is read.
    let count = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    Some(f64::from(u32::try_from(count).ok()?))
}

fn most_files() -> Option<f64> {
    number(&fs::read_to_string("/proc/self/limits").ok()?, "Max open files")
}

/// The first number after a word at the beginning of a line.
fn number<T: FromStr>(text: &str, word: &str) -> Option<T> {
    let line = text.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use prometheus_client::{encoding::prometheus_text, registry::Registry};

    use super::*;

    #[test]
    fn a_name_with_spaces_is_read_over() {
        let fields: Vec<String> = (3..=52).map(|field: u32| (field * 100).to_string()).collect();
        let stat = Stat::parse(&format!("7 (a ) b) {}", fields.join(" "))).unwrap();
        assert_eq!((stat.spent, stat.started), (29.0, 22.0));
        assert!(Stat::parse("7 (a) 1 2").is_none());
    }

    #[test]
    fn this_process_has_all_of_it() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Process));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).unwrap();
        let value = |name: &str| number::<f64>(&text, &format!("{name} ")).unwrap();
        assert!(value("process_start_time_seconds") > 1.7e9);
        assert!(value("process_resident_memory_bytes") > 1e6);
        assert!(value("process_virtual_memory_bytes") >= value("process_resident_memory_bytes"));
        assert!(value("process_threads") >= 1.0);
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        assert!(value("process_cpu_seconds_total") >= 0.0);
    }
}
