//! The log of changes: a capped stream, whose ids are the places in it.

use async_trait::async_trait;

use super::{RedisStore, keys, unreadable};
use crate::{CHANGES_PAGE, Change, ChangeLog, ChangePosition, Changed, StoreError, noted};

/// An entry's id and fields.
type Entry = (String, Vec<(String, String)>);
/// Entries from a place on, the newest, and how many there are.
type Read = (Vec<Entry>, Vec<Entry>, usize);

#[async_trait]
impl ChangeLog for RedisStore {
    async fn record(&self, change: &Change) -> Result<(), StoreError> {
        noted("record");
        let (kind, what) = written(change);
        let mut record = redis::cmd("XADD");
        record.arg(keys::CHANGES).arg("MAXLEN").arg(self.limits.changes).arg("*");
        record.arg(kind).arg(what);
        self.redis.hot.run(&record).await
    }

    async fn newest(&self) -> Result<ChangePosition, StoreError> {
        noted("newest");
        let mut newest = redis::cmd("XREVRANGE");
        newest.arg(keys::CHANGES).arg("+").arg("-").arg("COUNT").arg(1);
        last(&self.redis.hot.run::<Vec<Entry>>(&newest).await?)
    }

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
            return Ok(Changed { changes: vec![Change::Missed], upto: last(&newest)? });
        };
        let end = entries.len().min(from + CHANGES_PAGE);
        let entries = &entries[from..end];
        let upto = if entries.is_empty() { after } else { last(entries)? };
        Ok(Changed {
            changes: entries.iter().map(|(id, fields)| read_back(id, fields)).collect(),
            upto,
        })
    }
}

fn last(entries: &[Entry]) -> Result<ChangePosition, StoreError> {
    entries.last().map_or_else(
        || Ok(ChangePosition::default()),
        |(id, _)| id.parse().map_err(|_| unreadable(keys::CHANGES.to_owned(), id)),
    )
}

fn written(change: &Change) -> (&'static str, &str) {
    match change {
        Change::Tools => ("list", "tools"),
        Change::Prompts => ("list", "prompts"),
        Change::Resources => ("list", "resources"),
        Change::Resource(uri) => ("resource", uri),
        Change::Missed => ("missed", ""),
    }
}

/// What an entry says. One that this program does not know, say of a newer version of it, must
/// not keep those behind it from being read: anything may have changed.
fn read_back(id: &str, fields: &[(String, String)]) -> Change {
    let fields: Vec<_> = fields.iter().map(|(kind, what)| (kind.as_str(), what.as_str())).collect();
    match fields[..] {
        [("list", "tools")] => Change::Tools,
        [("list", "prompts")] => Change::Prompts,
        [("list", "resources")] => Change::Resources,
        [("resource", uri)] => Change::Resource(uri.to_owned()),
        [("missed", "")] => Change::Missed,
        _ => {
            tracing::warn!(event = "changes.unknown", id, "a change is of no known kind");
            Change::Missed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_what_is_unknown_is_missed() {
        let uri = Change::Resource("test://static/resource/1".to_owned());
        for change in [Change::Tools, Change::Prompts, Change::Resources, uri, Change::Missed] {
            let (kind, what) = written(&change);
            assert_eq!(read_back("1-0", &[(kind.to_owned(), what.to_owned())]), change);
        }
        let unknown = [("list".to_owned(), "roots".to_owned())];
        assert_eq!(read_back("1-0", &unknown), Change::Missed);
        assert_eq!(read_back("1-0", &[]), Change::Missed);
    }
}
