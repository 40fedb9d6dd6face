//! Three instances, each request to another one, beside one: what a request costs.

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

pub(crate) async fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let mut subjects = Vec::new();
    for (name, count) in [
        ("one instance behind HAProxy", 1),
        ("two instances behind HAProxy", 2),
        ("three instances behind HAProxy", 3),
    ] {
        let subject = Subject::behind_haproxy(name, count).await?;
        let token = subject.token("bench").await?;
        let ask = Ask::echo(Wire::Stateful, subject.port, token.as_deref());
        let ask = ask.within(sessions(subject.port, token.as_deref(), SESSIONS).await?);
        ask.is_answered().await?;
        wrk::run(&ask, CONNECTIONS, 1).await?;
        subjects.push((subject, ask, Vec::new(), Vec::new()));
    }
    for _ in 0..plan.rounds {
        for (subject, ask, rates, costs) in &mut subjects {
            let before = subject.usage()?.cpu;
            let run = wrk::run(ask, CONNECTIONS, plan.seconds).await?;
            rates.push(run.rate);
            costs.push(run.requests / (subject.usage()?.cpu - before));
        }
    }
    let [(one, _, one_rates, one_costs), (three, _, three_rates, three_costs)] = &subjects[..]
    else {
        return Err("a subject is missing".into());
    };
    report.rate(one.name, median(one_rates));
    report.rate(three.name, median(three_rates));
    let ratios: Vec<_> =
        three_costs.iter().zip(one_costs).map(|(three, one)| three / one).collect();
    report.add("requests a CPU-second, three / one", median(&ratios), "", Target::AtLeast(0.9));
    report.add("CPU for a call, one with Redis", 1e6 / median(one_costs), "µs", Target::None);
    Ok(())
}
