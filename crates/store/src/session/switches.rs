//! Switches: what a user or a client turns on and off.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::StoreError;

/// How many switches one shelf or session may have. Their names are the server's.
pub(crate) const SWITCHES: usize = 16;

/// Switches by their names. In Redis they are one JSON object.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Switches(BTreeMap<String, Switch>);

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Switch {
    on: bool,
    /// Which attempt flipped it last.
    attempt: String,
}

impl Switches {
    /// Flips a switch, unless this attempt has. Says whether it is on now.
    pub(crate) fn flip(&mut self, name: &str, attempt: &str) -> Result<bool, StoreError> {
        if self.0.len() >= SWITCHES && !self.0.contains_key(name) {
            return Err(too_many());
        }
        let switch = self.0.entry(name.to_owned()).or_default();
        if switch.attempt != attempt {
            *switch = Switch { on: !switch.on, attempt: attempt.to_owned() };
        }
        Ok(switch.on)
    }

    /// Those that are on.
    pub(crate) fn on(&self) -> BTreeSet<String> {
        let on = self.0.iter().filter(|(_, switch)| switch.on);
        on.map(|(name, _)| name.clone()).collect()
    }
}

pub(crate) fn too_many() -> StoreError {
    StoreError::LimitReached { what: "switches", limit: SWITCHES }
}
