//! Bells as they travel: a version, a word, and the names of what it is about. A bell that is rung in
//! the course of a trace that is kept has its place there before the word.

use bytes::Bytes;

use crate::{
    Bell, InstanceId, OwnerMark,
    oauth::SecretHash,
    redis::{
        notices::{Notice, Sender},
        recent::Ended,
    },
    spans::Place,
};

const VERSION: &[u8] = b"1";
/// What comes before a place in a trace.
const AT: &[u8] = b"1 at ";

/// What was published.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// What an instance publishes to itself, to see that its bells can be heard; when it did, in
    /// milliseconds of its own.
    Beat(u64),
    Bell(Bell, Option<Place>),
    /// Something has ended. Whoever is named wants to know that it was heard.
    Ended(Ended, Option<Sender>),
    /// A notice of this number was heard by that instance.
    Known(u64, InstanceId),
}

pub(super) fn beat(at: u64) -> String {
    format!("1 beat {at}")
}

pub(super) fn known(number: u64, by: &InstanceId) -> String {
    format!("1 known {number} {by}")
}

impl Notice<'_> {
    /// As it travels.
    pub(in crate::redis) fn payload(&self) -> String {
        let what = match &self.ended {
            Ended::Session(id) => format!("session {id}"),
            Ended::Token(name) => format!("token {name}"),
            Ended::Grant(grant) => format!("grant {grant}"),
        };
        match &self.sender {
            Some(Sender { instance, number }) => format!("1 over {what} {number} {instance}"),
            None => format!("1 over {what}"),
        }
    }
}

pub(super) fn write(bell: &Bell, at: Option<&Place>) -> Vec<u8> {
    let plain = plain(bell);
    let Some(at) = at.filter(|at| at.is_sampled()) else { return plain };
    [AT, at.to_string().as_bytes(), &plain[VERSION.len()..]].concat()
}

fn plain(bell: &Bell) -> Vec<u8> {
    match bell {
        Bell::CallNews(session, call) => format!("1 news {session} {call}"),
        Bell::Resumed(session, call) => format!("1 resumed {session} {call}"),
        Bell::CallGrew(session, call) => format!("1 grew {session} {call}"),
        Bell::StreamChanged(session) => format!("1 stream {session}"),
        Bell::Switched(session) => format!("1 switched {session}"),
        Bell::TaskNews(task) => format!("1 task {task}"),
        Bell::ElicitationSettled(id) => format!("1 elicitation {id}"),
        Bell::TaskChanged(task) => format!("1 taskchanged {task}"),
        Bell::Changed => "1 changed".to_owned(),
        Bell::Ended(session) => format!("1 ended {session}"),
        Bell::Revoked(grant) => format!("1 revoked {grant}"),
        Bell::Missed => "1 missed".to_owned(),
        Bell::Progressed(session, call, data) => {
            let mut payload = format!("1 progressed {session} {call} ").into_bytes();
            payload.extend_from_slice(data);
            return payload;
        }
        Bell::Looked => "1 looked".to_owned(),
        Bell::Watched(session, instance, owner, contents) => {
            let contents = if *contents { "contents" } else { "names" };
            format!("1 watched {session} {instance} {owner} {contents}")
        }
        Bell::Traced(session, instance, data) => {
            let mut payload = format!("1 traced {session} {instance} ").into_bytes();
            payload.extend_from_slice(data);
            return payload;
        }
    }
    .into_bytes()
}

/// `None` for what this version would not write.
pub(super) fn read(payload: &[u8]) -> Option<Heard> {
    let Some(placed) = payload.strip_prefix(AT) else { return read_plain(payload) };
    let end = placed.iter().position(|byte| *byte == b' ')?;
    let (at, rest) = placed.split_at(end);
    let at = Place::read(std::str::from_utf8(at).ok()?)?;
    match read_plain(&[VERSION, rest].concat())? {
        Heard::Bell(bell, _) => Some(Heard::Bell(bell, Some(at))),
        Heard::Beat(_) | Heard::Ended(..) | Heard::Known(..) => None,
    }
}

fn read_plain(payload: &[u8]) -> Option<Heard> {
    let words: Vec<&[u8]> = payload.splitn(5, |byte| *byte == b' ').collect();
    let bell = match words[..] {
        [VERSION, b"beat", at] => return name(at).map(Heard::Beat),
        [VERSION, b"known", number, by] => return Some(Heard::Known(name(number)?, name(by)?)),
        [VERSION, b"over", kind, what] => return Some(Heard::Ended(ended(kind, what)?, None)),
        [VERSION, b"over", kind, what, sender] => {
            let (number, instance) = str::from_utf8(sender).ok()?.split_once(' ')?;
            let (number, instance) = (number.parse().ok()?, instance.parse().ok()?);
            return Some(Heard::Ended(ended(kind, what)?, Some(Sender { instance, number })));
        }
        [VERSION, b"news", session, call] => Bell::CallNews(name(session)?, name(call)?),
        [VERSION, b"resumed", session, call] => Bell::Resumed(name(session)?, name(call)?),
        [VERSION, b"grew", session, call] => Bell::CallGrew(name(session)?, name(call)?),
        [VERSION, b"stream", session] => Bell::StreamChanged(name(session)?),
        [VERSION, b"switched", session] => Bell::Switched(name(session)?),
        [VERSION, b"task", task] => Bell::TaskNews(name(task)?),
        [VERSION, b"elicitation", id] => Bell::ElicitationSettled(name(id)?),
        [VERSION, b"taskchanged", task] => Bell::TaskChanged(name(task)?),
        [VERSION, b"changed"] => Bell::Changed,
        [VERSION, b"ended", session] => Bell::Ended(name(session)?),
        [VERSION, b"revoked", grant] => Bell::Revoked(name(grant)?),
        [VERSION, b"missed"] => Bell::Missed,
        [VERSION, b"progressed", session, call, data] => {
            Bell::Progressed(name(session)?, name(call)?, Bytes::copy_from_slice(data))
        }
        [VERSION, b"looked"] => Bell::Looked,
        [VERSION, b"watched", session, instance, rest] => {
            let (owner, contents) = watched(rest)?;
            Bell::Watched(name(session)?, name(instance)?, owner, contents)
        }
        [VERSION, b"traced", session, instance, data] => {
            Bell::Traced(name(session)?, name(instance)?, Bytes::copy_from_slice(data))
        }
        _ => return None,
    };
    Some(Heard::Bell(bell, None))
}

