//! One instance after the other is killed under load.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::{
    figures::percentiles,
    it::support::{Deployment, QUIET},
    load::{Load, Tally},
};

const SESSIONS: usize = 200;
const KILLS: usize = 20;
const EVERY: Duration = Duration::from_secs(3);

/// When an instance was killed: from just before until it was gone.
struct Kill {
    instance: usize,
    from: Instant,
    until: Instant,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_is_lost_and_only_calls_of_the_killed_fail() {
    let on = Deployment::three_on_redis();
    let mut server = on.with(&[QUIET]);
    let load = Load::start(&server, SESSIONS).await;
    let (mut kills, mut ticks) = (Vec::new(), interval(EVERY));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    for number in 0..KILLS {
        ticks.tick().await;
        let (instance, from) = (number % 3, Instant::now());
        tokio::task::block_in_place(|| server.instances[instance].kill());
        kills.push(Kill { instance, from, until: Instant::now() });
        tokio::task::block_in_place(|| server.instances[instance].restart());
    }
    ticks.tick().await;
    judge(&*load.end().await, &kills);
}

fn judge(tally: &Tally, kills: &[Kill]) {
    let calls = std::mem::take(&mut *tally.calls.lock().unwrap());
    let failures = tally.failures.lock().unwrap();
    let told = std::mem::take(&mut *tally.told_lost.lock().unwrap());
    println!("{SESSIONS} sessions, {} kills: {} calls answered", kills.len(), calls.len());
    println!("calls: {}", percentiles(calls));
    println!("calls that died with their instance: {}", failures.len());
    let longest = told.iter().max().copied().unwrap_or_default();
    if !told.is_empty() {
        println!("told that their call is lost: {}, {}", told.len(), percentiles(told));
    }
    let wrong = tally.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} answers are wrong, such as {:?}", wrong.len(), &wrong[..1]);
    for failure in &*failures {
        let instance = failure.instance.expect("the balancer says it");
        let died = kills.iter().any(|kill| {
            kill.instance == instance && kill.from <= failure.ended && failure.began <= kill.until
        });
        assert!(died, "nobody killed instance {instance}: {}", failure.what);
    }
    assert!(!failures.is_empty(), "the kills hit nothing: the load is too small");
    // An instance that was just started tells nobody for 5 s that another is dead, and one that
    // told somebody may be killed meanwhile. `cluster::killed` has the bound of a calm cluster.
    assert!(longest < Duration::from_secs(20), "{longest:?}");
}
