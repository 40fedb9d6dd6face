//! Who hears what is asked of a store, and which bells are rung, for the sake of one request.
//!
//! A request that somebody watches is served before a witness. What is served for it elsewhere, in
//! a task of its own, goes on before the same one: [`witnessed`]. Where nobody watches there is
//! none, and nothing is written down.

use std::{fmt, future::Future, sync::Arc};

use tokio::task::futures::TaskLocalFuture;

use crate::{Bell, Ring};

tokio::task_local! {
    static HERE: Option<Arc<dyn Witness>>;
}

/// Hears what is done for one request. It must not wait.
pub trait Witness: Send + Sync + 'static {
    /// Something is asked of a store: the name of the operation.
    fn asked(&self, operation: &'static str);

    /// Another instance, or every one, is rung.
    fn rang(&self, whom: &Ring, bell: &Bell);
}

/// Before whom something is done, if before anybody.
#[derive(Clone, Default)]
pub struct Witnessed(Option<Arc<dyn Witness>>);

impl Witnessed {
    /// Before this one.
    pub fn by(witness: Arc<dyn Witness>) -> Self {
        Self(Some(witness))
    }

    /// Before whom the current task does what it does.
    pub fn here() -> Self {
        Self(HERE.try_with(Clone::clone).unwrap_or_default())
    }

    /// Does something before that one.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        let scoped: TaskLocalFuture<_, F> = HERE.scope(self.0, future);
        scoped
    }

    /// Does something before that one that does not wait.
    pub fn run<T>(&self, what: impl FnOnce() -> T) -> T {
        HERE.sync_scope(self.0.clone(), what)
    }
}

impl fmt::Debug for Witnessed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Witnessed").field(&self.0.is_some()).finish()
    }
}

/// Lets what becomes a task of its own go on before the witness of this one.
pub fn witnessed<F: Future>(future: F) -> impl Future<Output = F::Output> {
    Witnessed::here().scope(future)
}

pub(crate) fn asked(operation: &'static str) {
    with(|witness| witness.asked(operation));
}

pub(crate) fn rang(whom: &Ring, bell: &Bell) {
    with(|witness| witness.rang(whom, bell));
}

fn with(tell: impl FnOnce(&dyn Witness)) {
    // Outside of any request there is none.
    let _ = HERE.try_with(|witness| witness.as_deref().map(tell));
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::{Bus as _, InstanceId, SystemRandom, memory::MemoryBus, noted};

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Witness for Heard {
        fn asked(&self, operation: &'static str) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(operation.to_owned());
        }

        fn rang(&self, _: &Ring, bell: &Bell) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{bell:?}"));
        }
    }

    #[tokio::test]
    async fn a_witness_hears_what_is_done_for_its_request_in_tasks_of_its_own_too() {
        let heard = Arc::new(Heard::default());
        let bus = MemoryBus::default();
        let served = async {
            noted("one");
            let bell = bus.ring(Ring::One(InstanceId::random("a", &SystemRandom)), Bell::Changed);
            bell.await.unwrap();
            tokio::spawn(witnessed(async { noted("two") })).await.unwrap();
            tokio::spawn(async { noted("of somebody else") }).await.unwrap();
            Witnessed::here()
        };
        let witnessed = Witnessed::by(Arc::<Heard>::clone(&heard)).scope(served).await;
        noted("before nobody");
        witnessed.run(|| noted("three"));
        assert_eq!(*heard.0.lock().unwrap(), ["one", "Changed", "two", "three"]);
    }
}
