//! Tasks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use dashmap::{Entry as Slot, mapref::one::RefMut};

use super::MemoryStore;
use crate::{
    Asked, InstanceId, NewTask, Owner, StoreError, Task, TaskEnd, TaskId, TaskNews, TaskPlace,
    Tasks, Timestamp, noted,
};

/// A task that is kept.
pub(super) struct Kept {
    owner: Owner,
    task: Task,
    answers: BTreeMap<String, Bytes>,
    pub(super) expires: Timestamp,
}

impl MemoryStore {
    fn kept(&self, id: TaskId) -> Option<RefMut<'_, TaskId, Kept>> {
        let now = self.clock.now();
        let kept = self.tasks.get_mut(&id)?;
        (kept.expires > now).then_some(kept)
    }

    fn kept_for(&self, id: TaskId, owner: &Owner) -> Option<RefMut<'_, TaskId, Kept>> {
        self.kept(id).filter(|kept| kept.owner == *owner)
    }

    fn room_for(&self, new: &NewTask) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.tasks.retain(|_, kept| kept.expires > now);
        let limit = self.limits.tasks;
        if self.tasks.len() >= limit {
            return Err(StoreError::LimitReached { what: "tasks", limit });
        }
        let of_user = |kept: &Kept| {
            kept.owner.user == new.owner.user && kept.owner.issuer == new.owner.issuer
        };
        let limit = self.limits.tasks_per_user;
        if self.tasks.iter().filter(|kept| of_user(kept)).count() >= limit {
            return Err(StoreError::LimitReached { what: "tasks of one user", limit });
        }
        Ok(())
    }
}

#[async_trait]
impl Tasks for MemoryStore {
    async fn begin_task(&self, new: NewTask) -> Result<(), StoreError> {
        noted("begin_task");
        if self.kept(new.id).is_some() {
            return Ok(());
        }
        self.room_for(&new)?;
        let Slot::Vacant(slot) = self.tasks.entry(new.id) else { return Ok(()) };
        let NewTask { owner, instance, at, life, .. } = new;
        let task = Task {
            instance,
            created_at: at,
            updated_at: at,
            life,
            note: None,
            questions: BTreeMap::new(),
            end: None,
        };
        let expires = self.clock.now() + life;
        slot.insert(Kept { owner, task, answers: BTreeMap::new(), expires });
        Ok(())
    }

    async fn task(&self, id: TaskId, owner: &Owner) -> Result<Option<Task>, StoreError> {
        noted("task");
        Ok(self.kept_for(id, owner).map(|kept| kept.task.clone()))
    }

    async fn tasks_of(
        &self,
        owner: &Owner,
        behind: Option<TaskPlace>,
        count: usize,
    ) -> Result<Vec<(TaskPlace, Task)>, StoreError> {
        noted("tasks_of");
        let now = self.clock.now();
        let theirs = self.tasks.iter().filter(|kept| kept.expires > now && kept.owner == *owner);
        let mut theirs: Vec<_> = theirs
            .map(|kept| (TaskPlace { gone: kept.expires, id: *kept.key() }, kept.task.clone()))
            .filter(|(place, _)| behind.is_none_or(|behind| *place > behind))
            .collect();
        theirs.sort_unstable_by_key(|(place, _)| *place);
        theirs.truncate(count);
        Ok(theirs)
    }

    async fn note_in_task(&self, id: TaskId, note: &str, at: Timestamp) -> Result<(), StoreError> {
        noted("note_in_task");
        self.limits.take_event(note.as_bytes())?;
        if let Some(mut kept) = self.kept(id).filter(|kept| kept.task.end.is_none()) {
            kept.task.note = Some(note.to_owned());
            kept.task.updated_at = at;
        }
        Ok(())
    }

    async fn ask_in_task(
        &self,
        id: TaskId,
        key: &str,
        question: Bytes,
        at: Timestamp,
    ) -> Result<Asked, StoreError> {
        noted("ask_in_task");
        self.limits.take_event(&question)?;
        let Some(mut kept) = self.kept(id).filter(|kept| kept.task.end.is_none()) else {
            return Ok(Asked::Ended);
        };
        if let Some(answer) = kept.answers.get(key) {
            return Ok(Asked::Answered(answer.clone()));
        }
        kept.task.questions.entry(key.to_owned()).or_insert(question);
        kept.task.updated_at = at;
        Ok(Asked::Waiting)
    }

    async fn answer_task(
        &self,
        id: TaskId,
        owner: &Owner,
        answers: BTreeMap<String, Bytes>,
        at: Timestamp,
    ) -> Result<Option<InstanceId>, StoreError> {
        noted("answer_task");
        for answer in answers.values() {
            self.limits.take_event(answer)?;
        }
        let Some(mut kept) = self.kept_for(id, owner) else { return Ok(None) };
        for (key, answer) in answers {
            if kept.task.questions.remove(&key).is_some() {
                kept.answers.insert(key, answer);
                kept.task.updated_at = at;
            }
        }
        Ok(Some(kept.task.instance.clone()))
    }

    async fn task_news(&self, id: TaskId) -> Result<Option<TaskNews>, StoreError> {
        noted("task_news");
        let news = self
            .kept(id)
            .map(|kept| TaskNews { answers: kept.answers.clone(), ended: kept.task.end.is_some() });
        Ok(news)
    }

    async fn cancel_task(
        &self,
        id: TaskId,
        owner: &Owner,
        at: Timestamp,
    ) -> Result<Option<InstanceId>, StoreError> {
        noted("cancel_task");
        let Some(mut kept) = self.kept_for(id, owner) else { return Ok(None) };
        end(&mut kept.task, TaskEnd::Cancelled, at);
        Ok(Some(kept.task.instance.clone()))
    }

    async fn end_task(&self, id: TaskId, how: TaskEnd, at: Timestamp) -> Result<bool, StoreError> {
        noted("end_task");
        if let TaskEnd::Completed(body) | TaskEnd::Failed(body) = &how {
            self.limits.take_event(body)?;
        }
        Ok(self.kept(id).is_some_and(|mut kept| end(&mut kept.task, how, at)))
    }
}

/// Ends a task that has not ended. Whether this is how it ended.
fn end(task: &mut Task, how: TaskEnd, at: Timestamp) -> bool {
    if let Some(before) = &task.end {
        return *before == how;
    }
    task.questions.clear();
    task.updated_at = at;
    task.end = Some(how);
    true
}
