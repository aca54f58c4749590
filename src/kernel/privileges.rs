//! Becoming another user without losing root's capabilities.

use nix::sys::prctl;
use nix::unistd::{Uid, setresuid};
use rustix::thread::{CapabilitySet, capabilities, configure_capability_in_ambient_set, set_capabilities};
use std::io;

/// Whether this process may take on any user id.
#[must_use]
pub fn may_change_user() -> bool {
    capabilities(None).is_ok_and(|own| own.effective.contains(CapabilitySet::SETUID))
}

/// Takes on a user id and keeps every capability, also for the programs that are run from here on. For a process of one
/// thread: capabilities are each thread's own.
///
/// What the kernel does by itself (`capabilities(7)`) and how it is kept from it:
/// * A change from root to another user clears all sets, but for the permitted one if `keepcaps` is set.
/// * A program that is run has, not being root's, its ambient capabilities only. Those can be raised if they are permitted
///   and inheritable, and after the change, which clears them.
/// * A program with the set-user-id bit would run as its owner, and so leave the link, unless `no_new_privs` is set. It has
///   no need of that bit: all capabilities are there.
///
/// # Errors
/// The kernel refused: this process is not root, or the user id does not exist in this container.
pub fn become_user(user: u32) -> io::Result<()> {
    let user = Uid::from_raw(user);
    prctl::set_keepcaps(true)?;
    // The real, effective and saved one: were they different, the program would count as set-user-id itself.
    setresuid(user, user, user)?;
    let mut sets = capabilities(None)?;
    sets.effective = sets.permitted;
    sets.inheritable = sets.permitted;
    set_capabilities(None, sets)?;
    for capability in (0..u64::BITS).map(|bit| CapabilitySet::from_bits_retain(1 << bit)) {
        if sets.permitted.contains(capability) {
            configure_capability_in_ambient_set(capability, true)?;
        }
    }
    prctl::set_no_new_privs()?;
    Ok(())
}
