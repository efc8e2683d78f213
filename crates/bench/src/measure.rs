//! Groups of operations that are measured beside each other.

use anyhow::{Context as _, ensure};

use crate::instructions::Instructions;
use crate::operation::Operation;
use crate::processor;
use crate::report::{Count, Goal, Row, Section, Versus};

/// Operations that run in alternating batches, and how they are compared.
pub(crate) struct Group {
    /// One word, for the command line.
    pub(crate) key: &'static str,
    pub(crate) title: &'static str,
    /// How many operations run in a row.
    pub(crate) batch: u64,
    /// How many batches of each are measured.
    pub(crate) rounds: usize,
    /// Whether instructions are counted, too. On several threads the number says nothing.
    pub(crate) counts_instructions: bool,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) comparisons: Vec<Comparison>,
}

/// One operation of a group.
pub(crate) struct Candidate {
    pub(crate) name: &'static str,
    pub(crate) build: fn() -> Box<dyn Operation>,
}

/// A row of the report. Candidates without one get a row after the others.
pub(crate) struct Comparison {
    pub(crate) of: &'static str,
    pub(crate) versus: &'static str,
    /// The largest ratio that is good enough, where there is a goal.
    pub(crate) at_most: Option<f64>,
}

/// Batches that are run and not measured: caches and the processor's clock have settled by then.
const WARM_UP: usize = 10;

/// A batch whose threads waited for a processor longer than one part in so many of its time is run again, and so often
/// at most.
const UNDISTURBED: u32 = 20;
const TRIES: u32 = 8;

/// So many undisturbed batches are enough to leave the disturbed ones out.
const ENOUGH: usize = 10;

impl Group {
    pub(crate) fn candidate(&self, name: &str) -> anyhow::Result<&Candidate> {
        let found = self.candidates.iter().find(|candidate| candidate.name == name);
        found.with_context(|| format!("the group {} has no operation `{name}`", self.key))
    }

    /// Measures all, and compares them.
    ///
    /// # Errors
    ///
    /// An operation did not do what it was meant to do.
    pub(crate) fn run(&self, instructions: &Instructions) -> anyhow::Result<Section> {
        let mut measured: Vec<Measured<'_>> = self.candidates.iter().map(Measured::new).collect();
        for round in 0..WARM_UP + self.rounds {
            // To and fro, so that none always follows the same other one.
            let order: Vec<usize> =
                if round % 2 == 0 { (0..measured.len()).collect() } else { (0..measured.len()).rev().collect() };
            for index in order {
                if let Some(measured) = measured.get_mut(index) {
                    measured.run(self.batch, round >= WARM_UP)?;
                }
            }
        }
        if self.counts_instructions {
            for measured in &mut measured {
                measured.instructions = instructions.count(self, measured.candidate.name)?;
            }
        }
        self.rows(&measured)
    }

    fn rows(&self, measured: &[Measured<'_>]) -> anyhow::Result<Section> {
        let find = |name: &str| {
            let found = measured.iter().find(|measured| measured.candidate.name == name);
            found.with_context(|| format!("the group {} has no operation `{name}`", self.key))
        };
        let mut section = Section::new(self.title);
        let samples = || measured.iter().flat_map(|measured| &measured.samples);
        section.disturbed = samples().filter(|sample| sample.disturbed).count() as f64 / samples().count() as f64;
        for comparison in &self.comparisons {
            let (ours, peer) = (find(comparison.of)?, find(comparison.versus)?);
            section.rows.push(Row {
                versus: Some(Versus {
                    name: comparison.versus.to_owned(),
                    value: Some(peer.nanos()),
                    instructions: peer.instructions,
                }),
                ratio: Some(ratio(&ours.samples, &peer.samples)),
                goal: comparison.at_most.map(Goal::RatioAtMost),
                ..ours.row()
            });
        }
        let is_shown = |name: &str| self.comparisons.iter().any(|it| it.of == name || it.versus == name);
        let others = measured.iter().filter(|measured| !is_shown(measured.candidate.name));
        section.rows.extend(others.map(Measured::row));
        Ok(section)
    }
}

/// A batch.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// Nanoseconds for each operation.
    nanos: f64,
    /// Whether its threads had to wait for a processor.
    disturbed: bool,
}

