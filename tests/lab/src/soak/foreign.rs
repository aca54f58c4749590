//! What other programs and the owner have on the router, and what is ours there.

use crate::host::Host;

/// Each line of ip rules and routes of ours has this.
const TAG: &str = " proto 119";
const RULE_TAG: &str = " proto 119";
const RULES: &str = "rule add pref 10 fwmark 0x1/0xf lookup 52
rule add pref 799 to 10.77.0.0/16 lookup 77
rule add pref 802 fwmark 0x2/0xf lookup 77
rule add pref 5000 iif lo ipproto tcp dport 8443 lookup 52\n";
const ROUTES: &str = "route replace 10.77.0.0/16 via 192.168.1.10 table 77
route replace 10.78.0.0/16 via 192.168.1.10 table 52
route replace fd77::/64 via fd00:1::10 table 77\n";
const TABLE: &str = "add table inet mine
add set inet mine hosts { type ipv4_addr; }
add element inet mine hosts { 192.0.2.1, 192.0.2.2 }
add chain inet mine prerouting { type filter hook prerouting priority -149; policy accept; }\n";

/// Puts it there.
pub(super) fn furnish(router: &Host) {
    let rules6 = RULES.replace("10.77.0.0/16", "fd77::/64");
    router.ip(&format!("{RULES}{ROUTES}"));
    router.ip6(&rules6);
    router.nft(TABLE);
    router.nft("add rule inet mine prerouting ip saddr @hosts counter");
}

/// Puts back what a vandal took of it.
pub(super) fn put_back(router: &Host) {
    for family in ["-4", "-6"] {
        for pref in ["10", "799", "802", "5000"] {
            while foreign_rule(router, family, pref) {
                let words = if pref == "802" { "fwmark 0x2/0xf lookup 77" } else { "" };
                let text = format!("{family} rule del pref {pref} {words}");
                let output = router.output("ip", &text.split_whitespace().collect::<Vec<_>>());
                assert_eq!(output.code, 0, "{text}: {}", output.stderr);
            }
        }
    }
    let _ = router.output("nft", &["delete", "table", "inet", "mine"]);
    furnish(router);
}

fn foreign_rule(router: &Host, family: &str, pref: &str) -> bool {
    let text = router.command("ip", &["-details", "-Numeric", family, "rule", "show", "pref", pref]);
    text.lines().any(|line| !line.contains(RULE_TAG))
}

/// Things of others that come and go beside ours, some of them in the middle of ours.
pub(super) fn come_and_go(router: &Host) {
    let lines = "rule add pref 803 fwmark 0x5/0xf lookup 77\nroute add default via 192.168.1.10 table 79 metric 3\n";
    router.ip(lines);
    router.nft("add table inet passing\nadd chain inet passing c { type filter hook prerouting priority -149; }");
    std::thread::sleep(std::time::Duration::from_millis(100));
    router.ip(&lines.replace(" add ", " del "));
    router.nft("delete table inet passing");
}

/// Everything of others: rules, routes of their tables, nft tables, names of tables.
pub(super) fn others(router: &Host) -> Vec<String> {
    let mut lines = Vec::new();
    for family in ["-4", "-6"] {
        let rules = router.command("ip", &["-details", "-Numeric", family, "rule", "show"]);
        // The kernel's own bear another tag when somebody has put them back.
        let tagless = |line: &str| line.split(" proto ").next().unwrap_or_default().to_owned();
        let foreign = rules.lines().filter(|line| !line.contains(RULE_TAG));
        lines.extend(foreign.map(|line| format!("rule {family} {}", tagless(line))));
        for table in ["52", "77", "78", "79"] {
            let routes = router.output("ip", &["-details", "-Numeric", family, "route", "show", "table", table]).stdout;
            lines.extend(routes.lines().map(|line| format!("route {family} table {table} {line}")));
        }
    }
    for table in ["fw4", "mine"] {
        let text = router.command("nft", &["--stateless", "list", "table", "inet", table]);
        lines.extend(text.lines().map(str::to_owned));
    }
    lines.extend(
        router
            .command("nft", &["list", "tables"])
            .lines()
            .filter(|line| !line.ends_with(" wansplit"))
            .map(str::to_owned),
    );
    let names = std::fs::read_to_string("/etc/iproute2/rt_tables").unwrap_or_default();
    lines.extend(names.lines().filter(|line| !line.ends_with("# wansplit")).map(str::to_owned));
    lines
}

/// Everything of ours, but for what the daemon keeps for itself.
pub(super) fn ours(router: &Host) -> Vec<String> {
    [rules(router), routes(router), table(router), names()].concat()
}

/// Our ip rules.
pub(super) fn rules(router: &Host) -> Vec<String> {
    let of = |family| {
        let text = router.command("ip", &["-details", "-Numeric", family, "rule", "show"]);
        // As long as its device is away a rule is marked so.
        let text = text.replace(" [detached]", "");
        text.lines().filter(|line| line.contains(RULE_TAG)).map(|line| format!("{family} {line}")).collect::<Vec<_>>()
    };
    ["-4", "-6"].map(of).concat()
}

/// Our routes, without what the kernel knows of their devices.
pub(super) fn routes(router: &Host) -> Vec<String> {
    let of = |family| {
        let text = router.command("ip", &["-details", "-Numeric", family, "route", "show", "table", "all"]);
        // The next hops of a route with several stand on lines of their own.
        let text = text.replace("\n\t", " ");
        let bare = |line: &str| {
            let words = line.split_whitespace().filter(|word| !["dead", "linkdown", "pref", "medium"].contains(word));
            format!("{family} {}", words.collect::<Vec<_>>().join(" "))
        };
        text.lines().filter(|line| line.contains(TAG)).map(bare).collect::<Vec<_>>()
    };
    ["-4", "-6"].map(of).concat()
}

/// Our nft table, without what it has learnt.
pub(super) fn table(router: &Host) -> Vec<String> {
    let text = router.output("nft", &["--stateless", "list", "table", "inet", "wansplit"]).stdout;
    let mut lines = Vec::new();
    let (mut block, mut learns, mut skips) = (String::new(), false, false);
    for line in text.lines().map(str::trim).filter(|line| !["", "}"].contains(line)) {
        if line.ends_with('{') && !line.starts_with("elements") {
            block = line.to_owned();
            learns = line.starts_with("set sticky");
        }
        skips = skips || (learns && line.starts_with("elements"));
        if !skips {
            lines.push(format!("{block} {line}"));
        }
        skips = skips && !line.ends_with('}');
    }
    lines
}

fn names() -> Vec<String> {
    let names = std::fs::read_to_string("/etc/iproute2/rt_tables").unwrap_or_default();
    names.lines().filter(|line| line.ends_with("# wansplit")).map(|line| format!("rt_tables: {line}")).collect()
}
