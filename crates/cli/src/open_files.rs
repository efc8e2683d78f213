//! How many files, and so connections, may be open.

/// Raises the limit on open files as far as the system lets everybody, and returns it.
pub(crate) fn raise() -> u64 {
    #[cfg(unix)]
    {
        rlimit::increase_nofile_limit(65_536).unwrap_or(256)
    }
    #[cfg(not(unix))]
    {
        8_192
    }
}
