//! How often what may be asked.

use std::fmt;

use mcp_everything_store::Rate;

use super::read::duration;

/// The limits that there are, with what they are unless set. The name is part of what a limit is
/// kept under.
const USUAL: [(&str, &str); 7] = [
    ("requests", "1200000/1m"),
    ("sessions", "120000/1m"),
    ("register", "3000/1m"),
    ("authorize", "12000/1m"),
    ("failures", "3000/1m"),
    ("client", "12000/1m"),
    ("introspect", "600000/1m"),
];

/// The limit that is no rate, and what it is unless set: four fifths of all there may be.
const CONNECTIONS: (&str, u32) = ("connections", 16_000);

/// Each limit by its name; `None` has no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RateLimits {
    rates: [Option<Rate>; USUAL.len()],
    connections: Option<u32>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { rates: USUAL.map(|(_, usual)| rate(usual)), connections: Some(CONNECTIONS.1) }
    }
}

impl RateLimits {
    /// The names of those that are rates.
    pub(crate) fn names() -> [&'static str; USUAL.len()] {
        USUAL.map(|(name, _)| name)
    }

    const OFF: Self = Self { rates: [None; USUAL.len()], connections: None };

    /// Reads `off`, or the limits that are other than usual. The error says what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::OFF);
        }
        let mut limits = Self::default();
        let mut named = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .map(|(name, value)| (name.trim(), value.trim()))
                .ok_or_else(|| format!("{pair:?} is no pair of a name and a rate"))?;
            if named.contains(&name) {
                return Err(format!("{name} is there twice"));
            }
            named.push(name);
            limits.set(name, value)?;
        }
        Ok(limits)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let is_off = value == "off";
        if name == CONNECTIONS.0 {
            let count = value.parse().ok().filter(|count| *count > 0);
            if count.is_none() && !is_off {
                return Err(format!("{name} takes a number from 1, or off, and not {value:?}"));
            }
            self.connections = count;
            return Ok(());
        }
        let Some(place) = USUAL.iter().position(|(known, _)| *known == name) else {
            let known: Vec<_> = USUAL.iter().map(|(name, _)| *name).collect();
            let known = known.join(", ");
            return Err(format!("there is no {name:?}, but {known} and {}", CONNECTIONS.0));
        };
        let read = rate(value);
        if read.is_none() && !is_off {
            return Err(format!(
                "{name} takes a count from 1 per time of a day at most, such as 10/1m, or off, and \
                 not {value:?}"
            ));
        }
        self.rates[place] = read;
        Ok(())
    }

    /// The limit of this name and its rate; `None` if it has no bound.
    pub(crate) fn rate(&self, name: &str) -> Option<(&'static str, Rate)> {
        let place = USUAL.iter().position(|(known, _)| *known == name)?;
        self.rates[place].map(|rate| (USUAL[place].0, rate))
    }

    /// How many connections there may be from one address.
    pub(crate) const fn connections(&self) -> Option<u32> {
        self.connections
    }
}

fn rate(text: &str) -> Option<Rate> {
    let (count, period) = text.split_once('/')?;
    Rate::new(count.trim().parse().ok()?, duration(period.trim())?)
}

/// As it is set.
impl fmt::Display for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::OFF {
            return f.write_str("off");
        }
        for ((name, _), rate) in USUAL.iter().zip(&self.rates) {
            match rate {
                Some(rate) => write!(f, "{name}={rate},")?,
                None => write!(f, "{name}=off,")?,
            }
        }
        match self.connections {
            Some(count) => write!(f, "{}={count}", CONNECTIONS.0),
            None => write!(f, "{}=off", CONNECTIONS.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_not_named_is_as_usual() {
        let usual = RateLimits::default();
        assert!(USUAL.iter().all(|(name, _)| usual.rate(name).is_some()), "each can be counted");
        let limits = RateLimits::parse("requests=5/10s, register=off,connections=7").unwrap();
        let requests = Rate::new(5, Duration::from_secs(10)).unwrap();
        assert_eq!(limits.rate("requests"), Some(("requests", requests)));
        assert_eq!((limits.rate("register"), limits.connections()), (None, Some(7)));
        assert_eq!(limits.rate("sessions"), usual.rate("sessions"));
        assert_eq!(RateLimits::parse(&limits.to_string()).unwrap(), limits);
        assert_eq!(RateLimits::parse("off").unwrap().to_string(), "off");
        assert_eq!(RateLimits::parse("connections=off").unwrap().connections(), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("often", "often"),
            ("request=5/1m", "no \"request\", but requests, sessions"),
            ("requests=5", "requests takes"),
            ("requests=0/1m", "requests takes"),
            ("requests=5/0s", "requests takes"),
            ("requests=5/2d", "requests takes"),
            ("requests=5/1m,requests=6/1m", "requests is there twice"),
            ("connections=5/1m", "connections takes"),
            ("connections=0", "connections takes"),
            ("off,requests=5/1m", "off"),
        ] {
            let told = RateLimits::parse(text).unwrap_err();
            assert!(told.contains(named), "{text}: {told}");
        }
    }
}
