//! `subscriptions/listen`: a stream of the changes a client wants to hear of (2026-07-28).

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rmcp::{
    model::SubscriptionFilter,
    service::{SubscriptionContext, SubscriptionSendError, SubscriptionSink},
};
use tokio::{
    sync::broadcast::{
        Receiver,
        error::{RecvError, TryRecvError},
    },
    task,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{
    changes::{Announcement, Change},
    notifications::{RESOURCE_UPDATES, only_seems_to_change},
    origin::User,
};

/// How many receivers wait for their listener at most. They wait for as long as it takes to send
/// an acknowledgement, or for ever if that fails.
const WAITING: usize = 64;

/// The part of `requested` that is honoured: all of it, except resources that do not exist.
pub(crate) fn accept(
    requested: &SubscriptionFilter,
    exists: impl Fn(&str) -> bool,
) -> SubscriptionFilter {
    let mut accepted = requested.clone();
    if let Some(uris) = &mut accepted.resource_subscriptions {
        let mut seen = BTreeSet::new();
        uris.retain(|uri| exists(uri) && seen.insert(uri.clone()));
    }
    accepted
}

/// Sends the changes that concern `user` until the client leaves, the server is `going` down or there are no more.
///
/// What happens while a slow client takes its time is collected and sent once. As on the older
/// revisions, resources listened to are announced as updated every ten seconds, but for those that
/// really change.
pub(crate) async fn run(
    context: &SubscriptionContext,
    user: &User,
    mut changes: Receiver<Announcement>,
    going: impl Future<Output = ()>,
) {
    let everything = News::all(context.accepted());
    let seeming = everything.resources.iter().filter(|uri| only_seems_to_change(uri));
    let seeming: BTreeSet<String> = seeming.cloned().collect();
    let mut updates = interval_at(Instant::now() + RESOURCE_UPDATES, RESOURCE_UPDATES);
    updates.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let serve = async {
        loop {
            let mut news = News::default();
            tokio::select! {
                change = changes.recv() => match change {
                    Ok(heard) => news.add_for(user, heard, &everything),
                    Err(RecvError::Lagged(_)) => news = everything.clone(),
                    Err(RecvError::Closed) => return,
                },
                _ = updates.tick(), if !seeming.is_empty() => {
                    news.resources.clone_from(&seeming);
                }
            }
            loop {
                match changes.try_recv() {
                    Ok(heard) => news.add_for(user, heard, &everything),
                    Err(TryRecvError::Lagged(_)) => news = everything.clone(),
                    Err(TryRecvError::Empty | TryRecvError::Closed) => break,
                }
            }
            if news.send(context.sink()).await.is_err() {
                // The client is gone, or rmcp says that the subscription is.
                return;
            }
        }
    };
    tokio::select! {
        () = context.cancelled() => {}
        () = going => {}
        () = serve => {}
    }
}

/// What a listener is told next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct News {
    tools: bool,
    prompts: bool,
    resource_list: bool,
    resources: BTreeSet<String>,
}

impl News {
    /// Everything that `filter` lets through.
    fn all(filter: &SubscriptionFilter) -> Self {
        Self {
            tools: filter.tools_list_changed == Some(true),
            prompts: filter.prompts_list_changed == Some(true),
            resource_list: filter.resources_list_changed == Some(true),
            resources: filter.resource_subscriptions.iter().flatten().cloned().collect(),
        }
    }

    /// Adds what was announced, if it is the user's business.
    fn add_for(&mut self, user: &User, announced: Announcement, wanted: &Self) {
        if announced.audience.includes(user) {
            self.add(announced.change, wanted);
        }
    }

    /// Adds `change`, if it is among `wanted`: nothing else may be sent (Subscriptions, Filters).
    fn add(&mut self, change: Change, wanted: &Self) {
        match change {
            Change::Tools => self.tools |= wanted.tools,
            Change::Prompts => self.prompts |= wanted.prompts,
            Change::Resources => self.resource_list |= wanted.resource_list,
            Change::Resource(uri) => {
                if wanted.resources.contains(&uri) {
                    self.resources.insert(uri);
                }
            }
            Change::Missed => self.clone_from(wanted),
        }
    }

