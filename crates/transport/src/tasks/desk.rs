//! Where tasks begin, and where they are asked about.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dashmap::{DashMap, mapref::one::Ref};
use mcp_everything_store::{
    Bell, Bus, Clock, InstanceId, NewTask, Owner, Random, Ring, SessionStore, StoreError, Task,
    TaskEnd, TaskId, TaskPlace, oauth::GrantId, spans,
};
use tokio::{sync::watch, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use super::RunningTask;
use crate::instance::{LOOK, ticks};

/// The JSON-RPC error of a task that nobody works on any more.
const LOST: &[u8] =
    br#"{"code":-32603,"message":"the server that worked on this task is gone; run it again"}"#;

/// Tasks of the instances that share a store and a bus: begun and worked on here, known everywhere.
///
/// All handlers of a process share one desk, and the [`Endpoint`](crate::Endpoint) that serves
/// them is started with it.
#[derive(Clone)]
pub struct TaskDesk(Arc<Inner>);

pub(super) struct Inner {
    pub(super) store: Arc<dyn SessionStore>,
    bus: Arc<dyn Bus>,
    pub(super) clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    instance: InstanceId,
    pub(super) running: DashMap<TaskId, Here>,
    /// Those whose changes are waited for here.
    watched: DashMap<TaskId, watch::Sender<()>>,
    working: TaskTracker,
    /// This process goes away: what still runs stops.
    pub(super) leaving: CancellationToken,
}

/// A task that is worked on here.
pub(super) struct Here {
    rung: watch::Sender<()>,
    stop: CancellationToken,
    /// The store knows it. Before that nothing that is not there has ended.
    begun: AtomicBool,
    grant: GrantId,
}

impl TaskDesk {
    /// The desk of the instance `instance`.
    pub fn new(
        store: Arc<dyn SessionStore>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        instance: InstanceId,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            bus,
            clock,
            random,
            instance,
            running: DashMap::new(),
            watched: DashMap::new(),
            working: TaskTracker::new(),
            leaving: CancellationToken::new(),
        }))
    }

    /// Begins a task, kept for `life`. Once this returns any instance knows it.
    ///
    /// `grant` is what the owner's token comes from: revoking it cancels the task.
    pub async fn begin(
        &self,
        owner: Owner,
        grant: GrantId,
        life: Duration,
    ) -> Result<RunningTask, StoreError> {
        let desk = &self.0;
        let (id, at) = (TaskId::random(&*desk.random), desk.clock.now());
        let (sender, rung) = watch::channel(());
        let stop = desk.leaving.child_token();
        // Known here before it is known anywhere: whoever asks about it finds it worked on.
        let begun = AtomicBool::new(false);
        desk.running.insert(id, Here { rung: sender, stop: stop.clone(), begun, grant });
        let drained = desk.working.token();
        let task = Arc::downgrade(desk);
        let task = RunningTask { id, began_at: at, desk: task, rung, stop, _drained: drained };
        let new = NewTask { id, owner, instance: desk.instance.clone(), at, life };
        desk.store.begin_task(new).await?;
        if let Some(here) = desk.running.get(&id) {
            here.begun.store(true, Ordering::Release);
        }
        Ok(task)
    }

    /// A task of this owner; one whose instance is gone has failed. `None` for one that is not
    /// there, is too old, or is somebody else's.
    pub async fn find(&self, id: TaskId, owner: &Owner) -> Result<Option<Task>, StoreError> {
        let desk = &self.0;
        let Some(task) = desk.store.task(id, owner).await? else { return Ok(None) };
        if task.end.is_some() || desk.may_run(id, &task.instance).await {
            return Ok(Some(task));
        }
        let lost = TaskEnd::Failed(Bytes::from_static(LOST));
        if desk.store.end_task(id, lost, desk.clock.now()).await? {
            tracing::warn!(event = "task.lost", task = %id, instance = %task.instance,
                "a task is lost with the instance that worked on it");
        }
        desk.store.task(id, owner).await
    }

    /// Waits until a task of this owner is found otherwise than it `was`, as by its questions or its
    /// end, and gives it as it is then. `None` as of [`Self::find`].
    ///
    /// A store that is away is waited for.
    pub async fn change(
        &self,
        id: TaskId,
        owner: &Owner,
        was: impl Fn(&Task) -> bool + Send,
    ) -> Result<Option<Task>, StoreError> {
        let mut watched = Watched::new(&self.0, id);
        loop {
            watched.rung.mark_unchanged();
            match self.find(id, owner).await {
                Ok(Some(task)) if was(&task) => {}
                Err(StoreError::Unavailable { .. }) => {}
                found => return found,
            }
            // A bell may be lost, and a task that is lost with its instance does not ring.
            tokio::select! {
                _ = watched.rung.changed() => {}
                () = sleep(LOOK) => {}
            }
        }
    }

    /// The next `count` tasks of this owner behind a place, from the first on where there is none.
    /// One whose instance is gone is shown as it left it: it fails when it is asked about by name.
    pub async fn list(
        &self,
        owner: &Owner,
        behind: Option<TaskPlace>,
        count: usize,
    ) -> Result<Vec<(TaskPlace, Task)>, StoreError> {
        self.0.store.tasks_of(owner, behind, count).await
    }

    /// Takes a client's answers. `false` as `None` of [`Self::find`].
    pub async fn answer(
        &self,
        id: TaskId,
        owner: &Owner,
        answers: BTreeMap<String, Bytes>,
    ) -> Result<bool, StoreError> {
        let desk = &self.0;
        let runs_on = desk.store.answer_task(id, owner, answers, desk.clock.now()).await?;
        Ok(desk.tell(id, runs_on).await)
    }

    /// Cancels a task that has not ended. `false` as `None` of [`Self::find`].
    pub async fn cancel(&self, id: TaskId, owner: &Owner) -> Result<bool, StoreError> {
        let desk = &self.0;
        let runs_on = desk.store.cancel_task(id, owner, desk.clock.now()).await?;
        Ok(desk.tell(id, runs_on).await)
    }

    /// Hears the bells that ring for its tasks, from now on and for as long as what this returns is
    /// awaited: for a desk without an [`Endpoint`](crate::Endpoint), which hears them itself.
    pub async fn hear(
        &self,
    ) -> Result<impl Future<Output = ()> + Send + 'static + use<>, StoreError> {
        let desk = self.clone();
        let mut bells = desk.0.bus.listen(&desk.0.instance).await?;
        let mut looks = ticks(LOOK);
        Ok(async move {
            loop {
                tokio::select! {
                    bell = bells.recv() => match bell {
                        Some(Bell::TaskNews(task)) => desk.ring(task),
                        Some(Bell::TaskChanged(task)) => desk.changed(task),
                        Some(Bell::Missed) => desk.ring_all(),
                        Some(_) => {}
                        None => return,
                    },
                    _ = looks.tick() => desk.ring_all(),
                }
            }
        })
    }

    /// Something came for a task.
    pub(crate) fn ring(&self, id: TaskId) {
        if self.0.running.contains_key(&id) {
            let desk = Arc::clone(&self.0);
            tokio::spawn(async move { desk.look(id).await }.instrument(spans::current()));
        }
    }

    /// A task asks something else, or has ended.
    pub(crate) fn changed(&self, id: TaskId) {
        if let Some(watched) = self.0.watched.get(&id) {
            watched.send_replace(());
        }
    }

    /// Something may have come for any task.
    pub(crate) fn ring_all(&self) {
        self.0.watched.iter().for_each(|watched| {
            watched.send_replace(());
        });
        let running: Vec<_> = self.0.running.iter().map(|task| *task.key()).collect();
        if running.is_empty() {
            return;
        }
        let desk = Arc::clone(&self.0);
        tokio::spawn(async move {
            for id in running {
                desk.look(id).await;
            }
        });
    }

    /// What was begun with a grant ends with it.
    pub(crate) fn revoke(&self, grant: GrantId) {
        for task in self.0.running.iter().filter(|task| task.grant == grant) {
            let (desk, id) = (Arc::clone(&self.0), *task.key());
            tokio::spawn(async move { desk.cancel(id).await });
        }
    }

    /// Returns when nothing is worked on here any more.
    pub(crate) async fn idle(&self) {
        self.0.working.close();
        self.0.working.wait().await;
    }

    /// What still runs stops, and says so.
    pub(crate) fn stop(&self) {
        self.0.leaving.cancel();
    }

    /// How much is worked on here.
    pub(crate) fn running(&self) -> usize {
        self.0.running.len()
    }
}

