//! The words of one of the programs.

use crate::config::source::Document;

/// Which program wrote a file, and its words.
pub struct Dialect {
    /// The program and its service.
    pub program: &'static str,
    /// Sections that give an interface its metric and weight.
    pub member: &'static str,
    /// Sections that group those.
    pub policy: &'static str,
    /// The list of members in a policy.
    pub use_member: &'static str,
    /// What a rule uses.
    pub use_policy: &'static str,
    /// Whether it works by nftables: mwan4, or the port of mwan3. The two know ICMPv6 by the name of icmp.
    pub nftables: bool,
    /// Whether it is mwan4.
    pub mwan4: bool,
}

/// Options only the port to nftables has, and the sections they are in.
const OF_THE_PORT: [(&str, &str); 9] = [
    ("globals", "iif_rule_base"),
    ("globals", "fwmark_rule_base"),
    ("globals", "bypass_network"),
    ("globals", "ipv6_routing"),
    ("interface", "track_gateway"),
    ("interface", "snat6"),
    ("rule", "enabled"),
    ("rule", "fwmark"),
    ("rule", "ipset_src"),
];

impl Dialect {
    /// The one a file is in.
    pub fn of(document: &Document) -> Self {
        let mut sections = document.sections.iter();
        let mwan4 = sections.any(|section| {
            matches!(section.kind.value.as_ref(), "strategy" | "route")
                || section
                    .options
                    .iter()
                    .any(|option| matches!(option.name.value.as_ref(), "use_route" | "use_strategy"))
        });
        if mwan4 {
            return Self {
                program: "mwan4",
                member: "route",
                policy: "strategy",
                use_member: "use_route",
                use_policy: "use_strategy",
                nftables: true,
                mwan4,
            };
        }
        let nftables = document.sections.iter().any(|section| {
            let kind = section.kind.value.as_ref();
            let own = |name: &str| OF_THE_PORT.contains(&(kind, name));
            kind == "ipset" || section.options.iter().any(|option| own(&option.name.value))
        });
        Self {
            program: "mwan3",
            member: "member",
            policy: "policy",
            use_member: "use_member",
            use_policy: "use_policy",
            nftables,
            mwan4,
        }
    }

    /// Whether it has sections of a type.
    pub fn knows(&self, kind: &str) -> bool {
        matches!(kind, "globals" | "interface" | "rule" | "ipset") || kind == self.member || kind == self.policy
    }
}
