//! Sessions: how fast they begin, what each costs, and what many of them do to calls.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::Plan;
use crate::{
    mcp::{Ask, Beginning, Wire, sessions},
    median::median,
    redis::Redis,
    report::{Report, Target},
    result::Result,
    subject::{Subject, bare},
    wrk,
};

const CONNECTIONS: usize = 16;
/// Sessions of one user: more than that no user may have.
const OF_ONE: usize = 10_000;
/// The users of the many.
const USERS: usize = 10;
const FEW: usize = 8;
/// Those that are begun before the idle ones are counted: the first few hundreds need what all share.
const FIRST: usize = 1_000;
/// How long an allocator may take to give back what was in use for a moment.
const SETTLE: Duration = Duration::from_secs(2);

pub(crate) async fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    creation(plan, report).await?;
    many(plan, report).await?;
    idle("an idle session, Redis", Target::AtMost(0.2), Subject::redis("idle").await?, report).await
}

/// Sessions begun in a second, beside bare rmcp.
async fn creation(plan: Plan, report: &mut Report) -> Result<()> {
    let bare = Subject::other("bare rmcp", bare()?).await?;
    let ours = Subject::memory("this server, memory").await?;
    let mut ratios = Vec::new();
    for round in 0..plan.rounds {
        let user = format!("creator-{round}");
        let bare = begun(&bare, &user).await?;
        ratios.push(begun(&ours, &user).await? / bare);
    }
    report.add("sessions begun/s, memory / bare rmcp", median(&ratios), "", Target::AtLeast(1.0));
    Ok(())
}

/// How many begin in a second.
async fn begun(subject: &Subject, user: &str) -> Result<f64> {
    // Fewer begin in it than one user may have.
    const TIME: Duration = Duration::from_millis(500);
    let token = subject.token(user).await?;
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for _ in 0..CONNECTIONS {
        let mut beginning = Beginning::open(subject.port, token.as_deref()).await?;
        tasks.spawn(async move {
            let mut count = 0.0;
            while began.elapsed() < TIME {
                beginning.session().await?;
                count += 1.0;
            }
            crate::result::Result::<f64>::Ok(count)
        });
    }
    let mut all = 0.0;
    while let Some(count) = tasks.join_next().await {
        all += count??;
    }
    Ok(all / began.elapsed().as_secs_f64())
}

/// Calls while a hundred thousand sessions live, beside calls while few do.
async fn many(plan: Plan, report: &mut Report) -> Result<()> {
    let few = Subject::memory("few").await?;
    let many = Subject::memory("many").await?;
    let token = few.token("bench").await?;
    let few_ask = Ask::echo(Wire::Stateful, few.port, token.as_deref());
    let few_ask = few_ask.within(sessions(few.port, token.as_deref(), FEW).await?);
    let before = many.usage()?.allocated;
    // All calls are one user's: a token goes with all requests of a run.
    let mut asks = Vec::new();
    for user in 0..USERS {
        let token = many.token(&format!("bench-{user}")).await?;
        let ask = Ask::echo(Wire::Stateful, many.port, token.as_deref());
        asks.push(ask.within(sessions(many.port, token.as_deref(), OF_ONE).await?));
    }
    sleep(SETTLE).await;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let each = (many.usage()?.allocated - before) / (USERS * OF_ONE) as f64 / 1e3;
    report.add("an idle session, memory", each, "KB", Target::AtMost(2.0));
    for ask in [&few_ask, &asks[0]] {
        wrk::run(ask, CONNECTIONS, 1).await?;
    }
    let mut ratios = Vec::new();
    for round in 0..plan.rounds {
        let few = wrk::run(&few_ask, CONNECTIONS, plan.seconds).await?.rate;
        ratios.push(wrk::run(&asks[round % USERS], CONNECTIONS, plan.seconds).await?.rate / few);
    }
    report.add("requests/s, 100,000 sessions / 8", median(&ratios), "", Target::AtLeast(0.95));
    Ok(())
}

/// What a session costs that nobody uses.
async fn idle(
    what: &'static str,
    target: Target,
    subject: Subject,
    report: &mut Report,
) -> Result<()> {
    let token = subject.token("idler").await?;
    sessions(subject.port, token.as_deref(), FIRST).await?;
    let usage = async || -> Result<(f64, f64)> {
        sleep(SETTLE).await;
        let redis = subject.redis.as_ref().map(Redis::usage).transpose()?;
        Ok((subject.usage()?.allocated, redis.map_or(0.0, |redis| redis.memory)))
    };
    let before = usage().await?;
    sessions(subject.port, token.as_deref(), OF_ONE - FIRST).await?;
    let after = usage().await?;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let count = (OF_ONE - FIRST) as f64;
    report.add(what, (after.0 - before.0) / count / 1e3, "KB", target);
    report.add("the same in Redis itself", (after.1 - before.1) / count / 1e3, "KB", Target::None);
    Ok(())
}
