//! Starting, and being there.

use std::fs;

use tokio::time::Instant;

use super::Plan;
use crate::{
    median::median,
    report::{Report, Target},
    result::Result,
    subject::{Subject, program},
};

pub(crate) async fn measure(plan: Plan, report: &mut Report) -> Result<()> {
    let (mut times, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let began = Instant::now();
        let subject = Subject::memory("starting").await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        memory.push(subject.usage()?.memory / 1e6);
        for instance in subject.instances {
            instance.stop().await?;
        }
    }
    report.add("start to ready", median(&times), "ms", Target::AtMost(50.0));
    report.add("memory when idle", median(&memory), "MB", Target::AtMost(15.0));
    #[expect(clippy::cast_precision_loss, reason = "it is less than 2^52")]
    let size = fs::metadata(program("mcp-everything")?)?.len() as f64 / 1e6;
    report.add("size of the binary", size, "MB", Target::AtMost(25.0));
    Ok(())
}
