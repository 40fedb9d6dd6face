//! Short calls: requests a second, on both wires, beside the others.

use super::Plan;
use crate::{
    http::Connection,
    mcp::{Ask, Wire, sessions},
    median::median,
    report::{Report, Target},
    result::Result,
    subject::{Subject, bare, floor},
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
        Subject::other("axum, no protocol", floor()?).await?,
        Subject::other("bare rmcp", bare()?).await?,
        Subject::memory("this server, memory").await?,
        Subject::redis("this server, Redis").await?,
        Subject::system_allocator("this server, memory, system's allocator").await?,
    ];
    let mut contenders = contenders(&subjects).await?;
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
    compare(&contenders, report)?;
    let of_redis = contenders.iter().filter(|one| one.name.contains("Redis"));
    let trips = ["Redis round trips a call in a session", "Redis round trips a call on 2026-07-28"];
    for (what, contender) in trips.into_iter().zip(of_redis) {
        let trips = round_trips(&subjects[3], &contender.ask).await?;
        report.add(what, trips, "", Target::AtMost(1.0));
    }
    Ok(())
}

/// Each of them on each wire.
async fn contenders(subjects: &[Subject]) -> Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    for subject in subjects {
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
    Ok(contenders)
}

/// What it is called, what is compared with what, by which number, and what it should be.
type Comparison<'a> = (&'static str, &'a Contender, &'a Contender, fn(&Run) -> f64, Target);

fn compare(contenders: &[Contender], report: &mut Report) -> Result<()> {
    let [floor, bare, bare_new, memory, memory_new, redis, redis_new, malloc, malloc_new] =
        contenders
    else {
        return Err("a subject is missing".into());
    };
    let rate = |run: &Run| run.rate;
    let p99 = |run: &Run| run.p99;
    let least = Target::AtLeast;
    let comparisons: [Comparison<'_>; 10] = [
        ("requests/s in sessions, memory / bare rmcp", memory, bare, rate, least(1.1)),
        ("99% of answers within, memory / bare rmcp", memory, bare, p99, Target::AtMost(1.0)),
        ("requests/s in sessions, Redis / memory", redis, memory, rate, least(0.85)),
        ("requests/s on 2026-07-28, memory / bare rmcp", memory_new, bare_new, rate, least(1.25)),
        ("99% within on 2026-07-28, memory / bare rmcp", memory_new, bare_new, p99, Target::None),
        ("requests/s on 2026-07-28, Redis / memory", redis_new, memory_new, rate, Target::None),
        ("requests/s in sessions, memory / axum", memory, floor, rate, least(0.3)),
        ("requests/s on 2026-07-28, memory / axum", memory_new, floor, rate, least(0.3)),
        ("in sessions, system's allocator / mimalloc", malloc, memory, rate, Target::None),
        (
            "on 2026-07-28, system's allocator / mimalloc",
            malloc_new,
            memory_new,
            rate,
            Target::None,
        ),
    ];
    for (what, one, other, of, target) in comparisons {
        report.add(what, against(one, other, of), "", target);
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
