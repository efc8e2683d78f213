//! `chat-limiter run`: a batch file in, a result file out.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use chat_limiter::Batch;
use tokio::io::AsyncWrite;

use crate::args::RunArguments;
use crate::input::Input;
use crate::progress::Display;
use crate::{interrupt, provider, say, summary};

/// The most requests in flight where nothing else is said.
const CONCURRENCY: u64 = 1_000;
/// Files that are open beside connections.
const OTHER_FILES: u64 = 64;

pub(crate) async fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    // Everything that can be wrong is found out before anything is sent.
    let mut input = Input::open(&arguments.requests).await?;
    let first_line = input.beginning().await?;
    let concurrency = concurrency(arguments.concurrency)?;
    let limiter = provider::client(&arguments, &first_line, concurrency)?;
    let mut batch = Batch::new(limiter.clone(), &input.name).read_ahead(concurrency.saturating_mul(2));
    if arguments.resume {
        if is_stdout(&arguments.output) {
            bail!("--resume needs an --output file");
        }
        let done = batch.resume_from(&arguments.output)?;
        if !arguments.quiet {
            say(&format!("{done} requests were answered before"));
        }
    }
    let output = open_output(&arguments).await?;
    let mut summary_file = arguments.summary.as_deref().map(summary::create).transpose()?;

    let display = Display::start(limiter, batch.progress(), input.length, arguments.quiet);
    let quiet = arguments.quiet;
    let stop = async move {
        interrupt::requested().await;
        if !quiet {
            say("stopping: requests in flight are waited for; interrupt again to leave them");
        }
        tokio::spawn(async {
            interrupt::requested().await;
            std::process::exit(1);
        });
    };
    let outcome = batch.run(input.reader, output, stop, &display).await;
    display.finish();
    let summary = outcome?;
    if let Some(file) = &mut summary_file {
        summary::write(file, &summary)?;
    }
    if !quiet {
        say(&summary::describe(&summary));
    }
    let all_succeeded = summary.failed == 0 && !summary.stopped;
    Ok(if all_succeeded { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// The result file. Results of an earlier run were paid for: they are kept beside it.
async fn open_output(arguments: &RunArguments) -> anyhow::Result<Box<dyn AsyncWrite + Unpin + Send>> {
    let path = &arguments.output;
    if is_stdout(path) {
        return Ok(Box::new(tokio::io::stdout()));
    }
    let context = || format!("cannot write {}", path.display());
    if is_same_file(&arguments.requests, path) {
        bail!("{}: the results would overwrite the requests", context());
    }
    let mut options = tokio::fs::OpenOptions::new();
    options.create(true);
    if arguments.resume {
        options.append(true);
    } else {
        if std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0) {
            let mut old = path.clone().into_os_string();
            old.push(".old");
            let old = PathBuf::from(old);
            std::fs::rename(path, &old).with_context(context)?;
            if !arguments.quiet {
                say(&format!("the results that were there are now in {}", old.display()));
            }
        }
        options.write(true).truncate(true);
    }
    Ok(Box::new(options.open(path).await.with_context(context)?))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// How many requests may be in flight: each needs a connection, and each connection a file descriptor.
fn concurrency(asked: Option<u32>) -> anyhow::Result<usize> {
    let allowed = raise_open_files().saturating_sub(OTHER_FILES).max(1);
    let wanted = asked.map_or(CONCURRENCY.min(allowed), u64::from);
    if wanted > allowed {
        say(&format!("the system allows about {allowed} connections (ulimit -n): not {wanted} at once"));
    }
    usize::try_from(wanted.min(allowed)).context("--concurrency is too large")
}

/// Raises the limit on open files as far as the system lets everybody, and returns it.
fn raise_open_files() -> u64 {
    #[cfg(unix)]
    {
        rlimit::increase_nofile_limit(65_536).unwrap_or(256)
    }
    #[cfg(not(unix))]
    {
        8_192
    }
}
