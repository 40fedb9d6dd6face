//! One fetch of a document at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use mcp_everything_store::oauth::{Document, DocumentKind};
use tokio::sync::OnceCell;

use super::LookupError;

type Name = (DocumentKind, String);
type Landed = Result<Document, LookupError>;
type Flight = OnceCell<Landed>;

/// Who asks for a document that is being fetched waits for that fetch. If whoever began it goes
/// away, the next one that waits begins it again.
#[derive(Default)]
pub(super) struct Flights {
    // Held for look-ups only, never over an await.
    under_way: Mutex<HashMap<Name, Weak<Flight>>>,
}

impl Flights {
    pub(super) async fn join(
        &self,
        kind: DocumentKind,
        url: &str,
        fetch: impl Future<Output = Landed>,
    ) -> Landed {
        let name = (kind, url.to_owned());
        let flight = self.flight(&name);
        let landed = flight.get_or_init(|| fetch).await.clone();
        // What comes from here on is another fetch: errors are not kept.
        let mut under_way = self.lock();
        if under_way.get(&name).is_some_and(|one| one.as_ptr() == Arc::as_ptr(&flight)) {
            under_way.remove(&name);
        }
        landed
    }

    fn flight(&self, name: &Name) -> Arc<Flight> {
        let mut under_way = self.lock();
        if let Some(flight) = under_way.get(name).and_then(Weak::upgrade) {
            return flight;
        }
        // Those that everybody left before they landed. There are never more entries than
        // requests being answered, and a few of these.
        under_way.retain(|_, flight| flight.strong_count() > 0);
        let flight = Arc::new(Flight::new());
        under_way.insert(name.clone(), Arc::downgrade(&flight));
        flight
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Weak<Flight>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use mcp_everything_store::Timestamp;
    use tokio::sync::Notify;

    use super::*;
    use crate::clients::DocumentError;

    fn document(text: &str) -> Document {
        Document { text: text.into(), fetched_at: Timestamp::from_millis(0) }
    }

    const KIND: DocumentKind = DocumentKind::Client;

    #[tokio::test]
    async fn many_wait_for_one() {
        let (flights, fetched) = (Flights::default(), AtomicUsize::new(0));
        let fetch = || async {
            fetched.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Ok(document("x"))
        };
        let asked = (0..9).map(|_| flights.join(KIND, "https://a.example/x", fetch()));
        for landed in futures::future::join_all(asked).await {
            assert_eq!(landed.unwrap().text, "x");
        }
        assert_eq!(fetched.load(Ordering::SeqCst), 1);
        flights.join(KIND, "https://a.example/x", fetch()).await.unwrap();
        assert_eq!(fetched.load(Ordering::SeqCst), 2, "it was over");
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn an_error_is_that_of_all_who_waited_and_of_nobody_after_them() {
        let flights = Flights::default();
        let fails = || async {
            tokio::task::yield_now().await;
            Err(DocumentError::NotAnObject.into())
        };
        let (one, two) = tokio::join!(
            flights.join(KIND, "https://a.example/x", fails()),
            flights.join(KIND, "https://a.example/x", fails())
        );
        assert!(one.is_err() && two.is_err());
        let then = flights.join(KIND, "https://a.example/x", async { Ok(document("x")) }).await;
        assert_eq!(then.unwrap().text, "x");
    }

    #[tokio::test]
    async fn who_leaves_leaves_nobody_behind() {
        let (flights, never) = (Flights::default(), Notify::new());
        let waits = async {
            never.notified().await;
            Ok(document("never"))
        };
        let mut first = Box::pin(flights.join(KIND, "https://a.example/x", waits));
        assert!(futures::poll!(&mut first).is_pending());
        let then = async { Ok(document("second")) };
        let mut second = Box::pin(flights.join(KIND, "https://a.example/x", then));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        assert_eq!(second.await.unwrap().text, "second");

        let waits = async {
            never.notified().await;
            Ok(document("never"))
        };
        let mut left = Box::pin(flights.join(KIND, "https://a.example/left", waits));
        assert!(futures::poll!(&mut left).is_pending());
        drop(left);
        flights.join(KIND, "https://a.example/y", async { Ok(document("y")) }).await.unwrap();
        assert!(flights.lock().is_empty(), "nothing is left of it");
    }
}
