//! Cities of the United States and the states they are in, the large ones first.

use std::collections::HashSet;

/// A city and its state, one in a line.
const PLACES: &str = include_str!("../assets/places.txt");

/// A city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) city: &'static str,
    pub(crate) state: &'static str,
}

/// All of them.
fn all() -> impl Iterator<Item = Place> {
    PLACES
        .lines()
        .filter_map(|line| line.split_once(", "))
        .map(|(city, state)| Place { city, state })
}

/// The names of the cities, those of `state` only if it is given.
pub(crate) fn cities(state: Option<&str>) -> impl Iterator<Item = &'static str> {
    let there = all().filter(move |place| state.is_none_or(|state| place.state == state));
    once(there.map(|place| place.city))
}

/// The names of the states, those that have `city` only if it is given.
pub(crate) fn states(city: Option<&str>) -> impl Iterator<Item = &'static str> {
    let there = all().filter(move |place| city.is_none_or(|city| place.city == city));
    once(there.map(|place| place.state))
}

/// Each name once.
fn once(names: impl Iterator<Item = &'static str>) -> impl Iterator<Item = &'static str> {
    let mut seen = HashSet::new();
    names.filter(move |name| seen.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_place_and_each_place_there_once() {
        let places: Vec<Place> = all().collect();
        assert_eq!(places.len(), PLACES.lines().count());
        for (index, place) in places.iter().enumerate() {
            assert!(!places[..index].contains(place), "{place:?}");
        }
        assert_eq!(states(None).count(), 50);
    }

    #[test]
    fn a_city_narrows_the_states_and_a_state_the_cities() {
        assert_eq!(states(Some("Portland")).collect::<Vec<_>>(), ["Oregon", "Maine"]);
        assert_eq!(states(Some("Atlantis")).count(), 0);
        assert_eq!(cities(Some("Nevada")).count(), 4);
        assert!(cities(None).count() > 200);
        assert_eq!(cities(None).filter(|city| *city == "Springfield").count(), 1);
    }
}
