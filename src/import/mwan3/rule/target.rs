//! Where a rule sends what it matches.

use super::{Importer, Left};
use crate::import::foreign::{Foreign, Report};
use crate::import::mwan3::policy::{LONGEST_NAME, Target};

/// Where a rule's packets go.
pub struct Targets {
    /// IPv4's, and IPv6's.
    pub targets: [Target; 2],
    /// Why the rule is not in force there; empty if it is.
    pub off: String,
}

impl Importer<'_> {
    /// Where a rule's packets go.
    pub(super) fn targets(&self, source: &Foreign, families: [bool; 2], report: &mut Report) -> Result<Targets, Left> {
        let option = self.dialect.use_policy;
        let program = self.dialect.program;
        let reserved = |name: &str| {
            let target = Target { name: name.into(), balances: false };
            Ok(Targets { targets: [target.clone(), target], off: String::new() })
        };
        match source.one(option) {
            None => {
                report.dropped(source, "", format!("it has no {option}: {program} passes it over"));
                Err(Left)
            }
            Some("default") => reserved("main"),
            Some("unreachable") => reserved("unreachable"),
            Some("blackhole") => reserved("blackhole"),
            Some(name) => {
                let Some(policy) = self.policies.iter().find(|policy| policy.name == name) else {
                    let text = format!(
                        "there is no {} '{name}': the rule does nothing there, the next ones decide; it is left out",
                        self.dialect.policy
                    );
                    report.dropped(source, option, text);
                    return Err(Left);
                };
                let mut off = String::new();
                if name.len() > LONGEST_NAME {
                    off = format!("it does nothing there: the name {name} has more than {LONGEST_NAME} characters");
                    report.changed(source, option, format!("{off}; it would work here, but is switched off"));
                }
                let [ipv4, ipv6] = &policy.targets;
                let targets = match families {
                    [true, false] => [ipv4.clone(), ipv4.clone()],
                    [false, true] => [ipv6.clone(), ipv6.clone()],
                    _ => [ipv4.clone(), ipv6.clone()],
                };
                Ok(Targets { targets, off })
            }
        }
    }
}
