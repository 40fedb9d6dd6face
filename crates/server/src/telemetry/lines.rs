//! The latest log lines, for whoever may see all that goes on here.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing_subscriber::fmt::MakeWriter;

/// How many are kept.
const LINES: usize = 200;
/// The longest line, in characters.
const LONGEST: usize = 2_000;

/// The last lines that this process logged, as they were logged: without secrets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// How many there were in all.
    count: u64,
    lines: VecDeque<String>,
}

impl Lines {
    /// The lines behind the first `seen` there were, and how many there are by now.
    pub(crate) fn since(&self, seen: u64) -> (Vec<String>, u64) {
        let kept = self.kept();
        let new = usize::try_from(kept.count.saturating_sub(seen)).unwrap_or(usize::MAX);
        let skipped = kept.lines.len().saturating_sub(new);
        (kept.lines.iter().skip(skipped).cloned().collect(), kept.count)
    }

    fn keep(&self, line: &str) {
        let mut kept = self.kept();
        if kept.lines.len() == LINES {
            kept.lines.pop_front();
        }
        kept.lines.push_back(plain(line).chars().take(LONGEST).collect());
        kept.count += 1;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the colours that a terminal is given.
fn plain(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    text
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl io::Write for Lines {
    /// A line is written at once.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        text.lines().filter(|line| !line.is_empty()).for_each(|line| self.keep(line));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn the_last_ones_are_kept_without_colours_and_read_once() {
        let mut lines = Lines::default();
        writeln!(lines, "12:00 \x1b[32mINFO\x1b[0m said").unwrap();
        let (first, seen) = lines.since(0);
        assert_eq!((first, seen), (vec!["12:00 INFO said".to_owned()], 1));
        assert_eq!(lines.since(seen), (vec![], 1));
        for number in 0..2 * LINES {
            writeln!(lines, "{number}").unwrap();
        }
        let (last, seen) = lines.since(seen);
        assert_eq!((last.len(), seen), (LINES, 2 * LINES as u64 + 1));
        assert_eq!(last[LINES - 1], (2 * LINES - 1).to_string());
    }
}
