//! The shelves of users: one hash each.

use std::{collections::BTreeSet, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use tracing::instrument;

use super::{RedisStore, keys, script, unreadable};
use crate::{
    Shelf, ShelfItem, Shelved, Shelves, StoreError, Timestamp, User, noted,
    oauth::AttemptId,
    session::{SWITCHES, Switches, too_many},
    spans::TARGET,
};

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

impl RedisStore {
    fn shelf_ttl(&self) -> u64 {
        millis(self.limits.shelf_ttl)
    }
}

/// An item, and what is kept of it.
type Item = (Option<Vec<u8>>, Option<String>);

#[async_trait]
impl Shelves for RedisStore {
    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn shelf(&self, user: &User) -> Result<Shelf, StoreError> {
        noted("shelf");
        let key = keys::shelf(user);
        let mut glance = script::call(&script::SHELF, &key);
        glance.arg(self.shelf_ttl());
        let fields: Vec<(String, String)> = self.redis.hot.run(&glance).await?;
        let mut seen = Shelf::default();
        for (field, value) in fields {
            if let Some(name) = field.strip_prefix("about:") {
                let about = about(&value).ok_or_else(|| unreadable(key.clone(), &value))?;
                seen.items.insert(name.to_owned(), about);
            } else if field == "switches" {
                seen.switches = switches(&key, &value)?;
            }
        }
        Ok(seen)
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn on_shelf(&self, user: &User, name: &str) -> Result<Option<ShelfItem>, StoreError> {
        noted("on_shelf");
        let key = keys::shelf(user);
        let mut read = redis::pipe();
        let fields = [format!("item:{name}"), format!("about:{name}")];
        read.cmd("HMGET").arg(&key).arg(&fields);
        read.cmd("PEXPIRE").arg(&key).arg(self.shelf_ttl()).ignore();
        let ((data, said),): (Item,) = self.redis.bulk.pipe(&read).await?;
        match (data, said.as_deref().map(about)) {
            (None, None) => Ok(None),
            (Some(data), Some(Some(about))) => {
                Ok(Some(ShelfItem { data: Bytes::from(data), at: about.at }))
            }
            _ => Err(unreadable(key, "half of an item")),
        }
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn put_on_shelf(
        &self,
        user: &User,
        name: &str,
        item: ShelfItem,
    ) -> Result<Vec<String>, StoreError> {
        noted("put_on_shelf");
        self.limits.take_item(name, &item.data)?;
        let mut put = script::call(&script::SHELF_PUT, &keys::shelf(user));
        put.arg(name).arg(&*item.data).arg(item.at.as_millis());
        put.arg(self.limits.shelf_items).arg(self.limits.shelf_bytes).arg(self.shelf_ttl());
        self.redis.bulk.run(&put).await
    }

    #[instrument(target = TARGET, skip_all, fields(otel.kind = "client", db.system.name = "redis"))]
    async fn flip_on_shelf(
        &self,
        user: &User,
        switch: &str,
        attempt: &AttemptId,
    ) -> Result<bool, StoreError> {
        noted("flip_on_shelf");
        let key = keys::shelf(user);
        let mut flip = script::call(&script::SHELF_FLIP, &key);
        flip.arg(switch).arg(attempt.to_string()).arg(SWITCHES).arg(self.shelf_ttl());
        flipped(&key, &self.redis.hot.run::<String>(&flip).await?)
    }
}

/// What `flip.lua` answers.
pub(super) fn flipped(key: &str, answer: &str) -> Result<bool, StoreError> {
    match answer {
        "on" => Ok(true),
        "off" => Ok(false),
        "full" => Err(too_many()),
        other => Err(unreadable(key.to_owned(), other)),
    }
}

/// The switches that are on, of what is kept of all.
pub(super) fn switches(key: &str, kept: &str) -> Result<BTreeSet<String>, StoreError> {
    let switches: Switches =
        serde_json::from_str(kept).map_err(|_| unreadable(key.to_owned(), kept))?;
    Ok(switches.on())
}

/// Reads what is kept of an item: when it was put there, its length, and its place in the order.
fn about(text: &str) -> Option<Shelved> {
    let mut numbers = text.split(' ');
    let at = Timestamp::from_millis(numbers.next()?.parse().ok()?);
    Some(Shelved { at, bytes: numbers.next()?.parse().ok()? })
}
