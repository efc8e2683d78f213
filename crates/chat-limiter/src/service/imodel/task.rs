//! Which of a service's tasks a name means.

use providers::tasks::{self, Endpoint, UnknownTask};

/// The endpoint that `name` means, of those that the service lists.
pub(super) fn find(endpoints: &[Endpoint], listed: &[String], name: &str) -> Result<Endpoint, UnknownTask> {
    let mut offered = Vec::with_capacity(listed.len());
    for task in listed {
        let endpoint = tasks::find(endpoints, task)?;
        if !offered.contains(endpoint) {
            offered.push(endpoint.clone());
        }
    }
    tasks::find(&offered, name).cloned()
}
