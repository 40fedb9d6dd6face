//! What is counted, by whom it is about. Looked up at each request, so a name is made only of what is
//! new.

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    net::IpAddr,
};

use dashmap::DashMap;

use super::{Subject, subject::Who};

/// How many are known at a time.
const MOST: usize = 20_000;

/// Something for each limit and subject.
pub(super) struct Known<V>(DashMap<Name, V>);

impl<V> Default for Known<V> {
    fn default() -> Self {
        Self(DashMap::new())
    }
}

impl<V> Known<V> {
    /// Looks at what is known of a subject.
    pub(super) fn look<T>(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        look: impl FnOnce(&V) -> T,
    ) -> Option<T> {
        let name: &dyn Named = &(limit, subject.who());
        self.0.get(name).map(|known| look(&known))
    }

    /// Keeps something of a subject, in place of what was known. Where there is no room, those go that
    /// are `over`, or else all of them.
    pub(super) fn put(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        value: V,
        over: impl Fn(&V) -> bool,
    ) {
        self.make_room(over);
        self.0.insert(Name::new(limit, subject.who()), value);
    }

    /// What is known of a subject, or what is made for it.
    pub(super) fn get_or_put(
        &self,
        limit: &'static str,
        subject: &Subject<'_>,
        make: impl FnOnce() -> V,
        over: impl Fn(&V) -> bool,
    ) -> V
    where
        V: Clone,
    {
        if let Some(known) = self.look(limit, subject, V::clone) {
            return known;
        }
        self.make_room(over);
        self.0.entry(Name::new(limit, subject.who())).or_insert_with(make).clone()
    }

    fn make_room(&self, over: impl Fn(&V) -> bool) {
        if self.0.len() >= MOST {
            self.0.retain(|_, value| !over(value));
        }
        if self.0.len() >= MOST {
            self.0.clear();
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// A limit and whom it is about.
struct Name {
    limit: &'static str,
    who: OwnWho,
}

enum OwnWho {
    Address(IpAddr),
    Client(String),
    ClientAt(String, IpAddr),
    User { issuer: String, user: String },
}

impl Name {
    fn new(limit: &'static str, who: Who<'_>) -> Self {
        let who = match who {
            Who::Address(address) => OwnWho::Address(address),
            Who::Client(client) => OwnWho::Client(client.to_owned()),
            Who::ClientAt(client, address) => OwnWho::ClientAt(client.to_owned(), address),
            Who::User { issuer, user } => {
                OwnWho::User { issuer: issuer.to_owned(), user: user.to_owned() }
            }
        };
        Self { limit, who }
    }
}

/// A name, also one that is only looked up.
trait Named {
    fn named(&self) -> (&'static str, Who<'_>);
}

impl Named for Name {
    fn named(&self) -> (&'static str, Who<'_>) {
        let who = match &self.who {
            OwnWho::Address(address) => Who::Address(*address),
            OwnWho::Client(client) => Who::Client(client),
            OwnWho::ClientAt(client, address) => Who::ClientAt(client, *address),
            OwnWho::User { issuer, user } => Who::User { issuer, user },
        };
        (self.limit, who)
    }
}

impl Named for (&'static str, Who<'_>) {
    fn named(&self) -> (&'static str, Who<'_>) {
        *self
    }
}

impl Hash for dyn Named + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.named().hash(state);
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.named() == other.named()
    }
}

impl Eq for dyn Named + '_ {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.named().hash(state);
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.named() == other.named()
    }
}

impl Eq for Name {}

impl<'a> Borrow<dyn Named + 'a> for Name {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}
