//! Instances behind a balancer, each request to another one, beside one alone: what a request costs.

use std::thread::available_parallelism;

use super::Plan;
use crate::{
    mcp::{Ask, Wire, sessions},
    median::median,
    report::{Report, Target},
    result::Result,
    subject::Subject,
    wrk,
};

const CONNECTIONS: usize = 16;
const SESSIONS: usize = 8;

/// What is measured, one after the other.
struct Deployed {
    subject: Subject,
    ask: Ask,
    /// Requests answered in a second, in each round.
    rates: Vec<f64>,
    /// Those that a second of the instances' processor time answered.
    costs: Vec<f64>,
}

impl Deployed {
    async fn start(name: &'static str, count: usize, threads: usize) -> Result<Self> {
        let subject = Subject::behind_haproxy(name, count, threads).await?;
        let token = subject.token("bench").await?;
        let ask = Ask::echo(Wire::Stateful, subject.port, token.as_deref());
        let ask = ask.within(sessions(subject.port, token.as_deref(), SESSIONS).await?);
        ask.is_answered().await?;
        wrk::run(&ask, CONNECTIONS, 1).await?;
        Ok(Self { subject, ask, rates: Vec::new(), costs: Vec::new() })
    }

    async fn measure(&mut self, plan: Plan) -> Result<()> {
        let before = self.subject.usage()?.cpu;
        let run = wrk::run(&self.ask, CONNECTIONS, plan.seconds).await?;
        self.rates.push(run.rate);
        self.costs.push(run.requests / (self.subject.usage()?.cpu - before));
        Ok(())
    }

    fn against(&self, other: &Self) -> f64 {
        let ratios = self.costs.iter().zip(&other.costs).map(|(one, other)| one / other);
        median(&ratios.collect::<Vec<_>>())
    }
}

pub(crate) async fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let cores = available_parallelism()?.get();
    let share = |instances: usize| (cores / instances).max(1);
    // Each instance has the threads that are its share of the cores, and then as many as there are.
    let one = Deployed::start("one instance behind HAProxy", 1, cores).await?;
    let two = Deployed::start("two that share the cores, behind HAProxy", 2, share(2)).await?;
    let three = Deployed::start("three that share the cores, behind HAProxy", 3, share(3)).await?;
    let full =
        Deployed::start("three with a thread for each core, behind HAProxy", 3, cores).await?;
    let single = Deployed::start("one with one thread, behind HAProxy", 1, 1).await?;
    let mut all = [one, two, three, full, single];
    for _ in 0..plan.rounds {
        for deployed in &mut all {
            deployed.measure(plan).await?;
        }
    }
    for deployed in &all {
        report.rate(deployed.subject.name, median(&deployed.rates));
    }
    let [one, two, three, full, single] = &all;
    let mut add = |what, figure, target| report.add(what, figure, "", target);
    add("requests a CPU-second, two that share the cores / one", two.against(one), Target::None);
    let shared = "requests a CPU-second, three that share the cores / one";
    add(shared, three.against(one), Target::AtLeast(0.9));
    add("the same, three with a thread for each core / one", full.against(one), Target::None);
    add("the same, three with one thread / one with one", three.against(single), Target::None);
    add("the same, one with one thread / one", single.against(one), Target::None);
    report.add("CPU for a call, one with Redis", 1e6 / median(&one.costs), "µs", Target::None);
    Ok(())
}
