//! HTTP with SSE beside Streamable HTTP, by a client of this program: it answers on another
//! connection than it is asked on, which wrk cannot follow.

use std::time::Duration;

use tokio::{task::JoinSet, time::Instant};

use super::Plan;
use crate::{
    http::Connection,
    http_sse::HttpSse,
    mcp::{Ask, Wire, sessions},
    median::median,
    report::{Report, Target},
    result::Result,
    subject::Subject,
};

const CLIENTS: usize = 16;

pub(crate) async fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let memory = Subject::memory("memory").await?;
    let redis = Subject::redis("Redis").await?;
    let mut rates = [const { Vec::new() }; 3];
    for _ in 0..plan.rounds {
        rates[0].push(streamable(&memory, plan.seconds).await?);
        rates[1].push(http_sse(&memory, plan.seconds).await?);
        rates[2].push(http_sse(&redis, plan.seconds).await?);
    }
    let [streamable, memory, redis] = rates;
    let ratio = |one: &[f64], other: &[f64]| {
        median(&one.iter().zip(other).map(|(one, other)| one / other).collect::<Vec<_>>())
    };
    report.add(
        "requests/s, HTTP with SSE / Streamable HTTP, memory",
        ratio(&memory, &streamable),
        "",
        Target::None,
    );
    report.add(
        "requests/s, HTTP with SSE, Redis / memory",
        ratio(&redis, &memory),
        "",
        Target::None,
    );
    Ok(())
}

enum Client {
    Streamable(Connection, Vec<u8>),
    HttpSse(HttpSse),
}

impl Client {
    async fn ask(&mut self) -> Result<()> {
        match self {
            Self::Streamable(connection, request) => {
                let answer = connection.ask(request).await?;
                if answer.status == 200 { Ok(()) } else { Err(answer.body.into()) }
            }
            Self::HttpSse(client) => client.ask().await,
        }
    }
}

async fn streamable(subject: &Subject, seconds: u32) -> Result<f64> {
    let token = subject.token("bench").await?;
    let ask = Ask::echo(Wire::Stateful, subject.port, token.as_deref());
    let ask = ask.within(sessions(subject.port, token.as_deref(), CLIENTS).await?);
    let mut clients = Vec::new();
    for client in 0..CLIENTS {
        clients.push(Client::Streamable(Connection::open(ask.port).await?, ask.bytes(client)));
    }
    rate(clients, seconds).await
}

async fn http_sse(subject: &Subject, seconds: u32) -> Result<f64> {
    let token = subject.token("bench").await?;
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::HttpSse(HttpSse::open(subject.port, token.as_deref()).await?));
    }
    rate(clients, seconds).await
}

/// Answers in a second, where each client asks again as soon as it is answered.
async fn rate(clients: Vec<Client>, seconds: u32) -> Result<f64> {
    let time = Duration::from_secs(seconds.into());
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for mut client in clients {
        tasks.spawn(async move {
            let mut count = 0.0;
            while began.elapsed() < time {
                client.ask().await?;
                count += 1.0;
            }
            Result::<f64>::Ok(count)
        });
    }
    let mut all = 0.0;
    while let Some(count) = tasks.join_next().await {
        all += count??;
    }
    Ok(all / began.elapsed().as_secs_f64())
}
