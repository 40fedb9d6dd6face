//! How many threads answer requests. They are there before the settings are judged.

use std::{io, thread::available_parallelism};

use tokio::runtime::{Builder, Runtime};

use super::{
    RawSettings,
    read::{Reader, given},
};

/// Beyond it there is a mistake in the number, not a machine for it.
const MOST: usize = 1024;

impl RawSettings {
    /// What a server runs on: a thread for each core where nothing is said, or nothing that can be read,
    /// which is told with all else that is wrong.
    pub(crate) fn runtime(&self) -> io::Result<Runtime> {
        let threads = given(self.worker_threads.as_deref()).and_then(threads);
        runtime(threads.map_or_else(each_core, Ok)?)
    }
}

/// What everything else runs on.
pub(crate) fn usual_runtime() -> io::Result<Runtime> {
    runtime(each_core()?)
}

fn runtime(threads: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(threads).enable_all().build()
}

fn each_core() -> io::Result<usize> {
    available_parallelism().map(usize::from)
}

pub(super) fn check(reader: &mut Reader, raw: &RawSettings) {
    let text = raw.worker_threads.as_deref();
    reader.read("WORKER_THREADS", text, None, "a number from 1 to 1024", |text| {
        threads(text).map(Some)
    });
}

fn threads(text: &str) -> Option<usize> {
    text.parse().ok().filter(|threads| (1..=MOST).contains(threads))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(text: Option<&str>) -> usize {
        let worker_threads = text.map(str::to_owned);
        let raw = RawSettings { worker_threads, ..RawSettings::default() };
        raw.runtime().unwrap().metrics().num_workers()
    }

    #[test]
    fn there_are_as_many_threads_as_are_asked_for() {
        assert_eq!(workers(Some("1")), 1);
        assert_eq!(workers(Some(" 3 ")), 3);
        let cores = available_parallelism().unwrap().get();
        assert_eq!(workers(None), cores);
        assert_eq!(workers(Some("many")), cores);
    }

    #[test]
    fn a_number_that_cannot_be_is_none() {
        for text in ["0", "1025", "-1", "two"] {
            assert_eq!(threads(text), None, "{text}");
        }
    }
}
