//! The page for operators lists every key and every channel.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use mcp_everything_store::{
    CallEvent, CallId, Calls as _, Change, ChangeLog as _, ElicitationId, Elicitations as _,
    InstanceId, NewCall, NewElicitation, NewTask, OpenedCall, Rate, RateKey, Rates as _,
    Reports as _, RequestKey, SessionId, Sessions as _, ShelfItem, Shelves as _, Streams as _,
    SystemRandom, TaskId, Tasks as _, Timestamp, User, contract::redis_server::RedisServer,
    redis::keys,
};

use crate::support::{Instance, owner, session};

pub(crate) const PAGE: &str = include_str!("../../../../docs/storage.md");
const KEYS: &str = include_str!("../../src/redis/keys.rs");

/// The first two cells of each row of the page's sections of these names: a name, and what is said
/// of it.
fn rows(sections: &[&str]) -> BTreeSet<(String, String)> {
    let listed = PAGE
        .split("\n## ")
        .filter(|section| sections.iter().any(|name| section.lines().next() == Some(name)));
    let cells = listed.flat_map(str::lines).filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        Some((cells.next()?.strip_suffix('`')?.to_owned(), cells.next()?.to_owned()))
    });
    cells.collect()
}

/// Names, in which what they are about has taken the place of what stands for it.
struct Names {
    session: SessionId,
    call: CallId,
    instance: InstanceId,
    request: RequestKey,
    task: TaskId,
    elicitation: ElicitationId,
}

impl Names {
    fn pattern(&self, name: &str) -> String {
        let Self { session, call, instance, request, task, elicitation } = self;
        let user = keys::sessions_of(&owner());
        name.replace(&session.to_string(), "{sessionId}")
            .replace(&call.to_string(), "{call}")
            .replace(&task.to_string(), "{taskId}")
            .replace(&elicitation.to_string(), "{elicitationId}")
            .replace(instance.as_str(), "{instance}")
            .replace(&format!(":{request}"), ":{request}")
            .replace(user.trim_start_matches("sessions:"), "{user}")
            .replace(&rate_key().to_string(), "{limit}:{hash}")
    }

    /// Every key that `keys.rs` has, by the name it has there.
    fn keys(&self) -> Vec<(&'static str, String)> {
        let Self { session, call, instance, task, elicitation, .. } = self;
        vec![
            ("rate", keys::rate(&rate_key())),
            ("owner", keys::owner(*session)),
            ("state", keys::state(*session)),
            ("subscriptions", keys::subscriptions(*session)),
            ("stream", keys::stream(*session)),
            ("running", keys::running(*session)),
            ("ended", keys::ended(*session)),
            ("cancelled", keys::cancelled(*session)),
            ("call", keys::call(*session, *call)),
            ("log", keys::log(*session, *call)),
            ("sessions_of", keys::sessions_of(&owner())),
            ("task", keys::task(*task)),
            ("tasks_of", keys::tasks_of(&owner())),
            ("shelf", keys::shelf(&User::from(&owner()))),
            ("elicitation", keys::elicitation(*elicitation)),
            ("elicitations_of", keys::elicitations_of(&owner())),
            ("instance", keys::instance(instance)),
            ("CHANGES", keys::CHANGES.to_owned()),
            ("REPORTS", keys::REPORTS.to_owned()),
            ("report", keys::report(instance)),
        ]
    }

    /// Every channel, likewise.
    fn channels(&self) -> Vec<(&'static str, String)> {
        let Self { session, instance, request, .. } = self;
        vec![
            ("instance", keys::instance(instance)),
            ("BUS", keys::BUS.to_owned()),
            ("to_server", keys::to_server(*session)),
            ("to_client", keys::to_client(*session, Some(request))),
            ("to_client", keys::to_client(*session, None)),
            ("control", keys::control(*session)),
        ]
    }

    fn patterns(&self, names: &[(&str, String)]) -> BTreeSet<String> {
        names.iter().map(|(_, name)| self.pattern(name)).collect()
    }
}

fn rate_key() -> RateKey {
    RateKey::new("test", &["alice"])
}

