//! What the router itself sends: by the link its rule says, with that link's address.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Dial, INTERNET, Lab, Setup, Wan, Way};
use packet_support::{TWO_LINKS, applied, links};
use std::net::SocketAddr;

/// Takes the firewall's NAT away: what leaves now has the address its socket chose.
fn without_nat(lab: &Lab) {
    lab.router.nft("flush chain inet fw4 srcnat");
}

#[test]
fn rules_for_the_router_choose_link_and_address() {
    lab::isolated(|| {
        for main_default in [&[1][..], &[2], &[]] {
            let lab = Lab::with(&Setup { main_default: main_default.to_vec(), ..Setup::default() });
            let config = links("")
                + "config rule 'updates'
                     option from 'router'
                     list proto 'tcp'
                     list dest_port '443'
                     option use 'mail'
                   config rule 'time'
                     option from 'router'
                     list proto 'udp'
                     list dest_port '123'
                     option use 'OI'
                   config rule 'names'
                     option from 'any'
                     list dest_port '853'
                     option use 'web'\n";
            applied(&lab, &config);
            without_nat(&lab);
            for to in INTERNET {
                assert_eq!(lab.tcp(&lab.router, to, 443), Way::Link(2), "main {main_default:?}");
                assert_eq!(lab.udp(&lab.router, to, 123), Way::Link(2), "main {main_default:?}");
                assert_eq!(lab.tcp(&lab.router, to, 853), Way::Link(1), "main {main_default:?}");
                assert_eq!(lab.udp(&lab.router, to, 853), Way::Link(1), "main {main_default:?}");
                if let [link] = main_default {
                    assert_eq!(lab.udp(&lab.router, to, 443), Way::Link(*link), "no rule names udp 443");
                    assert_eq!(lab.tcp(&lab.router, to, 80), Way::Link(*link), "no rule names tcp 80");
                }
            }
            assert_eq!(lab.spoofed(), 0);
        }
    });
}

/// The kernel takes no ip rule that names port 0 or 65535, and one such rule would keep all others out.
#[test]
fn ports_up_to_the_last_one() {
    lab::isolated(|| {
        for (ports, held, others) in [
            ("1-65535", &[22, 443, 65535][..], &[][..]),
            ("!22", &[1, 21, 23, 443, 65534], &[22]),
            ("60000-65535", &[60000, 65534], &[443, 59999]),
        ] {
            let lab = Lab::new();
            let config = links("")
                + &format!(
                    "config rule 'own'\n  option from 'router'\n  list dest_port '{ports}'\n  option use 'OI'\n"
                );
            let wansplit = applied(&lab, &config);
            for to in INTERNET {
                for (ports, link) in [(held, 2), (others, 1)] {
                    for port in ports {
                        assert_eq!(lab.tcp(&lab.router, to, *port), Way::Link(link), "{ports:?}: tcp {port}");
                        assert_eq!(lab.udp(&lab.router, to, *port), Way::Link(link), "{ports:?}: udp {port}");
                    }
                }
                // What cannot be held is said beforehand, and `explain` knows.
                let said = wansplit.run(&["check"]).stderr.contains("port 65535");
                let answer =
                    wansplit.run(&["explain", "tcp", "router", &SocketAddr::new(to, 65535).to_string()]).stdout;
                assert_eq!(said, ports != "1-65535", "{ports}");
                assert_eq!(answer.contains("rule     'own'"), ports == "1-65535", "{ports}: {answer}");
            }
        }
    });
}

#[test]
fn a_rule_from_router_leaves_the_lan_alone_and_one_from_any_does_not() {
    lab::isolated(|| {
        let lab = Lab::new();
        let config = links("")
            + "config rule 'own'
                 option from 'router'
                 list dest_port '443'
                 option use 'OI'
               config rule 'both'
                 option from 'any'
                 list dest_port '853'
                 option use 'OI'\n";
        applied(&lab, &config);
        for to in INTERNET {
            assert_eq!(lab.tcp(&lab.lan, to, 443), Way::Link(1));
            assert_eq!(lab.tcp(&lab.lan, to, 853), Way::Link(2));
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn bound_sockets_go_by_their_link() {
    lab::isolated(|| {
        for main_default in [&[1][..], &[2], &[]] {
            let lab = Lab::with(&Setup { main_default: main_default.to_vec(), ..Setup::default() });
            applied(&lab, TWO_LINKS);
            without_nat(&lab);
            for (family, to) in INTERNET.into_iter().enumerate() {
                for link in [1, 2] {
                    let (device, address) = (Wan(link).device(), Wan(link).router()[family]);
                    let by_device = Dial { device: Some(device), ..Dial::default() };
                    let by_address = Dial { from: Some(address), ..Dial::default() };
                    for dial in [&by_device, &by_address] {
                        // Ports that rules name, for either link, and one that none does.
                        for port in [443, 25, 9000] {
                            let target = SocketAddr::new(to, port);
                            let case = format!("{dial:?} to {target}, main {main_default:?}");
                            assert_eq!(lab.router.run(|| dial.tcp(target)), Way::Link(link), "tcp {case}");
                            assert_eq!(lab.router.run(|| dial.udp(target)), Way::Link(link), "udp {case}");
                        }
                    }
                    assert!(lab.router.ping(to, &["-I", device]), "ping -I {device}, main {main_default:?}");
                    assert!(lab.router.ping(to, &["-I", &address.to_string()]), "ping -I {address}");
                }
            }
            assert_eq!(lab.spoofed(), 0);
        }
    });
}
