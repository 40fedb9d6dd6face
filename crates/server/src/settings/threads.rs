//! How many threads answer requests. They are there before the settings are judged.

use tokio::runtime::{Builder, Runtime};

use super::{
    RawSettings,
    read::{Reader, given},
};

/// Beyond it there is a mistake in the number, not a machine for it.
const MOST: usize = 1024;

impl RawSettings {
    /// The threads that answer requests: one for each core where nothing is said, or nothing that
    /// can be read, which is told with all else that is wrong.
    ///
    /// # Errors
    ///
    /// What the system says when it has no room for them.
    pub(crate) fn runtime(&self) -> std::io::Result<Runtime> {
        let mut builder = Builder::new_multi_thread();
        if let Some(threads) = given(self.worker_threads.as_deref()).and_then(threads) {
            builder.worker_threads(threads);
        }
        builder.enable_all().build()
    }
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

    #[test]
    fn there_are_as_many_threads_as_are_asked_for() {
        for (text, threads) in [("1", 1), (" 3 ", 3)] {
            let raw = RawSettings { worker_threads: Some(text.into()), ..RawSettings::default() };
            assert_eq!(raw.runtime().unwrap().metrics().num_workers(), threads, "{text}");
        }
    }

    #[test]
    fn a_number_that_cannot_be_is_none() {
        for text in ["0", "1025", "-1", "two"] {
            assert_eq!(threads(text), None, "{text}");
        }
    }
}
