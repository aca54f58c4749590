//! Established connections that the hardware carries.

use super::{Case, firewall, warning};
use crate::config::diagnostics::{Diagnostic, Severity};

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    if !case.router.zones.hardware_offload {
        return Vec::new();
    }
    let help = || firewall("uci set firewall.@defaults[0].flow_offloading_hw='0'");
    let mut tried = warning(
        "hardware flow offloading is on: wansplit has not been tried with it".into(),
        format!("if connections stay on a dead link: {}", help()),
    );
    tried.severity = Severity::Note;
    let metered = case.links().filter(|(n, _)| case.config[*n].quota.is_some());
    let message = "`max` may count less than it carries: the hardware forwards packets that the kernel does not see";
    std::iter::once(tried)
        .chain(metered.map(|(n, _)| case.warn_of(n, message.into(), help()).on_option("max")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};

    #[test]
    fn only_hardware_is_worth_a_word() {
        let text = |options: &str| format!("config defaults\n{options}\n");
        let hardware = text(" option flow_offloading '1'\n option flow_offloading_hw '1'");
        says(&Sample::new("").firewall(&text(" option flow_offloading '1'")), &[]);
        says(&Sample::new("").firewall(&text(" option flow_offloading_hw '1'")), &[]);
        says(&Sample::new("").firewall(&hardware), &["hardware flow offloading is on"]);
        let lte = "config link 'lte'\n option device 'wwan0'\n option max '10G'\n option max_per 'month'\n";
        says(&Sample::new(lte).firewall(&hardware), &["hardware flow offloading is on", "`max` may count less"]);
    }
}
