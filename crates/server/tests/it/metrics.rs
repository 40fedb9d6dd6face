//! What is counted, and who is told.

mod counted;
mod page;
pub(crate) mod text;
mod who;

use std::collections::BTreeSet;

/// The events that are counted.
pub(crate) fn events() -> BTreeSet<&'static str> {
    const SOURCE: &str = include_str!("../../src/metrics/events.rs");
    let (_, list) = SOURCE.split_once("const EVENTS: &[&str] = &[").unwrap();
    list.split("];").next().unwrap().split('"').skip(1).step_by(2).collect()
}
