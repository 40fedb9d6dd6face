//! Short calls: requests a second, on both wires, beside the others.

use super::Plan;
use crate::{
    http::Connection,
    mcp::{Ask, Wire, sessions},
    median::median,
    report::{Report, Target},
    result::Result,
    subject::Subject,
    wrk::{self, Run},
};

const CONNECTIONS: usize = 16;
/// Sessions that the calls take turns in.
const SESSIONS: usize = 8;
const ALONE: usize = 500;

struct Contender {
    name: String,
    ask: Ask,
    runs: Vec<Run>,
}

pub(crate) async fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let subjects = [
        Subject::other("axum, no protocol", "floor").await?,
        Subject::other("bare rmcp", "bare").await?,
        Subject::memory("this server, memory").await?,
        Subject::redis("this server, Redis").await?,
    ];
    let mut contenders = Vec::new();
    for subject in &subjects {
        let token = subject.token("bench").await?;
        for wire in [Wire::Stateful, Wire::Stateless] {
            let floor = subject.name == "axum, no protocol";
            if floor && wire == Wire::Stateless {
                continue;
            }
            let mut ask = Ask::echo(wire, subject.port, token.as_deref());
            if wire == Wire::Stateful && !floor {
                ask = ask.within(sessions(subject.port, token.as_deref(), SESSIONS).await?);
            }
            ask.is_answered().await?;
            let wire = match wire {
                Wire::Stateful if floor => "",
                Wire::Stateful => ", 2025-11-25",
                Wire::Stateless => ", 2026-07-28",
            };
            let name = format!("{}{wire}", subject.name);
            contenders.push(Contender { name, ask, runs: Vec::new() });
        }
    }
    // The first seconds of a process are its own.
    for contender in &contenders {
        wrk::run(&contender.ask, CONNECTIONS, 1).await?;
    }
    for _ in 0..plan.rounds {
        for contender in &mut contenders {
            contender.runs.push(wrk::run(&contender.ask, CONNECTIONS, plan.seconds).await?);
        }
    }
    for contender in &contenders {
        report.rate(&contender.name, median(&all(contender, |run| run.rate)));
    }
    let [floor, bare, bare_stateless, memory, memory_stateless, redis, redis_stateless] =
        &contenders[..]
    else {
        return Err("a subject is missing".into());
    };
    let rate = |run: &Run| run.rate;
    let p99 = |run: &Run| run.p99;
    let mut ratio = |what, one, other, of: fn(&Run) -> f64, target| {
        report.add(what, against(one, other, of), "", target);
    };
    ratio("requests/s in sessions, memory / bare rmcp", memory, bare, rate, Target::AtLeast(1.1));
    ratio("99% of answers within, memory / bare rmcp", memory, bare, p99, Target::AtMost(1.0));
    ratio("requests/s in sessions, Redis / memory", redis, memory, rate, Target::AtLeast(0.85));
    ratio(
        "requests/s on 2026-07-28, memory / bare rmcp",
        memory_stateless,
        bare_stateless,
        rate,
        Target::AtLeast(1.25),
    );
    ratio(
        "requests/s on 2026-07-28, Redis / memory",
        redis_stateless,
        memory_stateless,
        rate,
        Target::None,
    );
    ratio("requests/s in sessions, memory / axum", memory, floor, rate, Target::AtLeast(0.3));
    ratio(
        "requests/s on 2026-07-28, memory / axum",
        memory_stateless,
        floor,
        rate,
        Target::AtLeast(0.3),
    );
    for (what, contender) in [
        ("Redis round trips a call in a session", redis),
        ("Redis round trips a call on 2026-07-28", redis_stateless),
    ] {
        let trips = round_trips(&subjects[3], &contender.ask).await?;
        report.add(what, trips, "", Target::AtMost(1.0));
    }
    Ok(())
}

/// The median of the ratios of rounds.
fn against(one: &Contender, other: &Contender, of: fn(&Run) -> f64) -> f64 {
    let ratios = one.runs.iter().zip(&other.runs).map(|(one, other)| of(one) / of(other));
    median(&ratios.collect::<Vec<_>>())
}

fn all(contender: &Contender, of: fn(&Run) -> f64) -> Vec<f64> {
    contender.runs.iter().map(of).collect()
}

/// How often Redis reads from a connection for each call, one call after the other, so that no
/// two share a trip. What it reads of an instance that rests is taken off.
async fn round_trips(subject: &Subject, ask: &Ask) -> Result<f64> {
    let redis = subject.redis.as_ref().ok_or("it has no Redis")?;
    let reads = async || redis.info("total_reads_processed").await;
    let mut connection = Connection::open(ask.port).await?;
    let request = ask.bytes(0);
    connection.ask(&request).await?;
    let (began, before) = (tokio::time::Instant::now(), reads().await?);
    for _ in 0..ALONE {
        connection.ask(&request).await?;
    }
    let (took, after) = (began.elapsed(), reads().await?);
    tokio::time::sleep(took).await;
    let rested = reads().await? - after;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let calls = ALONE as f64;
    Ok(((after - before - rested) / calls).max(0.0))
}
