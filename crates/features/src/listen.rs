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
    task,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{
    changes::{Change, Listener, Subscription},
    notifications::{RESOURCE_UPDATES, only_seems_to_change},
};

/// How many subscriptions wait for their listener at most. They wait for as long as it takes to send
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

/// Sends the changes that a listener hears of until the client leaves or the server is `going` down.
///
/// What happens while a slow client takes its time is collected and sent once. As on the older
/// revisions, resources listened to are announced as updated every ten seconds, but for those that
/// really change.
pub(crate) async fn run(
    context: &SubscriptionContext,
    mut changes: Listener,
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
                heard = changes.next() => {
                    for change in heard {
                        news.add(change, &everything);
                    }
                }
                _ = updates.tick(), if !seeming.is_empty() => {
                    news.resources.clone_from(&seeming);
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

/// Subscriptions to changes that were opened before the acknowledgement of a subscription and wait for its
/// listener.
///
/// rmcp asks for the filter, acknowledges and then calls the listener, with nothing in common but
/// the task they run in. One opened by the listener could miss what happens right after
/// the acknowledgement.
#[derive(Default)]
pub(crate) struct Opened(Mutex<VecDeque<(task::Id, Subscription)>>);

impl Opened {
    pub(crate) fn put(&self, changes: Subscription) {
        let Some(id) = task::try_id() else { return };
        let mut waiting = self.lock();
        if waiting.len() == WAITING {
            waiting.pop_front();
        }
        waiting.push_back((id, changes));
    }

    /// The one this task opened, unless too many were opened since.
    pub(crate) fn take(&self) -> Option<Subscription> {
        let id = task::try_id()?;
        let mut waiting = self.lock();
        let index = waiting.iter().rposition(|(owner, _)| *owner == id)?;
        waiting.remove(index).map(|(_, changes)| changes)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(task::Id, Subscription)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Changes as _, LocalChanges, User};

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
    async fn a_subscription_waits_for_the_task_that_opened_it() {
        let (changes, opened) = (LocalChanges::new(), std::sync::Arc::new(Opened::default()));
        let task = tokio::spawn({
            let opened = std::sync::Arc::clone(&opened);
            async move {
                opened.put(changes.subscribe());
                changes.tell(Change::Tools);
                opened.take().unwrap().of(&User::default()).next().await
            }
        });
        assert_eq!(task.await.unwrap(), BTreeSet::from([Change::Tools]));
        assert!(opened.take().is_none());
    }

    #[tokio::test]
    async fn forgotten_subscriptions_do_not_pile_up() {
        let (changes, opened) = (LocalChanges::new(), Opened::default());
        tokio::spawn(async move {
            for _ in 0..3 * WAITING {
                opened.put(changes.subscribe());
            }
            assert_eq!(changes.inboxes(), WAITING);
        })
        .await
        .unwrap();
    }
}
