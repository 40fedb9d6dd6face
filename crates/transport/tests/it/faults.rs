//! A store and a bus between the endpoints and the real ones, for what goes wrong there.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use mcp_everything_store::{
    Announcement, Answer, Appended, Asked, Attendance, Bell, Bells, Bus, CallEvent, CallId,
    CallLog, CallNews, Calls, ChangeLog, ChangePosition, Changed, Claim, Elicitation,
    ElicitationId, ElicitationState, Elicitations, Epoch, Handshake, Held, InstanceId, LogLevel,
    NewCall, NewElicitation, NewTask, OpenedCall, OpenedStream, Owner, Position, Pulled, Pushed,
    Reports, RequestKey, Ring, RunningCall, Said, Session, SessionId, SessionState, Sessions,
    Settled, SettledElicitation, Settlement, Shelf, ShelfItem, Shelves, StoreError, Streams, Task,
    TaskEnd, TaskId, TaskNews, TaskPlace, Tasks, Telling, Timestamp, User, Written,
    memory::{MemoryBus, MemoryStore},
    oauth::{AttemptId, GrantId},
};
use mcp_everything_transport::Standing;
use tokio::{
    sync::{Semaphore, watch},
    time::Duration,
};

use crate::support::soon;

/// A store whose operations can be made to fail or to wait, and are counted.
pub(crate) struct FaultyStore {
    pub(crate) inner: MemoryStore,
    down: Mutex<HashSet<&'static str>>,
    unanswered: Mutex<HashSet<&'static str>>,
    away: AtomicBool,
    gates: Mutex<HashMap<&'static str, Arc<Semaphore>>>,
    done: watch::Sender<HashMap<&'static str, usize>>,
}

impl FaultyStore {
    pub(crate) fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            down: Mutex::default(),
            unanswered: Mutex::default(),
            away: AtomicBool::new(false),
            gates: Mutex::default(),
            done: watch::Sender::default(),
        }
    }

    /// From now on an operation fails.
    pub(crate) fn break_down(&self, operation: &'static str) {
        self.down.lock().unwrap().insert(operation);
    }

    /// From now on an operation is carried out, and fails all the same.
    pub(crate) fn lose_answers(&self, operation: &'static str) {
        self.unanswered.lock().unwrap().insert(operation);
    }

    pub(crate) fn mend(&self, operation: &'static str) {
        self.down.lock().unwrap().remove(operation);
        self.unanswered.lock().unwrap().remove(operation);
    }

    /// From now on all operations fail, or none.
    pub(crate) fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// From now on an operation waits for a permit.
    pub(crate) fn hold_up(&self, operation: &'static str) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.gates.lock().unwrap().insert(operation, Arc::clone(&gate));
        gate
    }

    /// How often an operation was asked for.
    pub(crate) fn count(&self, operation: &'static str) -> usize {
        self.done.borrow().get(operation).copied().unwrap_or_default()
    }

    /// Waits until an operation was asked for more than `count` times.
    pub(crate) async fn asked(&self, operation: &'static str, count: usize) {
        let mut done = self.done.subscribe();
        let more = done.wait_for(|done| done.get(operation).is_some_and(|done| *done > count));
        soon(more).await.unwrap();
    }

    async fn before(&self, operation: &'static str) -> Result<(), StoreError> {
        self.done.send_modify(|done| *done.entry(operation).or_default() += 1);
        let gate = self.gates.lock().unwrap().get(operation).cloned();
        if let Some(gate) = gate {
            gate.acquire().await.unwrap().forget();
        }
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable { reason: "it was told to fail".into() });
        }
        told_to_fail(&self.down, operation)
    }
}

fn told_to_fail(
    operations: &Mutex<HashSet<&'static str>>,
    operation: &'static str,
) -> Result<(), StoreError> {
    if operations.lock().unwrap().contains(operation) {
        return Err(StoreError::Unavailable { reason: "it was told to fail".into() });
    }
    Ok(())
}

macro_rules! pass_on {
    ($trait:ident; $($name:ident($($argument:ident: $type:ty),*) -> $result:ty;)+) => {
        #[async_trait]
        impl $trait for FaultyStore {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$result, StoreError> {
                self.before(stringify!($name)).await?;
                let answer = self.inner.$name($($argument),*).await?;
                told_to_fail(&self.unanswered, stringify!($name)).map(|()| answer)
            })+
        }
    };
}

pass_on! {
    Sessions;
    create(id: SessionId, session: Session) -> ();
    settle(id: SessionId, handshake: Handshake) -> Settled;
    admit(id: SessionId, owner: &Owner) -> Option<Arc<Session>>;
    delete(id: SessionId, owner: &Owner) -> bool;
    hold(ids: &[SessionId]) -> Vec<bool>;
    set_level(id: SessionId, level: LogLevel) -> Written;
    subscribe(id: SessionId, uri: &str) -> Written;
    unsubscribe(id: SessionId, uri: &str) -> Written;
    flip(id: SessionId, switch: &str, attempt: &AttemptId) -> Option<bool>;
    of_user(user: &User, most: usize) -> Vec<(SessionId, Arc<Session>)>;
    glance(id: SessionId) -> Option<Arc<Session>>;
    state(id: SessionId) -> Option<SessionState>;
}

pass_on! {
    Reports;
    report(instance: &InstanceId, report: Bytes, life: Duration) -> ();
    reports() -> Vec<(InstanceId, Bytes)>;
}

