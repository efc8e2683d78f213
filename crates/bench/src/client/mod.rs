//! `bench client`: what a request costs the machine that sends it.
//!
//! The client, the crate `transport` alone, and hyper-util's client alone send the same requests in turn over TCP on
//! loopback to the simulator, whose limits hold nobody up. The simulator is a process of its own, so that the processor
//! time of this one is what the client takes, in the program and in the kernel. Then the parts of which the client's own
//! share consists are timed alone, on the same bodies.

mod bodies;
mod clients;
mod load;
mod parts;
mod server;
mod throughput;

use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::clock::Clock;
use crate::instructions::Instructions;
use crate::measure::{Group, median};
use crate::report::{Count, Goal, Report, Row, Section, Versus};
use crate::{allocations, console};
use clients::Client;
use load::{Load, Spent};
use server::Server;

pub(crate) use bodies::requests;
pub(crate) use server::serve;

/// Milliseconds for 1,000 requests are microseconds for each.
const UNIT: &str = "ms";

const OURS: &str = "chat-limiter";
const TRANSPORT: &str = "its transport alone";
const BARE: &str = "hyper-util's client alone";

/// Bytes of the bodies, there and back.
const SMALL: usize = 1_000;
const LARGE: usize = 20_000;

/// What a request and its answer are looked at for may take as long as sending and reading them.
const GOAL: Goal = Goal::RatioAtMost(2.0);

/// How often each sends the load, and how often before it is measured: by then connections are open, limits are known,
/// and vocabularies are loaded.
const ROUNDS: usize = 21;
const WARM_UP: usize = 3;

/// So many requests at once have a goal for how many go through.
const AT_ONCE_WITH_A_RATE: usize = 64;

struct Scenario {
    bytes: usize,
    at_once: usize,
    /// How many requests in each round: a tenth of a second or more.
    requests: usize,
    goal: Option<Goal>,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario { bytes: SMALL, at_once: AT_ONCE_WITH_A_RATE, requests: 1_500, goal: None },
    Scenario { bytes: SMALL, at_once: 50, requests: 1_500, goal: Some(GOAL) },
    Scenario { bytes: SMALL, at_once: 1, requests: 1_500, goal: Some(GOAL) },
    Scenario { bytes: LARGE, at_once: 50, requests: 300, goal: None },
    Scenario { bytes: LARGE, at_once: 1, requests: 300, goal: None },
];

/// The parts of a request that are timed alone.
pub(crate) fn groups() -> Vec<Group> {
    vec![parts::group::<SMALL>("small"), parts::group::<LARGE>("large")]
}

/// Measures all.
///
/// # Errors
///
/// The server cannot be started, a request was not answered, or valgrind failed.
pub(crate) fn report() -> anyhow::Result<Report> {
    let clock = Clock::start();
    let server = Server::start()?;
    // One thread, as the processor time of several that look for work to do is not the client's alone.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = Report::default();
    for scenario in &SCENARIOS {
        console::complain(&format!("measuring: {}", scenario.title()));
        report.sections.extend(scenario.run(&server, &runtime)?);
    }
    drop(server);
    let instructions = Instructions::new();
    for group in groups() {
        console::complain(&format!("measuring: {}", group.title));
        let mut section = group.run(&instructions)?;
        for row in &mut section.rows {
            (row.value, row.unit) = (row.value.map(|nanos| nanos / 1_000.0), UNIT);
        }
        report.sections.push(section);
    }
    report.notes = vec![
        "value: milliseconds on a processor for 1,000 requests (microseconds for each), the median of all rounds"
            .into(),
        "ratio: the median of the ratios of each round; after it, the median of what ours takes more".into(),
        instructions.note().to_owned(),
        format!("took {:.0} s", clock.elapsed().as_secs_f64()),
    ];
    Ok(report)
}

/// Sends so many requests by one client alone: what a profiler is to be started with. Says how often memory was asked for.
///
/// # Errors
///
/// There is no such client, the server cannot be started, or a request was not answered.
pub(crate) fn send(by: &str, bytes: usize, at_once: usize, requests: usize) -> anyhow::Result<()> {
    let server = Server::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = Arc::new(Client::named(by, server.base_url())?);
    let bodies = bodies::requests(bytes).into();
    let load = Load { bodies, requests, at_once, least_answer: bytes * 9 / 10 };
    let before = allocations::count();
    // Not `Load::send`, as valgrind does not bear with the clock that it reads.
    let sent = runtime.block_on(load.deliver(&client))?.len();
    let allocated = allocations::count().saturating_sub(before);
    console::line(&format!("{sent} requests, {} allocations for each", allocated / sent.max(1)));
    Ok(())
}

impl Scenario {
    fn title(&self) -> String {
        format!("processor time of the client for 1,000 requests: {}", self.size())
    }

    fn size(&self) -> String {
        format!("about {} KB there and back, {} at once", self.bytes / 1_000, self.at_once)
    }

    fn run(&self, server: &Server, runtime: &Runtime) -> anyhow::Result<[Section; 2]> {
        let bodies: Arc<[_]> = bodies::requests(self.bytes).into();
        let load = Load { bodies, requests: self.requests, at_once: self.at_once, least_answer: self.bytes * 9 / 10 };
        let url = server.base_url();
        runtime.block_on(async {
            let mut turns = [Client::ours(url)?, Client::transport(url)?, Client::bare(url)?]
                .map(|client| (Arc::new(client), Vec::new()));
            for round in 0..WARM_UP + ROUNDS {
                // To and fro, so that none always follows the same other one.
                turns.reverse();
                for (client, samples) in &mut turns {
                    let spent = load.send(client).await?;
                    if round >= WARM_UP {
                        samples.push(spent);
                    }
                }
            }
            // They have been turned round an even number of times.
            let [ours, transport, bare] = turns.map(|(_, samples)| samples);
            Ok([self.processor_time(&ours, &transport, &bare), self.by_the_clock(&ours, &bare)])
        })
    }

    fn processor_time(&self, ours: &[Spent], transport: &[Spent], bare: &[Spent]) -> Section {
        let micros = |spent: &Spent| spent.processor.as_secs_f64() * 1e6 / self.requests as f64;
        let [ours, transport, bare] =
            [ours, transport, bare].map(|spent| spent.iter().map(micros).collect::<Vec<f64>>());
        let mut section = Section::new(self.title());
        section.rows = vec![
            Row { goal: self.goal, ..row((OURS, &ours), (BARE, &bare)) },
            row((OURS, &ours), (TRANSPORT, &transport)),
            row((TRANSPORT, &transport), (BARE, &bare)),
        ];
        section
    }

    fn by_the_clock(&self, ours: &[Spent], bare: &[Spent]) -> Section {
        let has_goal = self.at_once == AT_ONCE_WITH_A_RATE;
        throughput::section(&self.size(), ours, bare, has_goal)
    }
}

fn row((name, values): (&str, &[f64]), (peer, of_peer): (&str, &[f64])) -> Row {
    // What slowed the machine down in a round slowed both.
    let ratios: Vec<f64> = values.iter().zip(of_peer).map(|(value, of_peer)| value / of_peer).collect();
    Row {
        name: name.to_owned(),
        value: Some(median(values)),
        unit: UNIT,
        versus: Some(Versus { name: peer.to_owned(), value: Some(median(of_peer)), instructions: Count::NotCounted }),
        ratio: Some(median(&ratios)),
        ..Row::default()
    }
}
