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
    for (subject, _, rates, _) in &subjects {
        report.rate(subject.name, median(rates));
    }
    let [(_, _, _, one_costs), (_, _, _, two_costs), (_, _, _, three_costs)] = &subjects[..] else {
        return Err("a subject is missing".into());
    };
    let against_one = |costs: &[f64]| {
        median(&costs.iter().zip(one_costs).map(|(some, one)| some / one).collect::<Vec<_>>())
    };
    report.add("requests a CPU-second, two / one", against_one(two_costs), "", Target::None);
    report.add(
        "requests a CPU-second, three / one",
        against_one(three_costs),
        "",
        Target::AtLeast(0.9),
    );
    report.add("CPU for a call, one with Redis", 1e6 / median(one_costs), "µs", Target::None);
    Ok(())
}
