//! The channels of sessions, which are there for operators to see.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpStream},
    sync::mpsc,
    time::Duration,
};

use bytes::Bytes;
use mcp_everything_store::{
    Answer, Appended, Bus as _, CallEvent, CallId, Calls as _, NewCall, OpenedCall, RequestKey,
    SessionId, Sessions as _, Streams as _, SystemRandom, contract::redis_server::RedisServer,
    redis::keys,
};

use crate::support::{Instance, owner, session, until};

const BOUND: Duration = Duration::from_secs(10);

/// What `redis-cli PSUBSCRIBE "mcp:*"` shows: channels, and what rang them.
fn listen(server: &RedisServer) -> mpsc::Receiver<(String, String)> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    connection.write_all(b"PSUBSCRIBE mcp:*\r\n").unwrap();
    let (rings, heard) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(connection).lines().map_while(Result::ok);
        let mut words = lines.filter(|line| !line.starts_with(['*', '$', ':']));
        // What says that it is subscribed to, and to what.
        let _ = ready.send((words.next(), words.next()));
        while let (Some(_), Some(_), Some(channel), Some(about)) =
            (words.next(), words.next(), words.next(), words.next())
        {
            if rings.send((channel, about)).is_err() {
                return;
            }
        }
    });
    is_ready.recv_timeout(BOUND).unwrap();
    heard
}

#[tokio::test]
async fn each_rings_for_what_it_is_there_for() {
    let server = RedisServer::start();
    let one = Instance::start(&server.url()).await;
    let store = &one.store;
    let id = session(store).await.unwrap();
    let heard = listen(&server);
    let rings = |channel: String, about: String| {
        assert_eq!(heard.recv_timeout(BOUND).unwrap(), (channel, about));
    };

    let (call, request) = (CallId::random(&SystemRandom), RequestKey::number(7));
    let new = NewCall {
        id: call,
        request: Some(request.clone()),
        instance: one.id.clone(),
        age: Duration::ZERO,
        last_words: None,
    };
    assert_eq!(store.open_call(id, new).await, Ok(OpenedCall::Open));
    let event = CallEvent { seq: 1, data: Bytes::from_static(b"{}"), last: false };
    for _ in 0..2 {
        let appended = store.append(id, call, event.clone()).await;
        assert_eq!(appended, Ok(Appended::Kept { reader: None }));
    }
    rings(keys::to_client(id, Some(&request)), format!("{call}.1"));
    let answer = Answer { number: 3, data: Bytes::from_static(b"{}") };
    store.answer(id, call, answer).await.unwrap();
    rings(keys::to_server(id), format!("answer {call}-3"));
    store.cancel(id, &request).await.unwrap();
    rings(keys::to_server(id), "cancelled n7".to_owned());
    let last = CallEvent { seq: 2, data: Bytes::from_static(b"{}"), last: true };
    let _ = store.append(id, call, last).await.unwrap();
    rings(keys::to_client(id, Some(&request)), format!("{call}.2"));
    let _ = store.push(id, Bytes::from_static(b"{}")).await.unwrap();
    rings(keys::to_client(id, None), "s.1".to_owned());
    assert!(store.delete(id, &owner()).await.unwrap());
    rings(keys::control(id), "ended".to_owned());
    assert_eq!(heard.try_recv(), Err(mpsc::TryRecvError::Empty), "each once");
}

/// The channels that are subscribed to, and the connections there are.
fn seen(server: &RedisServer) -> (usize, usize) {
    let channels = server.ask(&["PUBSUB", "CHANNELS", "mcp:shttp:toserver:*"]).unwrap();
    let channels = channels.lines().next().unwrap()[1..].parse().unwrap();
    let connections = server.ask(&["CLIENT", "LIST"]).unwrap();
    (channels, connections.lines().filter(|line| line.starts_with("id=")).count())
}

#[tokio::test]
async fn they_show_what_is_served_on_as_few_connections_as_ever() {
    let server = RedisServer::start();
    let mut one = Instance::start(&server.url()).await;
    one.serves_again().await;
    // Commands, large commands, durable writes and bells; and whoever asks.
    let is = |channels| move |seen: &(usize, usize)| *seen == (channels, 5);
    until(async || seen(&server), is(0)).await;
    let ids: Vec<_> = (0..3000).map(|_| SessionId::random(&SystemRandom)).collect();
    let attended: Vec<_> = ids.iter().map(|id| one.bus.attend(*id)).collect();
    let again = one.bus.attend(ids[0]);
    until(async || seen(&server), is(3000)).await;
    for _ in 0..1000 {
        session(&one.store).await.unwrap();
    }
    server.ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap();
    one.misses().await;
    until(async || seen(&server), is(3000)).await;
    drop(attended);
    until(async || seen(&server), is(1)).await;
    drop(again);
    until(async || seen(&server), is(0)).await;
}
