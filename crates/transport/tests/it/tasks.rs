//! Tasks that are worked on at one instance and asked about at others.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use mcp_everything_store::{
    Bell, Bus as _, Limits, Owner, Ring, StoreError, SystemRandom, Task, TaskEnd, oauth::GrantId,
};
use mcp_everything_transport::{Config, RunningTask};

use crate::support::{Cluster, soon};

const LIFE: Duration = Duration::from_secs(600);
const PATIENCE: Duration = Duration::from_secs(10);

fn owner() -> Owner {
    Owner::anonymous()
}

async fn begun(cluster: &Cluster) -> RunningTask {
    cluster.desks[0].begin(owner(), GrantId::ELSEWHERE, LIFE).await.unwrap()
}

async fn seen(cluster: &Cluster, at: usize, task: &RunningTask) -> Task {
    cluster.desks[at].find(task.id(), &owner()).await.unwrap().unwrap()
}

fn completed() -> TaskEnd {
    TaskEnd::Completed(Bytes::from_static(b"{}"))
}

fn answer() -> BTreeMap<String, Bytes> {
    BTreeMap::from([("key".to_owned(), Bytes::from_static(b"yes"))])
}

/// Bells may have been missed while the store is still being told of the task.
#[tokio::test]
async fn a_task_that_is_just_beginning_is_not_stopped() {
    let cluster = Cluster::of(1).await;
    let gate = cluster.store.hold_up("begin_task");
    let (looks, begins) = (cluster.store.count("task_news"), cluster.store.count("begin_task"));
    let missed = async {
        cluster.store.asked("begin_task", begins).await;
        cluster.bus.ring(Ring::All, Bell::Missed).await.unwrap();
        cluster.store.asked("task_news", looks).await;
        gate.add_permits(1);
    };
    let (task, ()) = soon(async { tokio::join!(begun(&cluster), missed) }).await;
    assert_eq!(seen(&cluster, 0, &task).await.end, None);
    assert!(task.end(completed()).await.unwrap());
    assert!(!task.stop().is_cancelled());
}

#[tokio::test]
async fn what_was_begun_with_a_grant_ends_with_it() {
    let cluster = Cluster::of(2).await;
    let grant = GrantId::draw(&SystemRandom);
    let revoked = cluster.desks[0].begin(owner(), grant, LIFE).await.unwrap();
    let other = begun(&cluster).await;
    cluster.bus.ring(Ring::All, Bell::Revoked(grant)).await.unwrap();
    soon(revoked.stop().cancelled()).await;
    assert_eq!(seen(&cluster, 1, &revoked).await.end, Some(TaskEnd::Cancelled));
    assert_eq!(seen(&cluster, 1, &other).await.end, None);
    assert!(!other.stop().is_cancelled());
}

/// Asks at the first instance and answers at the second.
async fn asks_and_is_answered(cluster: &Cluster, task: &RunningTask) -> Option<Bytes> {
    let count = cluster.store.count("ask_in_task");
    let asking = task.ask("key", Bytes::from_static(b"?"));
    let answering = async {
        cluster.store.asked("ask_in_task", count).await;
        while seen(cluster, 1, task).await.questions.is_empty() {
            tokio::task::yield_now().await;
        }
        assert!(cluster.desks[1].answer(task.id(), &owner(), answer()).await.unwrap());
    };
    soon(async { tokio::join!(asking, answering).0.unwrap() }).await
}

