//! Signals that ask the command to end.

/// Resolves when the user or the system asks for the end: Ctrl-C, or SIGTERM.
pub(crate) async fn requested() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // No handler can be installed: the system's own applies.
        std::future::pending::<()>().await;
    }
}
