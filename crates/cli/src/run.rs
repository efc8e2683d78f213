//! `chat-limiter run`: a batch file in, a result file out.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chat_limiter::{Batch, Summary};
use tokio::io::AsyncWrite;

use crate::args::RunArguments;
use crate::form::Form;
use crate::input::{Input, is_standard};
use crate::interrupt::Interrupts;
use crate::learned::Store;
use crate::open_files;
use crate::progress::Display;
use crate::target::{Target, is_same_file, kept_as};
use crate::{provider, say, summary};

/// The most requests in flight where nothing else is said.
const CONCURRENCY: u64 = 1_000;
/// Files that are open beside connections.
const OTHER_FILES: u64 = 64;

pub(crate) async fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    // Everything that can be wrong is found out before anything is sent or written.
    check_paths(&arguments)?;
    let mut input = Input::open(&arguments.requests).await?;
    let form = Form::of(input.beginning().await?);
    let concurrency = concurrency(&arguments)?;
    let mut store = Store::open(arguments.learned.as_deref())?;
    let limiter = provider::client(&arguments, form, concurrency, store.learned())?;
    store.is_for(limiter.provider().name());
    let mut batch = Batch::new(limiter.clone(), &input.name).read_ahead(concurrency.saturating_mul(2));
    let results = (!is_standard(&arguments.output)).then(|| Target::open(&arguments.output)).transpose()?;
    let summary_file = arguments.summary.as_deref().map(Target::open).transpose()?;
    let output = open_output(results, &mut batch, &arguments)?;
    let mut summary_file = summary_file.map(Target::emptied).transpose()?;
    let mut interrupts = Interrupts::listen()?;

    if !arguments.quiet && provider::is_default(&arguments) {
        say("no --provider and no --base-url: the embedded provider makes the answers up");
    }
    let display = Display::start(limiter.clone(), batch.progress(), input.length, arguments.quiet);
    let stop = async {
        interrupts.next().await;
        display.note("stopping: requests in flight are waited for; interrupt again to leave them");
        tokio::spawn(async move {
            interrupts.next().await;
            std::process::exit(1);
        });
    };
    let outcome = batch.run(input.reader, output, stop, &display).await;
    display.finish();
    store.write(&limiter.learned());
    let summary = outcome?;
    if let Some(file) = &mut summary_file {
        summary::write(file, &summary)?;
    }
    display.note(&summary::describe(&summary));
    display.note(&how_to_go_on(&summary, &arguments));
    let all_succeeded = summary.failed == 0 && !summary.stopped;
    Ok(if all_succeeded { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What is left to do, and how; empty where nothing is.
fn how_to_go_on(summary: &Summary, arguments: &RunArguments) -> String {
    let what = match (summary.stopped, summary.failed) {
        (true, _) => "stopped before the end",
        (false, 0) => return String::new(),
        (false, _) => "some requests failed",
    };
    if is_standard(&arguments.output) {
        return what.to_owned();
    }
    format!("{what}: the same command with --resume sends again what has no successful result")
}

/// Refuses what would overwrite a file that is needed.
fn check_paths(arguments: &RunArguments) -> anyhow::Result<()> {
    let RunArguments { requests, output, summary, resume, learned, .. } = arguments;
    if *resume && is_standard(output) {
        bail!("--resume needs the --output file of the earlier run");
    }
    let refuse = |path: &Path, what: &str| bail!("cannot write {}: {what}", path.display());
    if is_same_file(requests, output) {
        return refuse(output, "the results would overwrite the requests");
    }
    let kept = kept_as(output);
    if !resume && is_same_file(requests, &kept) {
        return refuse(output, "the results that are there would be kept in place of the requests");
    }
    if let Some(learned) = learned {
        if is_standard(learned) {
            bail!("--learned needs a file");
        }
        let others = [Some(requests), Some(output), Some(&kept), summary.as_ref()];
        if others.into_iter().flatten().any(|other| other == learned || is_same_file(other, learned)) {
            return refuse(learned, "it is another file of this run");
        }
    }
    let Some(summary) = summary else { return Ok(()) };
    if is_standard(summary) {
        bail!("--summary needs a file: standard output is for results");
    }
    if is_same_file(requests, summary) {
        return refuse(summary, "the summary would overwrite the requests");
    }
    if is_same_file(&kept, summary) || kept == *summary {
        return refuse(summary, "the results that are there would be kept in its place");
    }
    if is_same_file(output, summary) {
        return refuse(summary, "the summary would overwrite the results");
    }
    Ok(())
}

/// Where the results go. Results of an earlier run were paid for: they are gone on with, or kept beside the new ones.
fn open_output(
    results: Option<Target<'_>>,
    batch: &mut Batch,
    arguments: &RunArguments,
) -> anyhow::Result<Box<dyn AsyncWrite + Unpin + Send>> {
    let Some(results) = results else { return Ok(Box::new(tokio::io::stdout())) };
    let (file, note) = if arguments.resume {
        results.check_results()?;
        let requests = (!is_standard(&arguments.requests)).then_some(arguments.requests.as_path());
        let done = batch.resume_from(&arguments.output, requests)?;
        (results.appended()?, Some(format!("{done} requests were answered before")))
    } else {
        let (file, kept) = results.replaced()?;
        (file, kept.map(|kept| format!("the results that were there are now in {}", kept.display())))
    };
    if let Some(note) = note.filter(|_| !arguments.quiet) {
        say(&note);
    }
    Ok(Box::new(tokio::fs::File::from_std(file)))
}

/// How many requests may be in flight: each needs a connection, and each connection a file descriptor.
fn concurrency(arguments: &RunArguments) -> anyhow::Result<usize> {
    let allowed = open_files::raise().saturating_sub(OTHER_FILES).max(1);
    let wanted = arguments.concurrency.unwrap_or(CONCURRENCY.min(allowed));
    if wanted > allowed && !arguments.quiet {
        say(&format!("the system allows about {allowed} connections (ulimit -n): not {wanted} at once"));
    }
    usize::try_from(wanted.min(allowed)).context("--concurrency is too large")
}
