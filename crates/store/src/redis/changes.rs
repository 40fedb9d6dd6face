//! The log of changes: a capped stream, whose ids are the places in it.

use async_trait::async_trait;
use tracing::instrument;

use super::{RedisStore, keys, unreadable};
use crate::{
    Announcement, Audience, CHANGES_PAGE, Change, ChangeLog, ChangePosition, Changed, StoreError,
    User, noted, spans::TARGET,
};

/// An entry's id and fields.
type Entry = (String, Vec<(String, String)>);
/// Entries from a place on, the newest, and how many there are.
type Read = (Vec<Entry>, Vec<Entry>, usize);

#[async_trait]
impl ChangeLog for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn record(&self, change: &Announcement) -> Result<(), StoreError> {
        noted("record");
        let mut record = redis::cmd("XADD");
        record.arg(keys::CHANGES).arg("MAXLEN").arg(self.limits.changes).arg("*");
        for (field, value) in written(change) {
            record.arg(field).arg(value);
        }
        self.redis.hot.run(&record).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn newest(&self) -> Result<ChangePosition, StoreError> {
        noted("newest");
        let mut newest = redis::cmd("XREVRANGE");
        newest.arg(keys::CHANGES).arg("+").arg("-").arg("COUNT").arg(1);
        last(&self.redis.hot.run::<Vec<Entry>>(&newest).await?)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn since(&self, after: ChangePosition) -> Result<Changed, StoreError> {
        noted("since");
        // The newest is read after the others: what is recorded in between has been missed, too.
        let mut read = redis::pipe();
        let count = CHANGES_PAGE + 1;
        read.cmd("XRANGE")
            .arg(keys::CHANGES)
            .arg(after.to_string())
            .arg("+")
            .arg("COUNT")
            .arg(count);
        read.cmd("XREVRANGE").arg(keys::CHANGES).arg("+").arg("-").arg("COUNT").arg(1);
        read.cmd("XLEN").arg(keys::CHANGES);
        let (entries, newest, length): Read = self.redis.bulk.pipe(&read).await?;
        // The log reaches back to what it still has. Before the first change it reaches back to
        // while it is not full; then nothing was ever dropped.
        let from = if entries.first().is_some_and(|(id, _)| *id == after.to_string()) {
            1
        } else if after == ChangePosition::default() && length < self.limits.changes {
            0
        } else {
            return Ok(Changed::missed(last(&newest)?));
        };
        let end = entries.len().min(from + CHANGES_PAGE);
        let entries = &entries[from..end];
        let places: Vec<_> =
            entries.iter().map(|(id, _)| place(id)).collect::<Result<_, StoreError>>()?;
        Ok(Changed {
            changes: entries.iter().map(|(id, fields)| read_back(id, fields)).collect(),
            upto: places.last().copied().unwrap_or(after),
            places,
        })
    }
}

fn last(entries: &[Entry]) -> Result<ChangePosition, StoreError> {
    entries.last().map_or_else(|| Ok(ChangePosition::default()), |(id, _)| place(id))
}

fn place(id: &str) -> Result<ChangePosition, StoreError> {
    id.parse().map_err(|_| unreadable(keys::CHANGES.to_owned(), id))
}

/// What changed, and behind it whom it concerns, unless that is everybody.
fn written(Announcement { change, audience }: &Announcement) -> Vec<(&'static str, &str)> {
    let what = match change {
        Change::Tools => ("list", "tools"),
        Change::Prompts => ("list", "prompts"),
        Change::Resources => ("list", "resources"),
        Change::Resource(uri) => ("resource", uri.as_str()),
        Change::Missed => ("missed", ""),
    };
    match audience {
        Audience::Everyone => vec![what],
        Audience::User(User { id, issuer }) => vec![what, ("user", id), ("issuer", issuer)],
    }
}

/// What an entry says. One that this program does not know, say of a newer version of it, must
/// not keep those behind it from being read: anything may have changed.
fn read_back(id: &str, fields: &[(String, String)]) -> Announcement {
    known(fields).unwrap_or_else(|| {
        tracing::warn!(event = "changes.unknown", id, "a change is of no known kind");
        Change::Missed.into()
    })
}

fn known(fields: &[(String, String)]) -> Option<Announcement> {
    let fields: Vec<_> = fields.iter().map(|(kind, what)| (kind.as_str(), what.as_str())).collect();
    let (what, whom) = fields.split_first()?;
    let change = match *what {
        ("list", "tools") => Change::Tools,
        ("list", "prompts") => Change::Prompts,
        ("list", "resources") => Change::Resources,
        ("resource", uri) => Change::Resource(uri.to_owned()),
        ("missed", "") => Change::Missed,
        _ => return None,
    };
    let audience = match *whom {
        [] => Audience::Everyone,
        [("user", id), ("issuer", issuer)] => {
            Audience::User(User { id: id.to_owned(), issuer: issuer.to_owned() })
        }
        _ => return None,
    };
    Some(Announcement { change, audience })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_what_is_unknown_is_missed() {
        let uri = Change::Resource("test://static/resource/1".to_owned());
        for change in [Change::Tools, Change::Prompts, Change::Resources, uri, Change::Missed] {
            let user = User { id: "alice".to_owned(), issuer: "https://as.test".to_owned() };
            for audience in [Audience::Everyone, Audience::User(user)] {
                let announcement = Announcement { change: change.clone(), audience };
                let fields = written(&announcement).into_iter();
                let fields: Vec<_> =
                    fields.map(|(kind, what)| (kind.to_owned(), what.to_owned())).collect();
                assert_eq!(read_back("1-0", &fields), announcement);
            }
        }
        let missed = Announcement::from(Change::Missed);
        let unknown = [("list".to_owned(), "roots".to_owned())];
        assert_eq!(read_back("1-0", &unknown), missed);
        assert_eq!(read_back("1-0", &[]), missed);
    }
}
