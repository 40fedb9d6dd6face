//! Tasks.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;

use super::{LIMITS, MANY, SECOND, SessionHarness, assert_full, done, instance, owner};
use crate::{
    Asked, NewTask, Owner, SessionStore, SystemRandom, Task, TaskEnd, TaskId, TaskNews, TaskPlace,
    Timestamp,
};

const LIFE: Duration = Duration::from_secs(60);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

fn new_task(owner: &Owner) -> NewTask {
    NewTask {
        id: TaskId::random(&SystemRandom),
        owner: owner.clone(),
        instance: instance("a"),
        at: at(0),
        life: LIFE,
    }
}

async fn begun(store: &dyn SessionStore) -> NewTask {
    let task = new_task(&owner("alice"));
    done(store.begin_task(task.clone()).await);
    task
}

async fn read(store: &dyn SessionStore, task: &NewTask) -> Task {
    done(store.task(task.id, &task.owner).await).expect("it is kept")
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn answers<const N: usize>(given: [(&str, &'static str); N]) -> BTreeMap<String, Bytes> {
    given.into_iter().map(|(key, answer)| (key.to_owned(), bytes(answer))).collect()
}

/// What goes in comes out, and a repeat changes nothing.
pub async fn begin_once_and_are_known(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    let end = TaskEnd::Completed(bytes("{}"));
    assert!(done(store.end_task(task.id, end.clone(), at(5)).await));
    done(store.begin_task(task.clone()).await);
    let expected = Task {
        instance: task.instance.clone(),
        created_at: at(0),
        updated_at: at(5),
        life: LIFE,
        note: None,
        questions: BTreeMap::new(),
        end: Some(end),
    };
    assert_eq!(read(&*store, &task).await, expected);
    let other = TaskId::random(&SystemRandom);
    assert_eq!(done(store.task(other, &task.owner).await), None);
    assert_eq!(done(store.task_news(other).await), None);
    assert!(!done(store.end_task(other, TaskEnd::Cancelled, at(1)).await));
}

/// Another user, another client of the user and another issuer's user of that name are strangers.
pub async fn belong_to_their_owner(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    assert_eq!(done(store.ask_in_task(task.id, "k", bytes("?"), at(1)).await), Asked::Waiting);
    let alice = owner("alice");
    for stranger in [
        owner("bob"),
        Owner { client: "other".into(), ..alice.clone() },
        Owner { issuer: "https://other.test".into(), ..alice },
    ] {
        assert_eq!(done(store.task(task.id, &stranger).await), None);
        let answer = answers([("k", "theirs")]);
        assert_eq!(done(store.answer_task(task.id, &stranger, answer, at(2)).await), None);
        assert_eq!(done(store.cancel_task(task.id, &stranger, at(2)).await), None);
    }
    let kept = read(&*store, &task).await;
    assert_eq!((kept.questions, kept.end), (answers([("k", "?")]), None));
}

/// The first end counts, also when many come at a time.
pub async fn end_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    let ends = (0..MANY).map(|number| {
        let (store, id) = (harness.store(), task.id);
        tokio::spawn(async move {
            let end = TaskEnd::Completed(Bytes::from(number.to_string()));
            (done(store.end_task(id, end.clone(), at(1)).await), end)
        })
    });
    let ends: Vec<_> = ends.collect();
    let mut winners = Vec::new();
    for end in ends {
        let (won, end) = end.await.expect("it ends");
        winners.extend(won.then_some(end));
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(read(&*store, &task).await.end, winners.pop());
    let failed = TaskEnd::Failed(bytes("{}"));
    assert!(!done(store.end_task(task.id, failed, at(2)).await));
}

/// A key is one question: what was answered is not asked again, nor answered otherwise.
pub async fn ask_and_are_answered_once(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    for _ in 0..2 {
        let asked = store.ask_in_task(task.id, "key", bytes("?"), at(1)).await;
        assert_eq!(done(asked), Asked::Waiting);
    }
    let kept = read(&*store, &task).await;
    assert_eq!((kept.questions, kept.updated_at), (answers([("key", "?")]), at(1)));
    for answer in ["first", "second"] {
        let answer = answers([("key", answer), ("never asked", "x")]);
        let runs_on = done(store.answer_task(task.id, &task.owner, answer, at(2)).await);
        assert_eq!(runs_on.as_ref(), Some(&task.instance));
    }
    let news = TaskNews { answers: answers([("key", "first")]), ended: false };
    assert_eq!(done(store.task_news(task.id).await), Some(news));
    let kept = read(&*store, &task).await;
    assert_eq!((kept.questions.len(), kept.updated_at), (0, at(2)));
    let again = done(store.ask_in_task(task.id, "key", bytes("?"), at(3)).await);
    assert_eq!(again, Asked::Answered(bytes("first")));
    assert!(read(&*store, &task).await.questions.is_empty());
}

/// Of several questions some may be answered first.
pub async fn are_answered_in_parts(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    for key in ["a", "b"] {
        done(store.ask_in_task(task.id, key, bytes("?"), at(1)).await);
    }
    done(store.answer_task(task.id, &task.owner, answers([("b", "yes")]), at(2)).await);
    assert_eq!(read(&*store, &task).await.questions, answers([("a", "?")]));
    done(store.answer_task(task.id, &task.owner, answers([("a", "no")]), at(3)).await);
    let news = done(store.task_news(task.id).await).expect("it is kept");
    assert_eq!(news.answers, answers([("a", "no"), ("b", "yes")]));
}

/// A cancellation ends a task, and is no wonder when it has ended.
pub async fn are_cancelled_by_their_owner(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    for _ in 0..2 {
        let runs_on = done(store.cancel_task(task.id, &task.owner, at(1)).await);
        assert_eq!(runs_on.as_ref(), Some(&task.instance));
    }
    assert_eq!(read(&*store, &task).await.end, Some(TaskEnd::Cancelled));
    assert!(done(store.task_news(task.id).await).expect("it is kept").ended);
    let late = TaskEnd::Completed(bytes("{}"));
    assert!(!done(store.end_task(task.id, late, at(2)).await));
    let ended = begun(&*store).await;
    let end = TaskEnd::Completed(bytes("{}"));
    assert!(done(store.end_task(ended.id, end.clone(), at(1)).await));
    assert!(done(store.cancel_task(ended.id, &ended.owner, at(2)).await).is_some());
    assert_eq!(read(&*store, &ended).await.end, Some(end));
}

/// What has ended waits for nobody.
pub async fn ask_nothing_once_they_have_ended(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    done(store.ask_in_task(task.id, "a", bytes("?"), at(1)).await);
    assert!(done(store.end_task(task.id, TaskEnd::Failed(bytes("{}")), at(2)).await));
    assert!(read(&*store, &task).await.questions.is_empty());
    assert_eq!(done(store.ask_in_task(task.id, "b", bytes("?"), at(3)).await), Asked::Ended);
    done(store.answer_task(task.id, &task.owner, answers([("a", "late")]), at(3)).await);
    let news = done(store.task_news(task.id).await).expect("it is kept");
    assert_eq!((news.answers.len(), news.ended), (0, true));
    assert_eq!(read(&*store, &task).await.updated_at, at(2));
}

/// Nothing that happens makes a task live longer.
pub async fn are_gone_when_their_life_is_over(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    harness.pass(59 * SECOND).await;
    done(store.ask_in_task(task.id, "a", bytes("?"), at(1)).await);
    assert_eq!(read(&*store, &task).await.questions.len(), 1);
    harness.pass(SECOND).await;
    assert_eq!(done(store.task(task.id, &task.owner).await), None);
    assert_eq!(done(store.ask_in_task(task.id, "a", bytes("?"), at(1)).await), Asked::Ended);
    assert_eq!(done(store.answer_task(task.id, &task.owner, answers([]), at(1)).await), None);
    assert_eq!(done(store.cancel_task(task.id, &task.owner, at(1)).await), None);
    assert!(!done(store.end_task(task.id, TaskEnd::Cancelled, at(1)).await));
    assert_eq!(done(store.task(task.id, &task.owner).await), None, "nothing brings it back");
}

/// One user's tasks are not counted against another's, and count until they are gone.
pub async fn are_bounded_for_each_user(harness: &impl SessionHarness) {
    let store = harness.store();
    for _ in 0..LIMITS.tasks_per_user {
        begun(&*store).await;
    }
    let one_more = new_task(&Owner { client: "other".into(), ..owner("alice") });
    assert_full(&store.begin_task(one_more.clone()).await);
    done(store.begin_task(new_task(&owner("bob"))).await);
    harness.pass(LIFE + SECOND).await;
    done(store.begin_task(one_more).await);
}

/// What is kept of one kind is no larger than a log may be.
pub async fn keep_nothing_of_any_size(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    let large = Bytes::from(vec![b'x'; LIMITS.log_bytes + 1]);
    assert_full(&store.ask_in_task(task.id, "k", large.clone(), at(1)).await);
    let answer = BTreeMap::from([("k".to_owned(), large.clone())]);
    assert_full(&store.answer_task(task.id, &task.owner, answer, at(1)).await);
    assert_full(&store.end_task(task.id, TaskEnd::Completed(large), at(1)).await);
    assert_eq!(read(&*store, &task).await.end, None);
}

/// The last note counts, and says no more once the task has ended.
pub async fn note_how_they_get_on(harness: &impl SessionHarness) {
    let store = harness.store();
    let task = begun(&*store).await;
    for (millis, note) in [(1, "gathering"), (2, "writing"), (2, "writing")] {
        done(store.note_in_task(task.id, note, at(millis)).await);
        let kept = read(&*store, &task).await;
        assert_eq!((kept.note.as_deref(), kept.updated_at), (Some(note), at(millis)));
    }
    done(store.ask_in_task(task.id, "a", bytes("?"), at(3)).await);
    assert_eq!(read(&*store, &task).await.note.as_deref(), Some("writing"));
    assert!(done(store.end_task(task.id, TaskEnd::Cancelled, at(4)).await));
    done(store.note_in_task(task.id, "late", at(5)).await);
    let kept = read(&*store, &task).await;
    assert_eq!((kept.note.as_deref(), kept.updated_at), (Some("writing"), at(4)));
    let large = "x".repeat(LIMITS.log_bytes + 1);
    assert_full(&store.note_in_task(task.id, &large, at(6)).await);
    let other = TaskId::random(&SystemRandom);
    done(store.note_in_task(other, "nobody's", at(1)).await);
    assert_eq!(done(store.task_news(other).await), None, "a note begins nothing");
}

/// In pages that follow each other, each task once, and nobody else's.
pub async fn are_listed_for_their_owner(harness: &impl SessionHarness) {
    let store = harness.store();
    let alice = owner("alice");
    assert_eq!(done(store.tasks_of(&alice, None, 5).await), Vec::new());
    let mut begun = [begun(&*store).await, begun(&*store).await];
    let others = new_task(&Owner { client: "other".into(), ..alice.clone() });
    done(store.begin_task(others.clone()).await);
    done(store.begin_task(new_task(&owner("bob"))).await);
    assert!(done(store.end_task(begun[0].id, TaskEnd::Completed(bytes("{}")), at(1)).await));

    let mut listed = Vec::new();
    let mut behind: Option<TaskPlace> = None;
    loop {
        let page = done(store.tasks_of(&alice, behind, 1).await);
        let Some((place, task)) = page.into_iter().next() else { break };
        assert!(behind.is_none_or(|behind| behind < place));
        assert_eq!(done(store.task(place.id, &alice).await), Some(task));
        behind = Some(place);
        listed.push(place.id);
    }
    begun.sort_unstable_by_key(|task| listed.iter().position(|id| *id == task.id));
    assert_eq!(listed, begun.iter().map(|task| task.id).collect::<Vec<_>>());
    let all = done(store.tasks_of(&alice, None, 5).await);
    assert_eq!(all.iter().map(|(place, _)| place.id).collect::<Vec<_>>(), listed);
    let theirs = done(store.tasks_of(&others.owner, None, 5).await);
    assert_eq!(theirs.iter().map(|(place, _)| place.id).collect::<Vec<_>>(), [others.id]);

    harness.pass(LIFE + SECOND).await;
    assert_eq!(done(store.tasks_of(&alice, None, 5).await), Vec::new());
}
