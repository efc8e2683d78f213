//! The command line of `cargo xtask`.

use std::path::PathBuf;

use crate::bench::Subject;
use crate::ci::Chosen;

xflags::xflags! {
    /// The workspace's own commands: its checks and its measurements.
    cmd xtask {
        /// Run every check, or those named with --only. Exits 1 if any failed.
        cmd ci {
            /// Run only this step. Can be repeated; --list shows the names.
            repeated --only step: Chosen
            /// Show the steps and how to run each alone, and run none.
            optional --list
        }

        /// Prove that limiter-core needs only `core`, and only `alloc` beside it with the feature of that name.
        cmd no-std {}

        /// Check what the compiler does not: module docs, leftovers, paths, dependency directions; report file sizes.
        cmd tidy {}

        /// Measure a part beside its peers: core, client, providers, starvation, tokenizer, waiting. Exits 0 where the measurement was made,
        /// goals met or not.
        cmd bench {
            /// What is measured.
            required subject: Subject
            /// Print an array of objects instead of a table.
            optional --json
        }

        /// Run the client against every kind of provider, and compare it with the least time that anybody needs. Exits 0
        /// where the measurement was made, goals met or not.
        cmd ceiling {
            /// Run only the cells whose name contains this text.
            optional --only text: String
            /// Print an array of objects instead of a table.
            optional --json
            /// Print the tables of docs/BENCHMARKS.md.
            optional --markdown
            /// Print the names of the cells and run none.
            optional --list
            /// Print every cell, and say more about each.
            optional --verbose
        }

        /// Read recorded traffic of providers, kept beside the project, and compare with what was noted of it. Exits 0 where
        /// it was read, goals met or not.
        cmd corpus {
            /// What is read of recorded answers.
            default cmd answers {
                /// Print an array of objects instead of a table.
                optional --json
                /// Where the recordings are, if not in `../shared/corpus`.
                optional --directory path: PathBuf
            }
            /// The tokens counted of recorded requests beside those that were billed.
            cmd tokens {
                /// The recorded requests, packed by gzip, instead of those of the corpus beside the project.
                optional --file path: PathBuf
                /// Print an array of objects instead of a table.
                optional --json
            }
        }

        /// Print this help.
        default cmd help {}
    }
}

impl Xtask {
    /// What `cargo xtask` without arguments prints.
    pub(crate) const HELP: &'static str = Self::HELP_;
}