struct Measured<'a> {
    candidate: &'a Candidate,
    operation: Box<dyn Operation>,
    /// One for each round.
    samples: Vec<Sample>,
    instructions: Count,
}

impl<'a> Measured<'a> {
    fn new(candidate: &'a Candidate) -> Self {
        Self { candidate, operation: (candidate.build)(), samples: Vec::new(), instructions: Count::NotCounted }
    }

    fn run(&mut self, times: u64, counts: bool) -> anyhow::Result<()> {
        for tries_left in (0..TRIES).rev() {
            self.operation.prepare(times);
            let waited = processor::waited();
            let batch = self.operation.run(times);
            let waited = batch.waited + processor::waited().saturating_sub(waited);
            let (name, succeeded) = (self.candidate.name, batch.succeeded);
            ensure!(succeeded == times, "{name}: only {succeeded} of {times} did what is measured");
            if !counts {
                return Ok(());
            }
            let disturbed = waited > batch.elapsed / UNDISTURBED;
            if !disturbed || tries_left == 0 {
                self.samples.push(Sample { nanos: batch.elapsed.as_secs_f64() * 1e9 / times as f64, disturbed });
                return Ok(());
            }
        }
        Ok(())
    }

    fn nanos(&self) -> f64 {
        median_of(self.samples.iter().copied())
    }

    fn row(&self) -> Row {
        Row {
            name: self.candidate.name.to_owned(),
            value: Some(self.nanos()),
            unit: "ns",
            instructions: self.instructions,
            ..Row::default()
        }
    }
}

/// The median of the ratios of the batches of each round: what slowed the machine down in a round slowed both.
fn ratio(ours: &[Sample], theirs: &[Sample]) -> f64 {
    median_of(ours.iter().zip(theirs).map(|(ours, theirs)| Sample {
        nanos: ours.nanos / theirs.nanos,
        disturbed: ours.disturbed || theirs.disturbed,
    }))
}

/// The median of those that were not disturbed, or of all where these are too few.
fn median_of(samples: impl Iterator<Item = Sample> + Clone) -> f64 {
    let undisturbed: Vec<f64> = samples.clone().filter(|it| !it.disturbed).map(|it| it.nanos).collect();
    if undisturbed.len() >= ENOUGH {
        median(&undisturbed)
    } else {
        median(&samples.map(|it| it.nanos).collect::<Vec<_>>())
    }
}

/// The middle one of the values; of an even number the mean of both; not a number where there are none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { at(half) } else { f64::midpoint(at(half.wrapping_sub(1)), at(half)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Repeated;

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(median(&[3.0, 1.0, 100.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 100.0, 2.0]), 3.0);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn ratios_are_of_batches_of_the_same_round() {
        let [ours, theirs] = [[10.0, 30.0, 20.0], [10.0, 15.0, 20.0]].map(|nanos| nanos.map(undisturbed));
        assert_eq!(ratio(&ours, &theirs), 1.0);
    }

    #[test]
    fn disturbed_batches_are_left_out_where_there_are_enough_others() {
        let disturbed = [Sample { nanos: 90.0, disturbed: true }; 100];
        let few = [undisturbed(10.0); ENOUGH - 1];
        assert_eq!(median_of(disturbed.into_iter().chain(few)), 90.0);
        let enough = [undisturbed(10.0); ENOUGH];
        assert_eq!(median_of(disturbed.into_iter().chain(enough)), 10.0);
    }

    fn undisturbed(nanos: f64) -> Sample {
        Sample { nanos, disturbed: false }
    }

    #[test]
    fn an_operation_that_does_not_do_what_is_measured_is_an_error() {
        let candidate = Candidate { name: "fails", build: || Box::new(Repeated(|| false)) };
        let error = Measured::new(&candidate).run(3, true).unwrap_err();
        assert_eq!(error.to_string(), "fails: only 0 of 3 did what is measured");
    }
}