    async fn send(self, sink: &SubscriptionSink) -> Result<(), SubscriptionSendError> {
        if self.tools {
            sink.notify_tool_list_changed().await?;
        }
        if self.prompts {
            sink.notify_prompt_list_changed().await?;
        }
        if self.resource_list {
            sink.notify_resource_list_changed().await?;
        }
        for uri in self.resources {
            sink.notify_resource_updated(uri).await?;
        }
        Ok(())
    }
}

/// Receivers that were opened before the acknowledgement of a subscription and wait for its
/// listener.
///
/// rmcp asks for the filter, acknowledges and then calls the listener, with nothing in common but
/// the task they run in. A receiver opened by the listener could miss what happens right after
/// the acknowledgement.
#[derive(Default)]
pub(crate) struct Opened(Mutex<VecDeque<(task::Id, Receiver<Announcement>)>>);

impl Opened {
    pub(crate) fn put(&self, changes: Receiver<Announcement>) {
        let Some(id) = task::try_id() else { return };
        let mut waiting = self.lock();
        if waiting.len() == WAITING {
            waiting.pop_front();
        }
        waiting.push_back((id, changes));
    }

    /// The receiver this task opened, unless too many were opened since.
    pub(crate) fn take(&self) -> Option<Receiver<Announcement>> {
        let id = task::try_id()?;
        let mut waiting = self.lock();
        let index = waiting.iter().rposition(|(owner, _)| *owner == id)?;
        waiting.remove(index).map(|(_, changes)| changes)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(task::Id, Receiver<Announcement>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;

    use super::*;

    fn wanted() -> News {
        News {
            tools: true,
            prompts: false,
            resource_list: true,
            resources: BTreeSet::from(["a".to_owned(), "b".to_owned()]),
        }
    }

    #[test]
    fn resources_that_do_not_exist_are_not_accepted() {
        let requested = SubscriptionFilter::builder()
            .tools_list_changed()
            .resource_subscriptions(["a", "x", "b", "a"])
            .build();
        let accepted = accept(&requested, |uri| uri != "x");
        assert_eq!(accepted.tools_list_changed, Some(true));
        assert_eq!(accepted.prompts_list_changed, None);
        assert_eq!(accepted.resource_subscriptions.unwrap(), ["a", "b"]);
    }

    #[test]
    fn only_wanted_changes_are_news_and_only_once() {
        let mut news = News::default();
        for change in [
            Change::Tools,
            Change::Tools,
            Change::Prompts,
            Change::Resource("a".to_owned()),
            Change::Resource("a".to_owned()),
            Change::Resource("x".to_owned()),
        ] {
            news.add(change, &wanted());
        }
        let resources = BTreeSet::from(["a".to_owned()]);
        assert_eq!(news, News { tools: true, resources, ..News::default() });
        news.add(Change::Missed, &wanted());
        assert_eq!(news, wanted());
    }

    #[tokio::test]
    async fn a_receiver_waits_for_the_task_that_opened_it() {
        let (sender, opened) = (broadcast::Sender::new(4), Opened::default());
        let opened = std::sync::Arc::new(opened);
        let task = tokio::spawn({
            let (sender, opened) = (sender.clone(), std::sync::Arc::clone(&opened));
            async move {
                opened.put(sender.subscribe());
                let _ = sender.send(Change::Tools.into());
                opened.take().and_then(|mut changes| changes.try_recv().ok())
            }
        });
        assert_eq!(task.await.unwrap(), Some(Change::Tools.into()));
        assert!(opened.take().is_none());
    }

    #[tokio::test]
    async fn forgotten_receivers_do_not_pile_up() {
        let (sender, opened) = (broadcast::Sender::new(4), Opened::default());
        tokio::spawn(async move {
            for _ in 0..3 * WAITING {
                opened.put(sender.subscribe());
            }
            assert_eq!(sender.receiver_count(), WAITING);
        })
        .await
        .unwrap();
    }
}
