//! What the features need of shelves, supplied by the store.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_everything_features::{Shelf, ShelfItem, Shelved, Shelves, StateError, User};
use mcp_everything_store::{
    self as store, Clock, Random, SessionStore, StoreError, oauth::AttemptId,
};

use crate::changes::stored;

/// Shelves of all instances.
pub(crate) struct FleetShelves {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

#[async_trait]
impl Shelves for FleetShelves {
    async fn shelf(&self, user: &User) -> Result<Shelf, StateError> {
        let store::Shelf { items, switches } =
            self.store.shelf(&stored(user)).await.map_err(|error| told(&error))?;
        let shown = |store::Shelved { bytes, at }| Shelved { bytes, at: at.as_millis() };
        let items = items.into_iter().map(|(name, item)| (name, shown(item)));
        Ok(Shelf { items: items.collect(), switches })
    }

    async fn get(&self, user: &User, name: &str) -> Result<Option<ShelfItem>, StateError> {
        let item = self.store.on_shelf(&stored(user), name).await.map_err(|error| told(&error))?;
        Ok(item.map(|item| ShelfItem { data: item.data.into(), at: item.at.as_millis() }))
    }

    async fn put(&self, user: &User, name: &str, data: Vec<u8>) -> Result<Vec<String>, StateError> {
        let item = store::ShelfItem { data: data.into(), at: self.clock.now() };
        let put = self.store.put_on_shelf(&stored(user), name, item).await;
        put.map_err(|error| told(&error))
    }

    async fn flip(&self, user: &User, switch: &str) -> Result<bool, StateError> {
        let attempt = AttemptId::draw(&*self.random);
        let flipped = self.store.flip_on_shelf(&stored(user), switch, &attempt).await;
        flipped.map_err(|error| told(&error))
    }
}

fn told(error: &StoreError) -> StateError {
    match error {
        StoreError::LimitReached { .. } => StateError::LimitReached,
        StoreError::Unavailable { .. } | StoreError::Corrupt { .. } => {
            tracing::warn!(event = "store.unavailable", %error, "a shelf gave no answer");
            StateError::Unavailable
        }
    }
}
