//! Measures the server side by side with what it is compared with, on this machine, in one run.
//!
//! Subjects take turns, in several rounds, and what is told are medians of the ratios within a
//! round: what else the machine does meets all of them alike.
#![expect(clippy::print_stdout, reason = "its output is what it measures")]

mod figures;
mod http;
mod http_sse;
mod mcp;
mod median;
mod process;
mod redis;
mod report;
mod result;
mod subject;
mod wrk;

use std::{env, process::ExitCode};

use crate::{figures::Plan, report::Report, result::Result};

const HELP: &str = "\
usage: bench [--rounds N] [--seconds N] [--write FOLDER] [GROUP...]

  GROUP            start, calls, http-sse, cluster, sessions, streams, costs, instructions;
                   all of them unless named
  --rounds N       how often subjects take turns [5]
  --seconds N      how long each turn takes [4]
  --write FOLDER   writes performance.json and performance.svg there, and the table into
                   its performance.md";

struct Arguments {
    plan: Plan,
    groups: Vec<String>,
    write: Option<String>,
}

fn arguments() -> Result<Arguments> {
    let mut plan = Plan { rounds: 5, seconds: 4 };
    let (mut groups, mut write) = (Vec::new(), None);
    let mut given = env::args().skip(1);
    while let Some(argument) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{argument} takes a value"));
        match argument.as_str() {
            "--rounds" => plan.rounds = value()?.parse()?,
            "--seconds" => plan.seconds = value()?.parse()?,
            "--write" => write = Some(value()?),
            name if figures::GROUPS.contains(&name) => groups.push(argument),
            _ => return Err(HELP.into()),
        }
    }
    Ok(Arguments { plan, groups, write })
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let Arguments { plan, groups, write } = arguments()?;
    if !wrk::is_installed() {
        return Err("wrk is not installed: tools/setup.sh wrk".into());
    }
    let mut report = Report::new();
    for group in figures::GROUPS {
        if groups.is_empty() || groups.iter().any(|named| named == group) {
            println!("measuring {group}");
            figures::measure(group, plan, &mut report).await?;
        }
    }
    println!("\n{}", report.table());
    if let Some(folder) = write {
        report.write(&folder)?;
    }
    Ok(())
}
