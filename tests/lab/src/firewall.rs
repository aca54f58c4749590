//! The router's firewall: what fw4 makes of a default OpenWrt configuration, by hand.

use crate::address::{LAN, Wan};

/// The ruleset for these links: their devices masquerade IPv4 and ULA, port 8022 goes to the LAN host's ssh. With
/// `offload` there is a flowtable of all devices, and the first rule of forward fills it, as fw4 has it.
pub(crate) fn ruleset(wans: &[Wan], offload: bool) -> String {
    let devices = wans.iter().map(|wan| wan.device()).collect::<Vec<_>>().join(", ");
    let [lan4, lan6] = LAN;
    let (flowtable, hand_over) = if offload {
        (
            format!("flowtable ft {{ hook ingress priority filter; devices = {{ eth0, eth3, {devices} }}; }}"),
            "meta l4proto { tcp, udp } flow add @ft",
        )
    } else {
        (String::new(), "")
    };
    format!(
        "table inet fw4 {{
           {flowtable}
           chain input {{
             type filter hook input priority filter; policy drop;
             iif lo accept
             ct state vmap {{ established : accept, related : accept, invalid : drop }}
             iifname {{ eth0, eth3 }} accept
             meta l4proto {{ icmp, ipv6-icmp }} accept
             tcp dport {{ 22, 80 }} accept
             reject with icmpx port-unreachable
           }}
           chain forward {{
             type filter hook forward priority filter; policy drop;
             {hand_over}
             ct state vmap {{ established : accept, related : accept, invalid : drop }}
             iifname {{ eth0, eth3 }} accept
             ct status dnat accept
             reject with icmpx port-unreachable
           }}
           chain output {{
             type filter hook output priority filter; policy accept;
             oif lo accept
             ct state vmap {{ established : accept, related : accept }}
           }}
           chain prerouting {{ type filter hook prerouting priority filter; policy accept; }}
           chain raw_prerouting {{ type filter hook prerouting priority raw; policy accept; }}
           chain mangle_prerouting {{ type filter hook prerouting priority mangle; policy accept; }}
           chain mangle_postrouting {{
             type filter hook postrouting priority mangle; policy accept;
             oifname {{ {devices} }} tcp flags syn tcp option maxseg size set rt mtu
           }}
           chain mangle_output {{ type route hook output priority mangle; policy accept; }}
           chain mangle_forward {{ type filter hook forward priority mangle; policy accept; }}
           chain dstnat {{
             type nat hook prerouting priority dstnat; policy accept;
             iifname {{ {devices} }} meta nfproto ipv4 tcp dport 8022 dnat ip to {lan4}:22
             iifname {{ {devices} }} meta nfproto ipv6 tcp dport 8022 dnat ip6 to [{lan6}]:22
           }}
           chain srcnat {{
             type nat hook postrouting priority srcnat; policy accept;
             oifname {{ {devices} }} meta nfproto ipv4 masquerade
             oifname {{ {devices} }} ip6 saddr fd00::/8 masquerade
           }}
         }}"
    )
}