fn names() -> Names {
    Names {
        session: SessionId::random(&SystemRandom),
        call: CallId::random(&SystemRandom),
        instance: InstanceId::random("test", &SystemRandom),
        request: RequestKey::number(7),
        task: TaskId::random(&SystemRandom),
        elicitation: ElicitationId::random(&SystemRandom),
    }
}

#[test]
fn the_page_lists_what_the_code_has_and_nothing_else() {
    let names = names();
    let listed = |rows: BTreeSet<(String, String)>| -> BTreeSet<String> {
        rows.into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(
        listed(rows(&["Sessions", "Tasks", "Shelves", "Elicitations", "Rates", "Instances"])),
        names.patterns(&names.keys())
    );
    assert_eq!(listed(rows(&["Channels"])), names.patterns(&names.channels()));

    let public = KEYS.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ")?;
        line.strip_prefix("fn ").or(line.strip_prefix("const "))
    });
    let public: BTreeSet<_> =
        public.map(|line| line.split(['(', ':']).next().unwrap_or_default()).collect();
    let asked = [names.keys(), names.channels()].concat();
    assert_eq!(public, asked.iter().map(|(name, _)| *name).collect());
}

#[tokio::test]
async fn the_page_says_what_kind_each_key_is() {
    let server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    one.serves_again().await;
    server.ask(&["FLUSHALL"]).unwrap();
    let store = &one.store;
    let id = session(store).await.unwrap();
    let _ = store.subscribe(id, "test://static/resource/1").await.unwrap();
    let _ = store.push(id, Bytes::from_static(b"{}")).await.unwrap();
    let names = Names { session: id, instance: one.id.clone(), ..names() };
    let ended = CallId::random(&SystemRandom);
    for call in [names.call, ended] {
        let new = NewCall {
            id: call,
            request: Some(names.request.clone()),
            instance: one.id.clone(),
            age: Duration::ZERO,
            last_words: None,
        };
        assert_eq!(store.open_call(id, new).await, Ok(OpenedCall::Open));
        let event = CallEvent { seq: 1, data: Bytes::from_static(b"{}"), last: call == ended };
        let _ = store.append(id, call, event).await.unwrap();
    }
    store.cancel(id, &RequestKey::number(8)).await.unwrap();
    store.record(&Change::Tools.into()).await.unwrap();
    one.rates.take(&rate_key(), Rate::new(1, Duration::from_secs(9)).unwrap(), 1).await.unwrap();
    let task = NewTask {
        id: names.task,
        owner: owner(),
        instance: one.id.clone(),
        at: Timestamp::from_millis(1),
        life: Duration::from_secs(60),
    };
    store.begin_task(task).await.unwrap();
    let item = ShelfItem { data: Bytes::from_static(b"x"), at: Timestamp::from_millis(1) };
    store.put_on_shelf(&User::from(&owner()), "a", item).await.unwrap();
    let elicitation = NewElicitation {
        id: names.elicitation,
        owner: owner(),
        message: "?".to_owned(),
        session: Some(id),
        purpose: Some("x".to_owned()),
        at: Timestamp::from_millis(1),
        life: Duration::from_secs(60),
    };
    store.begin_elicitation(elicitation).await.unwrap();
    let said = Bytes::from_static(b"{}");
    store.report(&one.id, said, Duration::from_secs(60)).await.unwrap();
    one.knows(&one.id, true).await;

    let kinds = r"
        local answer = {}
        for _, key in ipairs(redis.call('KEYS', '*')) do
          table.insert(answer, key .. ' ' .. redis.call('TYPE', key).ok)
        end
        return answer";
    let answer = server.ask(&["EVAL", kinds, "0"]).unwrap();
    let found = answer.lines().filter_map(|line| line.rsplit_once(' ')).map(|(key, kind)| {
        let key = names.pattern(&key.replace(&ended.to_string(), "{call}"));
        (key, if kind == "zset" { "sorted set".to_owned() } else { kind.to_owned() })
    });
    assert_eq!(
        found.collect::<BTreeSet<_>>(),
        rows(&["Sessions", "Tasks", "Shelves", "Elicitations", "Rates", "Instances"])
    );
}
