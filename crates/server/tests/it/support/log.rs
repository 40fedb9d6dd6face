//! What the instances wrote.

use std::{
    collections::HashSet,
    ops::Deref,
    sync::{Condvar, Mutex},
};

use serde_json::Value;

use super::{BOUND, secrets};

/// The lines of all instances, in the order in which they were read.
#[derive(Default)]
pub(crate) struct Log {
    lines: Mutex<Vec<Line>>,
    more: Condvar,
    /// Who was asked, and whether at an MCP endpoint, as the balancer saw it: of an answer that
    /// nobody waited for there is no line.
    asked: Mutex<HashSet<(usize, bool)>>,
}

#[derive(Clone)]
pub(crate) struct Line {
    /// Who wrote it.
    pub(crate) instance: usize,
    content: Value,
}

impl Line {
    pub(crate) fn of(&self, instance: usize, event: &str) -> bool {
        self.instance == instance && self["event"] == event
    }
}

impl Deref for Line {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.content
    }
}

/// When all of it is there, it is looked at for secrets.
impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let lines = self.lines.get_mut().unwrap();
        let leaks = secrets::leaks(lines.iter().map(|line| &line.content));
        assert!(leaks.is_empty(), "the log has secrets in it: {leaks:?}");
    }
}

impl Log {
    pub(crate) fn add(&self, instance: usize, content: Value) {
        self.lines.lock().unwrap().push(Line { instance, content });
        self.more.notify_all();
    }

    pub(crate) fn asks(&self, instance: usize, mcp: bool) {
        self.asked.lock().unwrap().insert((instance, mcp));
    }

    pub(crate) fn was_asked(&self, instance: usize, mcp: bool) -> bool {
        self.asked.lock().unwrap().contains(&(instance, mcp))
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.lock().unwrap().len()
    }

    /// All so far.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits for a line, passing over the first so many.
    pub(crate) fn find_after(&self, seen: usize, is_it: impl Fn(&Line) -> bool) -> Option<Line> {
        let lines = self.lines.lock().unwrap();
        let missing = |lines: &mut Vec<Line>| !lines[seen..].iter().any(&is_it);
        let (lines, _) = self.more.wait_timeout_while(lines, BOUND, missing).unwrap();
        lines[seen..].iter().find(|line| is_it(line)).cloned()
    }
}
