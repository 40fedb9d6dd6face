//! Clients that use everything, and know what each answer must be.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use http::StatusCode;
use reqwest::Response;
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::it::support::{Mcp, Server, SignIn, Stream, balancer::INSTANCE, call};

/// How long a client rests between two calls.
const REST: Duration = Duration::from_millis(800);
/// How often a call is tried that failed for a reason that may be.
const TRIES: usize = 5;
/// Sessions of one user.
const EACH: usize = 10;

/// So many sessions, each of which is used by a client of its own until the load is ended.
pub(crate) struct Load {
    clients: Vec<Mcp>,
    tasks: Vec<JoinHandle<()>>,
    stop: CancellationToken,
    tally: Arc<Tally>,
}

/// What the clients saw.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) calls: Mutex<Vec<Duration>>,
    pub(crate) failures: Mutex<Vec<Failure>>,
    /// How long it took until a client that lost its stream was told that its call is lost.
    pub(crate) told_lost: Mutex<Vec<Duration>>,
    /// What must not happen.
    pub(crate) wrong: Mutex<Vec<String>>,
}

/// A call that got no answer because the connection to its instance broke.
#[derive(Debug)]
pub(crate) struct Failure {
    /// `None` where the balancer does not say.
    pub(crate) instance: Option<usize>,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) what: String,
}

enum Outcome {
    Right,
    Lost { instance: Option<usize>, what: String },
    Wrong(String),
}

impl Load {
    /// Signs in and begins.
    pub(crate) async fn start(server: &Server, sessions: usize) -> Self {
        let mut clients = Vec::new();
        for user in 0..sessions / EACH {
            let tokens = SignIn::register(server).await.tokens(&format!("user-{user}")).await;
            for _ in 0..EACH {
                let mut client = Mcp::new(server);
                client.token = Some(tokens.access.clone());
                client.initialize(json!({ "sampling": {} })).await;
                clients.push(client);
            }
        }
        let (stop, tally) = (CancellationToken::new(), Arc::new(Tally::default()));
        let tasks = clients.iter().enumerate().map(|(number, client)| {
            let (mcp, tally, stop) = (client.clone(), Arc::clone(&tally), stop.clone());
            tokio::spawn(async move { Client { number, mcp, tally }.run(&stop).await })
        });
        let tasks = tasks.collect();
        Self { clients, tasks, stop, tally }
    }

    /// Ends it: every session is still there, is used once more and ended.
    pub(crate) async fn end(self) -> Arc<Tally> {
        self.stop.cancel();
        for task in self.tasks {
            task.await.unwrap();
        }
        let ends = self.clients.iter().map(async |client| {
            client.is_served().await;
            assert_eq!(client.delete().await.status, StatusCode::NO_CONTENT);
        });
        join_all(ends).await;
        self.tally
    }
}

struct Client {
    number: usize,
    mcp: Mcp,
    tally: Arc<Tally>,
}

impl Client {
    async fn run(self, stop: &CancellationToken) {
        for turn in 0.. {
            // Not all at the same time.
            let rest = REST * u32::try_from(1 + (self.number * 7 + turn * 3) % 5).unwrap() / 3;
            if stop.run_until_cancelled(tokio::time::sleep(rest)).await.is_none() {
                return;
            }
            self.turn(turn).await;
        }
    }

    async fn turn(&self, turn: usize) {
        for _ in 0..TRIES {
            let began = Instant::now();
            let outcome = match turn % 5 {
                0 => self.echo(turn).await,
                1 => self.add(turn).await,
                2 => self.operation().await,
                3 => self.sample(turn).await,
                _ => self.read(turn).await,
            };
            let ended = Instant::now();
            match outcome {
                Outcome::Right => {
                    self.tally.calls.lock().unwrap().push(ended - began);
                    return;
                }
                Outcome::Wrong(what) => {
                    self.tally.wrong.lock().unwrap().push(what);
                    return;
                }
                Outcome::Lost { instance, what } => {
                    let failure = Failure { instance, began, ended, what };
                    self.tally.failures.lock().unwrap().push(failure);
                }
            }
        }
        self.tally.wrong.lock().unwrap().push(format!("{TRIES} tries in a row failed"));
    }

    async fn echo(&self, turn: usize) -> Outcome {
        let message = format!("{} {turn}", self.number);
        let expected = format!("Echo: {message}");
        self.text(&call(1, "echo", &json!({ "message": message })), &expected).await
    }

    async fn add(&self, turn: usize) -> Outcome {
        let (a, b) = (self.number, turn);
        let expected = format!("The sum of {a} and {b} is {}.", a + b);
        self.text(&call(1, "add", &json!({ "a": a, "b": b })), &expected).await
    }

