//! `cargo xtask`: the commands of this workspace that plain cargo has no word for.
//!
//! One module a command. `cargo xtask` comes from the alias in `.cargo/config.toml`, needs nothing but a Rust toolchain,
//! and works in any directory of the workspace. Exit codes: 0 done, 1 something is wrong with the workspace, 2 wrong
//! arguments. `bench`, `ceiling` and `corpus` pass on the code of the program that measures.

mod bench;
mod ceiling;
mod ci;
mod console;
mod corpus;
mod corpus_tokens;
mod flags;
mod no_std;
mod source;
mod tidy;
mod workspace;

use std::process::ExitCode;

use flags::{CorpusCmd, Xtask, XtaskCmd};
use workspace::Workspace;

fn main() -> ExitCode {
    match run(Xtask::from_env_or_exit().subcommand) {
        Ok(code) => code,
        Err(error) => {
            console::line(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: XtaskCmd) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    let done = match command {
        XtaskCmd::Bench(bench) => return bench::run(&workspace, &bench.subject, bench.json),
        XtaskCmd::Ceiling(asked) => return ceiling::run(&workspace, &asked),
        XtaskCmd::Corpus(corpus) => match corpus.subcommand {
            CorpusCmd::Answers(asked) => return corpus::run(&workspace, &asked),
            CorpusCmd::Tokens(asked) => return corpus_tokens::run(&workspace, &asked),
        },
        XtaskCmd::Ci(ci) if ci.list => {
            ci::list();
            Ok(())
        }
        XtaskCmd::Ci(ci) => ci::run(&workspace, &ci.only),
        XtaskCmd::NoStd(_) => no_std::run(&workspace).map(|proven| console::line(&proven)),
        XtaskCmd::Tidy(_) => tidy::run(&workspace).map(|found| console::line(&found)),
        XtaskCmd::Help(_) => {
            console::line(Xtask::HELP.trim_end());
            Ok(())
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}