/// A task whose changes are waited for.
struct Watched<'a> {
    desk: &'a Inner,
    id: TaskId,
    rung: watch::Receiver<()>,
}

impl<'a> Watched<'a> {
    fn new(desk: &'a Inner, id: TaskId) -> Self {
        let rung = desk.watched.entry(id).or_default().subscribe();
        Self { desk, id, rung }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        drop(std::mem::replace(&mut self.rung, watch::channel(()).1));
        self.desk.watched.remove_if(&self.id, |_, rings| rings.receiver_count() == 0);
    }
}

impl Inner {
    /// Says everywhere that a task asks something else, or has ended.
    pub(super) async fn announce(&self, id: TaskId) {
        if let Err(error) = self.bus.ring(Ring::All, Bell::TaskChanged(id)).await {
            tracing::debug!(event = "bus.unavailable", %error, "a task's change is seen later");
        }
    }

    /// Whether a task may be worked on still. Whoever cannot be asked is not gone.
    async fn may_run(&self, id: TaskId, instance: &InstanceId) -> bool {
        if *instance == self.instance {
            return self.running.contains_key(&id);
        }
        !matches!(self.bus.is_alive(instance).await, Ok(false))
    }

    /// Rings whoever works on a task, if there is such a task.
    async fn tell(&self, id: TaskId, runs_on: Option<InstanceId>) -> bool {
        let Some(instance) = runs_on else { return false };
        if let Err(error) = self.bus.ring(Ring::One(instance), Bell::TaskNews(id)).await {
            tracing::debug!(event = "bus.unavailable", %error, "a task hears its news later");
        }
        true
    }

    /// Ends a task that is worked on here, and the work.
    async fn cancel(&self, id: TaskId) {
        if let Err(error) = self.store.end_task(id, TaskEnd::Cancelled, self.clock.now()).await {
            tracing::warn!(event = "store.unavailable", %error, "a task ends without a word");
        }
        if let Some(here) = self.running.get(&id) {
            here.stop.cancel();
        }
    }

    /// Stops the work on a task that has ended by another hand, and lets the rest look for answers.
    async fn look(&self, id: TaskId) {
        let begun = |here: Ref<'_, TaskId, Here>| here.begun.load(Ordering::Acquire);
        // Asked before the store is: what it does not know may begin meanwhile.
        let Some(begun) = self.running.get(&id).map(begun) else { return };
        let over = match self.store.task_news(id).await {
            Ok(news) => news.map_or(begun, |news| news.ended),
            // It is looked at again.
            Err(_) => false,
        };
        let Some(here) = self.running.get(&id) else { return };
        if over {
            here.stop.cancel();
        }
        here.rung.send_replace(());
    }
}
