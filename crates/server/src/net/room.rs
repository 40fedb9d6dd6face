//! How many connections this process has room for.

use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Semaphore;

/// Connections that may be open, where there may be as many open files.
const MOST: usize = 20_000;
/// A twentieth of all open files is for something else, within these bounds: connections to Redis and
/// to whatever is fetched from, and those that are told that there are too many.
const OTHERS: (usize, usize) = (64, 1_000);

/// Room for the connections of all listeners of a process. When there is none more wait to be
/// accepted.
#[derive(Clone)]
pub(crate) struct Room {
    most: usize,
    pub(super) places: Arc<Semaphore>,
}

impl Room {
    /// As much as there may be. The process may have as many files open from now on as it is allowed
    /// to let itself have: common shells and service managers begin with 1,024.
    pub(crate) fn make() -> Self {
        let files = open_files();
        let most = room(files);
        tracing::debug!(event = "connections.room", most, files, "so many connections have room");
        Self { most, places: Arc::new(Semaphore::new(most)) }
    }

    /// How many connections there may be.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How much of `asked` an address may have: four fifths of the room at most.
    pub(crate) fn of_an_address(&self, asked: u32) -> u32 {
        asked.min(u32::try_from(self.most / 5 * 4).unwrap_or(u32::MAX).max(1))
    }
}

/// How many files may be open; `None` has no bound.
fn open_files() -> Option<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let files = match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => maximum,
        // Some systems have a lower bound than they say.
        Err(_) => current,
    };
    files.map(|files| usize::try_from(files).unwrap_or(usize::MAX))
}

fn room(files: Option<usize>) -> usize {
    let Some(files) = files else { return MOST };
    let others = (files / 20).clamp(OTHERS.0, OTHERS.1);
    files.saturating_sub(others).clamp(1, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_what_is_left_of_the_files_that_may_be_open() {
        for (files, connections) in [
            (None, 20_000),
            (Some(usize::MAX), 20_000),
            (Some(1_048_576), 20_000),
            (Some(20_000), 19_000),
            (Some(1_024), 960),
            (Some(10), 1),
        ] {
            assert_eq!(room(files), connections, "{files:?}");
        }
    }

    #[test]
    fn an_address_has_no_more_than_most_of_it() {
        let of =
            |most, asked| Room { most, places: Arc::new(Semaphore::new(0)) }.of_an_address(asked);
        assert_eq!([of(20_000, 16_000), of(19_000, 16_000), of(960, 3)], [16_000, 15_200, 3]);
        assert_eq!(of(1, 16_000), 1);
    }

    /// Of the process that runs the test, as a shell may have it.
    #[test]
    fn as_many_files_may_be_open_as_are_allowed() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: Some(512), maximum }).unwrap();
        Room::make();
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: maximum, maximum });
    }
}