pass_on! {
    Tasks;
    begin_task(task: NewTask) -> ();
    task(id: TaskId, owner: &Owner) -> Option<Task>;
    tasks_of(owner: &Owner, behind: Option<TaskPlace>, count: usize) -> Vec<(TaskPlace, Task)>;
    note_in_task(id: TaskId, note: &str, at: Timestamp) -> ();
    ask_in_task(id: TaskId, key: &str, question: Bytes, at: Timestamp) -> Asked;
    answer_task(
        id: TaskId,
        owner: &Owner,
        answers: BTreeMap<String, Bytes>,
        at: Timestamp
    ) -> Option<InstanceId>;
    task_news(id: TaskId) -> Option<TaskNews>;
    cancel_task(id: TaskId, owner: &Owner, at: Timestamp) -> Option<InstanceId>;
    end_task(id: TaskId, end: TaskEnd, at: Timestamp) -> bool;
}

pass_on! {
    Shelves;
    shelf(user: &User) -> Shelf;
    on_shelf(user: &User, name: &str) -> Option<ShelfItem>;
    put_on_shelf(user: &User, name: &str, item: ShelfItem) -> Vec<String>;
    flip_on_shelf(user: &User, switch: &str, attempt: &AttemptId) -> bool;
}

pass_on! {
    Elicitations;
    begin_elicitation(new: NewElicitation) -> ();
    elicitation(id: ElicitationId) -> Option<Elicitation>;
    elicitation_for(owner: &Owner, purpose: &str) -> Option<(ElicitationId, ElicitationState)>;
    settle_elicitation(id: ElicitationId, to: Settlement, attempt: &AttemptId)
        -> Option<SettledElicitation>;
}

pass_on! {
    Calls;
    open_call(id: SessionId, call: NewCall) -> OpenedCall;
    append(id: SessionId, call: CallId, event: CallEvent) -> Appended;
    read_call(id: SessionId, call: CallId, after: u64, reader: Option<&InstanceId>)
        -> Option<CallLog>;
    cancel(id: SessionId, request: &RequestKey) -> Vec<RunningCall>;
    answer(id: SessionId, call: CallId, answer: Answer) -> Option<InstanceId>;
    call_news(id: SessionId, call: CallId) -> Option<CallNews>;
    say(id: SessionId, call: CallId, event: CallEvent) -> Said;
    running(id: SessionId) -> Vec<RunningCall>;
    bury(id: SessionId, call: CallId) -> Said;
}

pass_on! {
    Streams;
    open_stream(id: SessionId, instance: &InstanceId, claim: Claim) -> OpenedStream;
    holder(id: SessionId) -> Option<InstanceId>;
    push(id: SessionId, data: Bytes) -> Pushed;
    held(streams: &[(SessionId, Epoch)]) -> Vec<Option<Held>>;
    tell(tellings: &[Telling]) -> Vec<(Written, Option<InstanceId>)>;
    pull(id: SessionId, epoch: Epoch, passed: Position) -> Pulled;
    close_stream(id: SessionId, epoch: Epoch, passed: Position) -> Written;
}

pass_on! {
    ChangeLog;
    record(change: &Announcement) -> ();
    newest() -> ChangePosition;
    since(after: ChangePosition) -> Changed;
}

/// A bus that can lose bells.
#[derive(Default)]
pub(crate) struct LossyBus {
    inner: MemoryBus,
    loses: Mutex<bool>,
    dead: Mutex<HashSet<InstanceId>>,
    attended: watch::Sender<Vec<SessionId>>,
}

struct Attended {
    session: SessionId,
    of: watch::Sender<Vec<SessionId>>,
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.of.send_modify(|attended| {
            let left = attended.iter().position(|session| *session == self.session);
            attended.swap_remove(left.unwrap());
        });
    }
}

impl LossyBus {
    /// Waits until as many streams and calls are attended to, all of one session.
    pub(crate) async fn attends(&self, count: usize) {
        let mut attended = self.attended.subscribe();
        let there = attended.wait_for(|attended| {
            attended.iter().all(|session| *session == attended[0]) && attended.len() == count
        });
        soon(there).await.unwrap();
    }

    pub(crate) fn lose_bells(&self, loses: bool) {
        *self.loses.lock().unwrap() = loses;
    }

    /// From now on an instance counts as gone.
    pub(crate) fn bury(&self, instance: InstanceId) {
        self.dead.lock().unwrap().insert(instance);
    }
}

#[async_trait]
impl Bus for LossyBus {
    async fn ring(&self, whom: Ring, bell: Bell) -> Result<(), StoreError> {
        let lost = *self.loses.lock().unwrap();
        if lost { Ok(()) } else { self.inner.ring(whom, bell).await }
    }

    async fn is_alive(&self, instance: &InstanceId) -> Result<bool, StoreError> {
        let dead = self.dead.lock().unwrap().contains(instance);
        if dead { Ok(false) } else { self.inner.is_alive(instance).await }
    }

    async fn listen(&self, instance: &InstanceId) -> Result<Bells, StoreError> {
        self.inner.listen(instance).await
    }

    fn attend(&self, session: SessionId) -> Attendance {
        self.attended.send_modify(|attended| attended.push(session));
        Attendance::new(Attended { session, of: self.attended.clone() })
    }
}

/// The grants that were revoked, and a store of them that is away at first.
#[derive(Default)]
pub(crate) struct Revoked {
    pub(crate) grants: Mutex<HashSet<GrantId>>,
    asked: Mutex<bool>,
}

#[async_trait]
impl Standing for Revoked {
    async fn stands(&self, grant: &GrantId) -> Result<bool, StoreError> {
        if !std::mem::replace(&mut *self.asked.lock().unwrap(), true) {
            return Err(StoreError::Unavailable { reason: "it was told to fail".into() });
        }
        assert_ne!(*grant, GrantId::ELSEWHERE, "that is not known here");
        Ok(!self.grants.lock().unwrap().contains(grant))
    }
}