    async fn operation(&self) -> Outcome {
        let expected = "Long running operation completed. Duration: 0.3 seconds, Steps: 3.";
        let operation = json!({ "duration": 0.3, "steps": 3 });
        self.text(&call(1, "longRunningOperation", &operation), expected).await
    }

    async fn sample(&self, turn: usize) -> Outcome {
        let expected = format!("LLM sampling result: {turn}");
        self.text(&call(1, "sampleLLM", &json!({ "prompt": turn.to_string() })), &expected).await
    }

    async fn read(&self, turn: usize) -> Outcome {
        let number = 2 * (turn % 50) + 1;
        let uri = format!("test://static/resource/{number}");
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": uri }
        });
        let expected = format!("Resource {number}: This is a plaintext resource");
        self.answered(&message, |answer| answer["result"]["contents"][0]["text"] == *expected).await
    }

    async fn text(&self, message: &Value, expected: &str) -> Outcome {
        self.answered(message, |answer| answer["result"]["content"][0]["text"] == *expected).await
    }

    /// Sends it, answers what is asked meanwhile, and looks at the answer.
    async fn answered(&self, message: &Value, is_right: impl Fn(&Value) -> bool) -> Outcome {
        let response = self.mcp.send(message).await;
        let instance = instance(&response);
        let lost = |what: String| Outcome::Lost { instance, what };
        match response.status() {
            StatusCode::OK => {}
            StatusCode::BAD_GATEWAY => return lost("no answer".to_owned()),
            status => return Outcome::Wrong(format!("{message} was answered {status}")),
        }
        let judge = |answer: Value| {
            if is_right(&answer) {
                Outcome::Right
            } else {
                Outcome::Wrong(format!("{message} was answered {answer}"))
            }
        };
        if response.headers()["content-type"] == "application/json" {
            return match response.json().await {
                Ok(answer) => judge(answer),
                Err(error) => lost(error.to_string()),
            };
        }
        let mut stream = Stream::of(response);
        loop {
            match stream.try_next().await {
                Ok(Some(question)) if question["method"] == "sampling/createMessage" => {
                    if let Some(wrong) = self.reply(&question).await {
                        return wrong;
                    }
                }
                Ok(Some(told)) if told["method"].is_string() => {}
                Ok(Some(answer)) => return judge(answer),
                Ok(None) => return Outcome::Wrong(format!("{message} was never answered")),
                Err(error) => {
                    return match stream.last_id {
                        Some(id) => self.comes_back(message, instance, &id).await,
                        None => lost(error.to_string()),
                    };
                }
            }
        }
    }

    /// Answers a question with its own text; what went wrong.
    async fn reply(&self, asked: &Value) -> Option<Outcome> {
        let text = asked["params"]["messages"][0]["content"]["text"].as_str().unwrap();
        // "Resource sampleLLM context: 7"
        let text = text.rsplit(' ').next().unwrap();
        let content = json!({ "type": "text", "text": text });
        let result = json!({ "role": "assistant", "model": "m", "content": content });
        let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
        for _ in 0..TRIES {
            match self.mcp.send(&reply).await.status() {
                StatusCode::ACCEPTED => return None,
                // An answer may be given twice.
                StatusCode::BAD_GATEWAY => {}
                status => return Some(Outcome::Wrong(format!("an answer was answered {status}"))),
            }
        }
        Some(Outcome::Wrong("an answer could not be given".to_owned()))
    }

    /// The connection of a call broke. Its client comes back with the last event it saw, and is
    /// told that the call is lost.
    async fn comes_back(&self, message: &Value, at: Option<usize>, last: &str) -> Outcome {
        let broke = Instant::now();
        for _ in 0..TRIES {
            let response = self.mcp.get(Some(last)).await;
            match response.status() {
                StatusCode::OK => {}
                StatusCode::BAD_GATEWAY => continue,
                status => return Outcome::Wrong(format!("a resumption was answered {status}")),
            }
            let mut rest = Stream::of(response);
            loop {
                match rest.try_next().await {
                    Ok(Some(told)) if told["method"].is_string() => {}
                    Ok(Some(end)) if end["error"]["code"] == -32603 => {
                        self.tally.told_lost.lock().unwrap().push(broke.elapsed());
                        return Outcome::Lost { instance: at, what: "lost".to_owned() };
                    }
                    // The connection broke, and not the instance: it had the answer after all.
                    Ok(Some(end)) if end["result"].is_object() => return Outcome::Right,
                    Ok(other) => {
                        return Outcome::Wrong(format!("{message} was resumed with {other:?}"));
                    }
                    Err(_) => break,
                }
            }
        }
        Outcome::Wrong(format!("{message} could not be resumed"))
    }
}

fn instance(response: &Response) -> Option<usize> {
    response.headers().get(INSTANCE)?.to_str().unwrap().parse().ok()
}
