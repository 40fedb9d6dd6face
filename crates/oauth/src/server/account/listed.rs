//! A grant as its user sees it.

use std::fmt;

use crate::{
    Scope, ScopeSet,
    redirect_uri::{self, Destination},
};
use cookie::time::OffsetDateTime;
use mcp_everything_store::{
    Timestamp,
    oauth::{GrantId, LiveGrant},
};

/// What the page says of one grant.
pub(crate) struct ListedGrant {
    pub(crate) id: GrantId,
    /// As the client calls itself.
    pub(crate) name: Option<String>,
    /// Who vouches for the client, if it describes itself.
    pub(crate) host: Option<String>,
    /// Where the browser was sent, if the grant began in one.
    pub(crate) destination: Option<Destination>,
    pub(crate) resource: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) since: Moment,
    pub(crate) until: Moment,
}

impl ListedGrant {
    pub(super) fn new(grant: LiveGrant, host: Option<String>, now: Timestamp) -> Self {
        let LiveGrant { id, record, ends_in } = grant;
        Self {
            id,
            name: record.client_name,
            host,
            destination: record.redirect_uri.as_deref().map(redirect_uri::destination),
            resource: record.resource,
            scopes: ScopeSet::parse_known(&record.scope).iter().collect(),
            since: Moment(record.created_at),
            until: Moment(now + ends_in),
        }
    }
}

#[cfg(test)]
impl ListedGrant {
    pub(crate) fn example() -> Self {
        tests::listed()
    }
}

/// A time for people to read, to the minute. The server does not know the user's time zone.
pub(crate) struct Moment(Timestamp);

impl Moment {
    fn utc(&self) -> OffsetDateTime {
        let seconds = i64::try_from(self.0.as_secs()).unwrap_or(i64::MAX);
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The value of `datetime` in a `time` element.
    pub(crate) fn iso(&self) -> String {
        let at = self.utc();
        let (date, hour, minute) = (at.date(), at.hour(), at.minute());
        format!("{date}T{hour:02}:{minute:02}Z")
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.utc();
        let (day, month, year) = (at.day(), at.month(), at.year());
        write!(f, "{day} {month} {year}, {:02}:{:02} UTC", at.hour(), at.minute())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mcp_everything_store::oauth::GrantRecord;

    use super::*;

    #[test]
    fn times_are_in_words() {
        let moment = Moment(Timestamp::from_millis(1_772_355_907_999));
        assert_eq!(moment.to_string(), "1 March 2026, 09:05 UTC");
        assert_eq!(moment.iso(), "2026-03-01T09:05Z");
        assert_eq!(Moment(Timestamp::from_millis(u64::MAX)).iso(), "1970-01-01T00:00Z");
    }

    pub(super) fn listed() -> ListedGrant {
        let record = GrantRecord {
            user: "alice".into(),
            client: "https://app.example/client.json".into(),
            client_name: None,
            redirect_uri: Some("http://127.0.0.1:9/callback".into()),
            scope: "mcp:read openid".into(),
            resource: "https://server.example/mcp".into(),
            created_at: Timestamp::from_millis(0),
        };
        let id = GrantId::from_bytes([1; 16]);
        let grant = LiveGrant { id, record, ends_in: Duration::from_secs(60) };
        ListedGrant::new(grant, Some("app.example".into()), Timestamp::from_millis(0))
    }

    #[test]
    fn a_grant_is_put_into_words() {
        let found = listed();
        assert_eq!(found.host.as_deref(), Some("app.example"));
        assert_eq!(found.destination, Some(Destination::ThisComputer("127.0.0.1:9".into())));
        assert_eq!(found.scopes, [Scope::Read], "as far as they are known");
        assert_eq!(found.until.iso(), "1970-01-01T00:01Z");
    }
}
