//! What each thing that clients do costs an instance and Redis: what docs/scaling.md counts with.

use std::{future::Future, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    http::{Connection, request},
    http_sse::HttpSse,
    mcp::{Ask, Beginning, Wire, headers, sessions},
    report::{Cost, Report},
    result::Result,
    subject::Subject,
};

/// Clients that do it at the same time.
const CLIENTS: usize = 16;
const CALLS: usize = 4_000;
const SESSIONS: usize = 1_600;
const LONG: usize = 320;
/// Its first steps are its start: what one more costs is what is asked for.
const STEPS: usize = 40;
const TASKS: usize = 160;
/// A task is asked about until it has ended, as a client would.
const POLL: Duration = Duration::from_millis(500);

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let subject = Subject::redis("costs").await?;
    let token = subject.token("bench").await?;
    let place = Place { port: subject.port, token: token.map(Arc::from) };
    for wire in [Wire::Stateful, Wire::Stateless] {
        let what = match wire {
            Wire::Stateful => "a short call in a session",
            Wire::Stateless => "a short call on 2026-07-28",
        };
        report
            .cost(clients(&subject, what, CALLS, |count| calls(place.clone(), wire, count)).await?);
    }
    report.cost(
        clients(&subject, "a short call over HTTP with SSE", CALLS, |count| {
            http_sse(place.clone(), count)
        })
        .await?,
    );
    report.cost(
        clients(&subject, "a session that begins and ends", SESSIONS, |count| {
            whole_sessions(place.clone(), count)
        })
        .await?,
    );
    report.cost(
        clients(&subject, "a stream that is opened and left", SESSIONS, |count| {
            streams(place.clone(), count)
        })
        .await?,
    );
    report.cost(
        clients(&subject, "a call with 40 messages of progress", LONG, |count| {
            long(place.clone(), count)
        })
        .await?,
    );
    report.cost(clients(&subject, "a task", TASKS, |count| tasks(place.clone(), count)).await?);
    Ok(())
}

#[derive(Clone)]
struct Place {
    port: u16,
    token: Option<Arc<str>>,
}

/// Has all clients do their share, and says what each time cost.
async fn clients<D, F>(subject: &Subject, what: &'static str, count: usize, does: D) -> Result<Cost>
where
    D: Fn(usize) -> F,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let redis = subject.redis.as_ref().ok_or("it has no Redis")?;
    let before = (subject.usage()?, redis.counts().await?);
    let mut all = JoinSet::new();
    for _ in 0..CLIENTS {
        all.spawn(does(count / CLIENTS));
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    let after = (subject.usage()?, redis.counts().await?);
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = |before: f64, after: f64| (after - before) / count as f64;
    Ok(Cost {
        what,
        cpu: each(before.0.cpu, after.0.cpu) * 1e6,
        redis_cpu: each(before.1.cpu, after.1.cpu) * 1e6,
        commands: each(before.1.commands, after.1.commands),
        memory: each(before.1.memory, after.1.memory) / 1e3,
    })
}

async fn calls(place: Place, wire: Wire, count: usize) -> Result<()> {
    let mut ask = Ask::echo(wire, place.port, place.token.as_deref());
    if wire == Wire::Stateful {
        ask = ask.within(sessions(place.port, place.token.as_deref(), 1).await?);
    }
    let (mut connection, request) = (Connection::open(place.port).await?, ask.bytes(0));
    for _ in 0..count {
        let answer = connection.ask(&request).await?;
        if answer.status != 200 {
            return Err(answer.body.into());
        }
    }
    Ok(())
}

async fn http_sse(place: Place, count: usize) -> Result<()> {
    let mut client = HttpSse::open(place.port, place.token.as_deref()).await?;
    for _ in 0..count {
        client.ask().await?;
    }
    Ok(())
}

async fn whole_sessions(place: Place, count: usize) -> Result<()> {
    let mut beginning = Beginning::open(place.port, place.token.as_deref()).await?;
    let mut connection = Connection::open(place.port).await?;
    for _ in 0..count {
        let mut headers = headers(Wire::Stateful, place.token.as_deref());
        headers.push(("Mcp-Session-Id".to_owned(), beginning.session().await?));
        let end = request("DELETE", "/mcp", place.port, &headers, "");
        let answer = connection.ask(&end).await?;
        if answer.status != 204 {
            return Err(answer.body.into());
        }
    }
    Ok(())
}

async fn streams(place: Place, count: usize) -> Result<()> {
    let session = sessions(place.port, place.token.as_deref(), 1).await?.remove(0);
    let mut headers = headers(Wire::Stateful, place.token.as_deref());
    headers.push(("Mcp-Session-Id".to_owned(), session));
    let open = request("GET", "/mcp", place.port, &headers, "");
    for _ in 0..count {
        let status = Connection::open(place.port).await?.begin(&open).await?;
        if status != 200 {
            return Err(format!("GET: {status}").into());
        }
    }
    Ok(())
}

async fn long(place: Place, count: usize) -> Result<()> {
    let arguments = json!({ "duration": 1, "steps": STEPS });
    let (port, token) = (place.port, place.token.as_deref());
    let ask = Ask::call(Wire::Stateful, port, token, "longRunningOperation", &arguments);
    let ask = ask.with("_meta", &json!({ "progressToken": 1 }))?;
    let ask = ask.within(sessions(port, token, 1).await?);
    let mut connection = Connection::open(port).await?;
    for _ in 0..count {
        let answer = connection.ask(&ask.bytes(0)).await?;
        let told = answer.body.matches("notifications/progress").count();
        if told != STEPS {
            return Err(format!("{told} steps of {STEPS}: {}", answer.body).into());
        }
    }
    Ok(())
}

async fn tasks(place: Place, count: usize) -> Result<()> {
    let (port, token) = (place.port, place.token.as_deref());
    let ask = Ask::call(
        Wire::Stateful,
        port,
        token,
        "simulateResearchQuery",
        &json!({ "topic": "bees" }),
    );
    let ask = ask.with("task", &json!({}))?.within(sessions(port, token, 1).await?);
    let mut connection = Connection::open(port).await?;
    for _ in 0..count {
        let begun: Value = serde_json::from_str(&connection.ask(&ask.bytes(0)).await?.body)?;
        let task = begun["result"]["task"]["taskId"].as_str();
        let task = task.ok_or_else(|| format!("no task: {begun}"))?;
        let get = ask.clone().about("tasks/get", &json!({ "taskId": task }));
        loop {
            sleep(POLL).await;
            let got: Value = serde_json::from_str(&connection.ask(&get.bytes(0)).await?.body)?;
            match got["result"]["status"].as_str() {
                Some("working") => {}
                Some("completed") => break,
                _ => return Err(got.to_string().into()),
            }
        }
    }
    Ok(())
}
