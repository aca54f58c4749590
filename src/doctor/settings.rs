//! Settings of the kernel that links depend on.

use super::{Case, warning};
use crate::config::diagnostics::Diagnostic;
use crate::config::model::{Family, Mode};

pub(super) fn findings(case: &Case) -> Vec<Diagnostic> {
    let settings = &case.router.settings;
    let balances = case.config.policies.iter().any(|policy| policy.mode != Mode::Failover);
    let mut findings: Vec<Diagnostic> = settings.unmarked.iter().map(|device| checked(device)).collect();
    for (place, family) in Family::BOTH.into_iter().enumerate() {
        let carried = case.links().any(|(n, _)| case.facts.side(n, family).is_some_and(|side| side.hop().is_some()));
        let (forwarding, hash) = match family {
            Family::V4 => ("net.ipv4.ip_forward", "net.ipv4.fib_multipath_hash_policy"),
            Family::V6 => ("net.ipv6.conf.all.forwarding", "net.ipv6.fib_multipath_hash_policy"),
        };
        if carried && settings.forwarding.get(place) == Some(&Some(0)) {
            let message = format!("the router does not forward {family}: nothing of the LAN leaves by any link");
            findings.push(warning(message, format!("{}, and see what switched it off", set(forwarding, "1"))));
        }
        if balances && settings.hash_policy.get(place).is_some_and(|own| own.is_some_and(|own| own != 0)) {
            let message = format!(
                "{hash} is not 0: after a link of a balanced policy has died, connections of one client to one server may take several links"
            );
            findings.push(warning(message, set(hash, "0")));
        }
    }
    if let Some((count, most)) =
        settings.connections.filter(|(count, most)| u64::from(*count) * 10 >= u64::from(*most) * 9)
    {
        findings.push(warning(
            format!(
                "the table of connections is nearly full, {count} of {most}: soon new ones are dropped, on every link"
            ),
            set("net.netfilter.nf_conntrack_max", &most.saturating_mul(2).to_string()),
        ));
    }
    findings
}

fn checked(device: &str) -> Diagnostic {
    warning(
        format!(
            "{device} checks senders (rp_filter) without looking at marks, though wansplit had set that: answers that come in by it are dropped"
        ),
        "wansplit apply; if it comes again, look into /etc/sysctl.conf and /etc/sysctl.d".into(),
    )
}

fn set(name: &str, value: &str) -> String {
    format!("sysctl -w {name}={value}, and the same in /etc/sysctl.conf")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, says};

    #[test]
    fn settings_that_stop_packets_are_found() {
        let mut sample = Sample::new("");
        sample.router.settings.forwarding = [Some(1), Some(1)];
        sample.router.settings.hash_policy = [Some(1), Some(0)];
        sample.router.settings.connections = Some((899, 1000));
        says(&sample, &[]);
        sample.router.settings.forwarding = [Some(0), Some(0)];
        sample.router.settings.connections = Some((900, 1000));
        sample.router.settings.unmarked = vec!["eth0".into()];
        let found = [
            "eth0 checks senders (rp_filter)",
            "the router does not forward IPv4",
            "the router does not forward IPv6",
            "the table of connections is nearly full, 900 of 1000",
        ];
        says(&sample, &found);
    }

    #[test]
    fn the_hash_matters_where_something_balances() {
        let policy = |mode: &str| format!("config policy 'p'\n list use 'A'\n list use 'B'\n option mode '{mode}'\n");
        let found = &["net.ipv6.fib_multipath_hash_policy is not 0"][..];
        for (mode, found) in [("failover", &[][..]), ("balance", found)] {
            let mut sample = Sample::new(&policy(mode));
            sample.router.settings.hash_policy = [Some(0), Some(1)];
            says(&sample, found);
        }
    }
}
