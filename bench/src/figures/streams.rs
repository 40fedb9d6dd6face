//! Open streams and long calls: what each costs, and whether what is due comes in time.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::{
    http::{Connection, request},
    mcp::{Ask, Wire, headers, sessions},
    median::quantile,
    report::{Report, Target},
    result::Result,
    subject::Subject,
};

/// Streams that are open at a time: what the server and this program may have of descriptors.
const STREAMS: usize = 15_000;
/// Sessions of one user.
const OF_ONE: usize = 10_000;
const CALLS: usize = 1_000;
/// Those that run before a thousand more are counted: they need what all share.
const FIRST: usize = 100;
const STEPS: usize = 20;
const DURATION: Duration = Duration::from_secs(10);
/// Of those that are not measured, and run as long as others are.
const LONGER: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_secs(2);
/// Longer than it is until something is said to all.
const BOUND: Duration = Duration::from_secs(60);

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    open(report).await?;
    long(report).await
}

/// Standalone streams: the first log message that is said to all of them.
async fn open(report: &mut Report) -> Result<()> {
    let subject = Subject::memory("streams").await?;
    let before = subject.usage()?.allocated;
    let (heard, mut times_heard) = mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    let mut opened = 0;
    for user in 0..STREAMS.div_ceil(OF_ONE) {
        let token = subject.token(&format!("reader-{user}")).await?;
        let count = OF_ONE.min(STREAMS - opened);
        for session in sessions(subject.port, token.as_deref(), count).await? {
            let mut headers = headers(Wire::Stateful, token.as_deref());
            headers.push(("Mcp-Session-Id".to_owned(), session));
            let mut connection = Connection::open(subject.port).await?;
            let status =
                connection.begin(&request("GET", "/mcp", subject.port, &headers, "")).await?;
            if status != 200 {
                return Err(format!("stream {opened} got {status}").into());
            }
            opened += 1;
            let heard = heard.clone();
            tasks.spawn(async move {
                while let Ok(Some(chunk)) = connection.chunk().await {
                    let text = String::from_utf8_lossy(&chunk).into_owned();
                    // Said to every stream in the same moment, by one clock.
                    if text.contains("notifications/stderr") && heard.send(Instant::now()).is_err()
                    {
                        return;
                    }
                }
            });
        }
    }
    drop(heard);
    sleep(SETTLE).await;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = (subject.usage()?.allocated - before) / STREAMS as f64 / 1e3;
    report.add("an open idle stream with its session", each, "KB", Target::AtMost(20.0));
    let wave = async {
        let mut times: Vec<Instant> = Vec::with_capacity(STREAMS);
        while times.len() < STREAMS {
            let at = times_heard.recv().await?;
            // A wave that began before all streams were open is none.
            if times.last().is_some_and(|last| at.duration_since(*last) > Duration::from_secs(5)) {
                times.clear();
            }
            times.push(at);
        }
        Some(times)
    };
    let times = timeout(BOUND, wave).await?.ok_or("the streams ended")?;
    let first = times.iter().min().copied().ok_or("nobody was told")?;
    let last = times.iter().max().copied().ok_or("nobody was told")?;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let count = times.len() as f64;
    report.add("streams that were told", count, "", Target::AtLeast(15_000.0));
    let took = (last - first).as_secs_f64();
    report.add("from the first to the last of them", took, "s", Target::AtMost(1.0));
    tasks.abort_all();
    Ok(())
}

/// Long calls at the same time: what one more costs, and how late their progress is.
async fn long(report: &mut Report) -> Result<()> {
    let subject = Subject::memory("long calls").await?;
    let token = subject.token("patient").await?;
    let mut first = Running::begin(&subject, token.as_deref(), FIRST, LONGER).await?;
    sleep(SETTLE).await;
    let before = subject.usage()?.allocated;
    let mut calls = Running::begin(&subject, token.as_deref(), CALLS, DURATION).await?;
    sleep(SETTLE).await;
    let after = subject.usage()?.allocated;
    if !(first.run_still() && calls.run_still()) {
        return Err("a long call is over before it was measured".into());
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = (after - before) / CALLS as f64 / 1e3;
    report.add("a running call with its session", each, "KB", Target::AtMost(64.0));
    let late = quantile(&calls.over().await?, 0.99);
    report.add("progress of 1,000 calls, 99% late by", late, "ms", Target::AtMost(50.0));
    Ok(())
}

/// Calls that run, each on a connection and in a session of its own. They end with it.
struct Running(JoinSet<Result<Vec<f64>>>);

impl Running {
    /// Begins so many, and returns when all of them run.
    async fn begin(
        subject: &Subject,
        token: Option<&str>,
        count: usize,
        duration: Duration,
    ) -> Result<Self> {
        let arguments = json!({ "duration": duration.as_secs(), "steps": STEPS });
        let ask =
            Ask::call(Wire::Stateful, subject.port, token, "longRunningOperation", &arguments);
        let ask = ask.with("_meta", &json!({ "progressToken": 1 }))?;
        let ask = Arc::new(ask.within(sessions(subject.port, token, count).await?));
        // What is late for a thousand connections at once is no progress.
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(Connection::open(subject.port).await?);
        }
        let (mut calls, run) = (JoinSet::new(), Arc::new(Semaphore::new(0)));
        for (number, connection) in connections.into_iter().enumerate() {
            let (ask, run) = (Arc::clone(&ask), Arc::clone(&run));
            calls.spawn(progress(connection, ask, number, duration, run));
        }
        tokio::select! {
            all = run.acquire_many(u32::try_from(count)?) => all?.forget(),
            Some(ended) = calls.join_next() => {
                ended??;
                return Err("a long call is over at once".into());
            }
        }
        Ok(Self(calls))
    }

    /// Whether none of them is over.
    fn run_still(&mut self) -> bool {
        self.0.try_join_next().is_none()
    }

    /// How late each message of progress was, in milliseconds.
    async fn over(mut self) -> Result<Vec<f64>> {
        let mut late = Vec::new();
        while let Some(done) = self.0.join_next().await {
            late.extend(done??);
        }
        Ok(late)
    }
}

/// How late each message of progress of a call was. `run` has one more when it runs.
async fn progress(
    mut connection: Connection,
    ask: Arc<Ask>,
    number: usize,
    duration: Duration,
    run: Arc<Semaphore>,
) -> Result<Vec<f64>> {
    let began = Instant::now();
    connection.begin(&ask.bytes(number)).await?;
    run.add_permits(1);
    let mut late = Vec::with_capacity(STEPS);
    while let Some(chunk) = connection.chunk().await? {
        let text = String::from_utf8_lossy(&chunk).into_owned();
        if text.contains("notifications/progress") {
            let step = u32::try_from(late.len() + 1)?;
            let due = duration / u32::try_from(STEPS)? * step;
            late.push(began.elapsed().saturating_sub(due).as_secs_f64() * 1e3);
        }
    }
    if late.len() != STEPS {
        return Err(format!("{} steps of {STEPS}", late.len()).into());
    }
    Ok(late)
}