#[tokio::test]
async fn any_instance_answers_and_ends_are_seen_everywhere() {
    let cluster = Cluster::of(2).await;
    let task = begun(&cluster).await;
    assert_eq!(seen(&cluster, 1, &task).await.end, None);
    assert_eq!(asks_and_is_answered(&cluster, &task).await.as_deref(), Some(&b"yes"[..]));
    assert!(task.end(completed()).await.unwrap());
    assert_eq!(seen(&cluster, 1, &task).await.end, Some(completed()));
    assert!(!task.stop().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_bell_was_lost_is_found() {
    let cluster = Cluster::of(2).await;
    let task = begun(&cluster).await;
    cluster.bus.lose_bells(true);
    assert_eq!(asks_and_is_answered(&cluster, &task).await.as_deref(), Some(&b"yes"[..]));
}

#[tokio::test]
async fn a_cancellation_stops_the_work_wherever_it_came() {
    let cluster = Cluster::of(2).await;
    let task = begun(&cluster).await;
    assert!(cluster.desks[1].cancel(task.id(), &owner()).await.unwrap());
    soon(task.stop().cancelled()).await;
    assert_eq!(seen(&cluster, 0, &task).await.end, Some(TaskEnd::Cancelled));
    assert_eq!(task.ask("key", Bytes::from_static(b"?")).await, Ok(None));
    assert!(!task.end(completed()).await.unwrap(), "it has ended");
    assert_eq!(seen(&cluster, 1, &task).await.end, Some(TaskEnd::Cancelled));
}

#[tokio::test]
async fn a_task_whose_instance_is_gone_has_failed() {
    let cluster = Cluster::of(2).await;
    let task = begun(&cluster).await;
    cluster.bus.bury(cluster.ids[0].clone());
    let Some(TaskEnd::Failed(error)) = seen(&cluster, 1, &task).await.end else {
        panic!("it should have failed");
    };
    let error: serde_json::Value = serde_json::from_slice(&error).unwrap();
    assert_eq!(error["code"], -32603);
    assert!(error["message"].as_str().unwrap().contains("run it again"), "{error}");
    assert!(!task.end(completed()).await.unwrap(), "it was declared lost");
}

#[tokio::test]
async fn a_task_that_nobody_works_on_any_more_has_failed() {
    let cluster = Cluster::of(2).await;
    let task = begun(&cluster).await;
    let id = task.id();
    drop(task);
    let kept = cluster.desks[0].find(id, &owner()).await.unwrap().unwrap();
    assert!(matches!(kept.end, Some(TaskEnd::Failed(_))), "{kept:?}");
}

#[tokio::test]
async fn somebody_elses_task_is_not_there() {
    let cluster = Cluster::of(1).await;
    let task = begun(&cluster).await;
    let other = Owner { user: "mallory".into(), ..owner() };
    let desk = &cluster.desks[0];
    assert_eq!(desk.find(task.id(), &other).await, Ok(None));
    assert_eq!(desk.answer(task.id(), &other, answer()).await, Ok(false));
    assert_eq!(desk.cancel(task.id(), &other).await, Ok(false));
    assert!(!task.stop().is_cancelled());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_waited_for() {
    let cluster = Cluster::of(1).await;
    let task = begun(&cluster).await;
    cluster.store.is_away(true);
    let count = cluster.store.count("end_task");
    let back = async {
        cluster.store.asked("end_task", count).await;
        cluster.store.is_away(false);
    };
    let (ended, ()) = soon(async { tokio::join!(task.end(completed()), back) }).await;
    assert_eq!(ended, Ok(true));
    assert_eq!(seen(&cluster, 0, &task).await.end, Some(completed()));
}

#[tokio::test]
async fn where_there_is_no_room_nothing_begins() {
    let limits = Limits { tasks_per_user: 1, ..Limits::default() };
    let cluster = Cluster::with(1, Config::default(), limits).await;
    let _first = begun(&cluster).await;
    let second = cluster.desks[0].begin(owner(), GrantId::ELSEWHERE, LIFE).await;
    assert!(matches!(second, Err(StoreError::LimitReached { .. })), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_goes_away_lets_its_tasks_finish() {
    let cluster = Cluster::of(1).await;
    let task = begun(&cluster).await;
    let work = async {
        tokio::time::sleep(PATIENCE / 2).await;
        assert!(!task.stop().is_cancelled());
        assert!(task.end(completed()).await.unwrap());
        drop(task);
    };
    tokio::join!(cluster.instances[0].drain(PATIENCE), work);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_finish_in_time_is_stopped_and_says_so() {
    let cluster = Cluster::of(1).await;
    let task = begun(&cluster).await;
    let id = task.id();
    let work = async {
        task.stop().cancelled().await;
        let failed = TaskEnd::Failed(Bytes::from_static(b"{}"));
        assert!(task.end(failed).await.unwrap());
        drop(task);
    };
    tokio::join!(cluster.instances[0].drain(PATIENCE), work);
    let kept = cluster.desks[0].find(id, &owner()).await.unwrap().unwrap();
    assert!(matches!(kept.end, Some(TaskEnd::Failed(_))), "{kept:?}");
}

/// What is found where a task is waited for until it is not as it was.
async fn changed(cluster: &Cluster, at: usize, task: &RunningTask, was: &Task) -> Task {
    let owner = owner();
    let changed = cluster.desks[at].change(task.id(), &owner, |task| task == was);
    soon(changed).await.unwrap().unwrap()
}

async fn is_seen_to_change(cluster: &Cluster) {
    let task = begun(cluster).await;
    let was = seen(cluster, 1, &task).await;
    let asking = task.ask("key", Bytes::from_static(b"?"));
    let watching = async {
        let asks = changed(cluster, 1, &task, &was).await;
        assert_eq!(asks.questions.len(), 1);
        assert!(cluster.desks[1].answer(task.id(), &owner(), answer()).await.unwrap());
        let answered = changed(cluster, 1, &task, &asks).await;
        assert_eq!((answered.questions.len(), answered.end.clone()), (0, None));
        answered
    };
    let (_, answered) = tokio::join!(asking, watching);
    let ending = async {
        task.note("nearly there").await.unwrap();
        assert!(task.end(completed()).await.unwrap());
    };
    let watching = async {
        let mut now = answered;
        while now.end.is_none() {
            now = changed(cluster, 1, &task, &now).await;
        }
        now
    };
    let ((), ended) = tokio::join!(ending, watching);
    assert_eq!((ended.end, ended.note.as_deref()), (Some(completed()), Some("nearly there")));
    let other = Owner { user: "mallory".into(), ..owner() };
    assert_eq!(cluster.desks[1].change(task.id(), &other, |_| true).await, Ok(None));
}

#[tokio::test]
async fn what_changes_is_seen_where_it_is_waited_for() {
    is_seen_to_change(&Cluster::of(2).await).await;
}

#[tokio::test(start_paused = true)]
async fn what_changes_is_seen_where_no_bell_rings() {
    let cluster = Cluster::of(2).await;
    cluster.bus.lose_bells(true);
    is_seen_to_change(&cluster).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_lost_is_seen_to_be_where_it_is_waited_for() {
    let cluster = Cluster::of(2).await;
    let task = begun(&cluster).await;
    let was = seen(&cluster, 1, &task).await;
    let losing = async {
        tokio::task::yield_now().await;
        cluster.bus.bury(cluster.ids[0].clone());
    };
    let (lost, ()) = tokio::join!(changed(&cluster, 1, &task, &was), losing);
    assert!(matches!(lost.end, Some(TaskEnd::Failed(_))), "{lost:?}");
}
