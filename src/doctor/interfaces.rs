//! Rules about interfaces that do not exist.

use super::Case;
use crate::config::diagnostics::{Diagnostic, Severity};
use crate::config::model::Choice;

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let router = case.router;
    let exists = |name: &String| {
        router.devices.iter().any(|device| device.name == *name || device.name == case.facts.device_of(name))
            || router.interfaces.iter().any(|own| own.name == *name)
    };
    let mut findings = Vec::new();
    // Where the devices are not known, or netifd did not answer, nobody knows.
    let known = !router.devices.is_empty() && !router.interfaces.is_empty();
    for rule in case.config.rules.iter().filter(|_| known) {
        let Some(Choice::OneOf(names) | Choice::NoneOf(names)) = &rule.matches.interfaces else { continue };
        for name in names.iter().filter(|name| !exists(name)) {
            findings.push(
                Diagnostic::new(Severity::Warning, rule.at, format!("there is no interface or device '{name}'"))
                    .in_section(format!("rule '{}'", rule.name))
                    .on_option("src_iface")
                    .help("`ubus list 'network.interface.*'` and `ip link` list those there are; one that comes later counts then"),
            );
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};

    #[test]
    fn a_name_that_nothing_has_is_found() {
        let rule = |name: &str| format!("config rule 'r'\n list src_iface '{name}'\n option use 'A'\n");
        for (name, found) in [
            ("lan", &[][..]),
            ("br-lan", &[]),
            ("guets", &["there is no interface or device 'guets'"]),
            ("!guets", &["there is no interface or device 'guets'"]),
        ] {
            says(&Sample::new(&rule(name)), found);
        }
        let mut silent = Sample::new(&rule("guets"));
        silent.router.interfaces.clear();
        says(&silent, &[]);
    }
}