fn ended(kind: &[u8], what: &[u8]) -> Option<Ended> {
    Some(match kind {
        b"session" => Ended::Session(name(what)?),
        b"token" => Ended::Token(SecretHash::try_from(name::<String>(what)?).ok()?),
        b"grant" => Ended::Grant(name(what)?),
        _ => return None,
    })
}

/// Whose session is watched, and whether by somebody who may see what is in its messages.
fn watched(words: &[u8]) -> Option<(OwnerMark, bool)> {
    let mut words = words.split(|byte| *byte == b' ');
    let owner = name(words.next()?)?;
    let contents = match words.next()? {
        b"contents" => true,
        b"names" => false,
        _ => return None,
    };
    words.next().is_none().then_some((owner, contents))
}

fn name<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        CallId, ElicitationId, Owner, SessionId, TaskId, TestRandom, oauth::GrantId,
        redis::notices::Notices,
    };

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const SPAN: &str = "00f067aa0ba902b7";

    fn bells() -> Vec<Bell> {
        let random = TestRandom::seeded(1);
        let (session, call) = (SessionId::random(&random), CallId::random(&random));
        let instance = InstanceId::random("a", &random);
        vec![
            Bell::CallNews(session, call),
            Bell::Resumed(session, call),
            Bell::CallGrew(session, call),
            Bell::StreamChanged(session),
            Bell::Switched(session),
            Bell::TaskNews(TaskId::random(&random)),
            Bell::ElicitationSettled(ElicitationId::random(&random)),
            Bell::TaskChanged(TaskId::random(&random)),
            Bell::Changed,
            Bell::Ended(session),
            Bell::Revoked(GrantId::draw(&random)),
            Bell::Missed,
            Bell::Progressed(session, call, Bytes::from_static(b"{ \xff }")),
            Bell::Progressed(session, call, Bytes::new()),
            Bell::Looked,
            Bell::Watched(session, instance.clone(), OwnerMark::from(&Owner::anonymous()), true),
            Bell::Watched(session, instance.clone(), OwnerMark::from(&Owner::anonymous()), false),
            Bell::Traced(session, instance, Bytes::from_static(b"[ 1, 2 ]")),
        ]
    }

    #[test]
    fn what_is_written_reads_back() {
        for bell in bells() {
            assert_eq!(read(&write(&bell, None)), Some(Heard::Bell(bell.clone(), None)));
            let at = Place::remote(TRACE, SPAN, true, None).unwrap();
            assert_eq!(read(&write(&bell, Some(&at))), Some(Heard::Bell(bell.clone(), Some(at))));
            let unkept = Place::remote(TRACE, SPAN, false, None).unwrap();
            assert_eq!(write(&bell, Some(&unkept)), write(&bell, None), "nobody keeps the trace");
        }
        assert_eq!(read(beat(17).as_bytes()), Some(Heard::Beat(17)));
    }

    #[test]
    fn notices_read_back() {
        let random = TestRandom::seeded(1);
        let notices = Notices::default();
        let all = [
            Ended::Session(SessionId::random(&random)),
            Ended::Token(SecretHash::of("token")),
            Ended::Grant(GrantId::draw(&random)),
        ];
        for ended in all {
            let notice = notices.of(ended);
            assert_eq!(read(notice.payload().as_bytes()), Some(Heard::Ended(ended, None)));
        }
        let instance = InstanceId::random("test", &random);
        notices.listens(Some(instance.clone()));
        for (ended, number) in all.into_iter().zip(0..) {
            let notice = notices.of(ended);
            let sender = Some(Sender { instance: instance.clone(), number });
            assert_eq!(read(notice.payload().as_bytes()), Some(Heard::Ended(ended, sender)));
            let known = known(number, &instance);
            assert_eq!(read(known.as_bytes()), Some(Heard::Known(number, instance.clone())));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        for bell in bells() {
            let payload = write(&bell, None);
            if bell.carried().is_none() {
                assert_eq!(read(&[&payload[..], b" more"].concat()), None);
                assert_eq!(read(&payload[..payload.len() - 1]), None);
            }
            assert_eq!(read(&[b"2", &payload[1..]].concat()), None, "another version");
            assert_eq!(read(&[b" ", &payload[..]].concat()), None);
        }
        for payload in [
            &b""[..],
            b"1",
            b"1 ",
            b"1 beat",
            b"1 beat ",
            b"1 over session x",
            b"1 news a b",
            b"1 ended \xff",
            b"\xff",
        ] {
            assert_eq!(read(payload), None, "{payload:?}");
        }
        let placed = |at: &str, rest: &str| read(format!("1 at {at}{rest}").as_bytes());
        let good = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(placed(&good, " beat 17"), None, "a beat belongs to no trace");
        for (at, rest) in
            [(good.as_str(), ""), (&good[1..], " changed"), ("", " changed"), (&good, " 1 changed")]
        {
            assert_eq!(placed(at, rest), None, "{at}{rest}");
        }
    }
}
