//! Echo probes: by the right link, by every kind of socket, and through the loss of the device.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod probe_support;

use lab::{Counter, INTERNET, Lab, Wan};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, poll};
use probe_support::{Bench, Heard, KINDS, PATIENCE, SILENCE, add_probe_routes, allow, host, internet, lab, way};
use std::os::fd::AsFd;
use std::time::Duration;
use wansplit::config::model::Method::Ping;
use wansplit::probe::Way;

fn echoes(lab: &Lab, link: u8) -> Counter<'_> {
    lab.provider(link).count("icmp type echo-request")
}

#[test]
fn every_link_is_asked_by_itself_in_both_families() {
    lab::isolated(|| {
        let lab = lab();
        for kind in KINDS {
            allow(&lab, kind);
            lab.router.run(|| {
                let mut bench = Bench::new();
                for host in internet() {
                    for link in [1, 2] {
                        bench.is_answered(&way(link), Ping, host);
                    }
                }
                assert_eq!(bench.prober.sockets(), 4);
                for host in internet() {
                    for link in [1, 2] {
                        bench.is_answered(&way(link), Ping, host);
                    }
                }
                assert_eq!(bench.prober.sockets(), 4, "they are kept");
                drop(bench);
                for file in ["icmp", "icmp6", "raw", "raw6"] {
                    let sockets = std::fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap();
                    assert_eq!(sockets.lines().count(), 1, "a heading only: {file}\n{sockets}");
                }
            });
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn the_kind_of_socket_follows_ping_group_range() {
    lab::isolated(|| {
        let lab = lab();
        for kind in KINDS {
            allow(&lab, kind);
            lab.router.run(|| {
                let mut bench = Bench::new();
                for host in internet() {
                    bench.is_answered(&way(2), Ping, host);
                }
                for file in [kind.to_owned(), format!("{kind}6")] {
                    let sockets = std::fs::read_to_string(format!("/proc/thread-self/net/{file}")).unwrap();
                    assert_eq!(sockets.lines().count(), 2, "{file}\n{sockets}");
                }
            });
        }
    });
}

#[test]
fn probes_leave_by_their_link_whatever_main_and_the_links_own_table_say() {
    lab::isolated(|| {
        let lab = lab();
        let [by_1, by_2] = [1, 2].map(|link| echoes(&lab, link));
        lab.router.run(|| {
            let mut bench = Bench::new();
            for host in internet() {
                bench.is_answered(&way(2), Ping, host);
            }
            // Nothing but the probe table knows a way to the Internet any more.
            lab.router.ip("route flush default");
            lab.router.ip6("route flush default");
            for host in internet() {
                bench.is_answered(&way(1), Ping, host);
                bench.is_answered(&way(2), Ping, host);
            }
        });
        assert_eq!((by_1.packets(), by_2.packets()), (1, 2), "IPv4 requests by link 1 and 2");
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn without_a_route_ipv6_is_a_local_error_and_ipv4_is_silence() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.ip("route flush table 502");
        lab.router.ip6("route flush table 502");
        lab.router.run(|| {
            let mut bench = Bench::new();
            let [v4, v6] = internet();
            // The kernel takes the host for a neighbour on the device, and looks for it by ARP: a test of nothing. And never
            // does it fall back to link 1, where main's default is.
            bench.is_silent(&way(2), Ping, v4);
            let heard = bench.probe(&way(2), Ping, v6, SILENCE);
            assert!(matches!(heard, Heard::Unsent(unsent) if unsent.errno == Errno::ENETUNREACH), "{heard:?}");
        });
    });
}

#[test]
fn an_answer_never_comes_by_another_link() {
    lab::isolated(|| {
        let lab = lab();
        for kind in KINDS {
            allow(&lab, kind);
            // What link 2's provider is sent comes back by link 1, from the right host.
            lab.internet.ip(&format!(
                "route replace {} via 10.9.1.1 src {}\nroute replace {} via fd09:1::1 src {}",
                Wan(2).networks()[0],
                INTERNET[0],
                Wan(2).networks()[1],
                INTERNET[1]
            ));
            lab.provider(1).host.ip(&format!(
                "route replace {} via {}\nroute replace {} via {}",
                Wan(2).networks()[0],
                Wan(1).router()[0],
                Wan(2).networks()[1],
                Wan(1).router()[1]
            ));
            lab.router.nft(&format!(
                "table inet answers {{
                   counter strayed {{}}
                   chain prerouting {{
                     type filter hook prerouting priority raw; policy accept;
                     iifname eth1 ip daddr {} icmp type echo-reply counter name strayed
                     iifname eth1 ip6 daddr {} icmpv6 type echo-reply counter name strayed
                   }}
                 }}",
                Wan(2).router()[0],
                Wan(2).router()[1]
            ));
            lab.router.run(|| {
                let mut bench = Bench::new();
                for host in internet() {
                    bench.is_silent(&way(2), Ping, host);
                    bench.is_answered(&way(1), Ping, host);
                }
            });
            assert_eq!(lab.router.counted("answers", "strayed"), 2, "they did come");
            lab.router.nft("delete table inet answers");
        }
    });
}

#[test]
fn a_provider_that_loses_everything_is_silence() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            lab.provider(2).host.nft(
                "add table inet lost
                add chain inet lost everything { type filter hook prerouting priority raw - 1; policy accept; }
                add rule inet lost everything ip6 nexthdr icmpv6 icmpv6 type echo-request drop
                add rule inet lost everything icmp type echo-request drop",
            );
            for host in internet() {
                bench.is_silent(&way(2), Ping, host);
                bench.is_answered(&way(1), Ping, host);
            }
            lab.provider(2).host.nft("delete table inet lost");
            for host in internet() {
                bench.is_answered(&way(2), Ping, host);
            }
        });
    });
}

#[test]
fn an_expired_probe_is_not_answered_late() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            bench.is_answered(&way(1), Ping, host(INTERNET[0]));
            let early = bench.send(&way(1), Ping, host(INTERNET[0]));
            // The reply is in the socket by now or soon.
            bench.prober.expire(Duration::MAX);
            let late = bench.send(&way(1), Ping, host(INTERNET[0]));
            let heard = bench.hear_all(SILENCE, 2);
            assert_eq!(heard.iter().map(|answer| answer.token).collect::<Vec<_>>(), [late], "not {early:?}");
        });
    });
}

#[test]
fn replies_to_others_wake_nobody() {
    lab::isolated(|| {
        let lab = lab();
        for kind in KINDS {
            allow(&lab, kind);
            lab.router.run(|| {
                let mut bench = Bench::new();
                for (family, host) in internet().into_iter().enumerate() {
                    bench.is_answered(&way(1), Ping, host);
                    assert!(lab.router.ping(INTERNET[family], &["-I", "eth1"]), "its reply comes by the same device");
                    let woken = poll(&mut [PollFd::new(bench.prober.as_fd(), PollFlags::POLLIN)], 100u16).unwrap();
                    assert_eq!(woken, 0, "{kind} {host:?}");
                }
            });
        }
    });
}

#[test]
fn many_hosts_share_a_socket_and_keep_their_answers_apart() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            let mut asked = Vec::new();
            for last in 1..=50 {
                asked.push(bench.send(&way(2), Ping, host(format!("192.0.2.{last}").parse().unwrap())));
                asked.push(bench.send(&way(2), Ping, host(format!("2001:db8:ffff::{last}").parse().unwrap())));
            }
            let mut heard: Vec<_> = bench.hear_all(PATIENCE, 100).into_iter().map(|answer| answer.token).collect();
            heard.sort();
            assert_eq!(heard, asked);
            assert_eq!(bench.prober.sockets(), 2);
        });
    });
}

#[test]
fn a_device_that_is_off_is_a_local_error_until_it_is_on_again() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.run(|| {
            let mut bench = Bench::new();
            for host in internet() {
                bench.is_answered(&way(2), Ping, host);
            }
            lab.interface_down(2);
            for host in internet() {
                let heard = bench.probe(&way(2), Ping, host, SILENCE);
                assert!(
                    matches!(heard, Heard::Unsent(unsent)
                    if [Errno::ENETUNREACH, Errno::ENETDOWN, Errno::EHOSTUNREACH].contains(&unsent.errno)),
                    "{heard:?}"
                );
                bench.is_answered(&way(1), Ping, host);
            }
            lab.interface_up(2);
            add_probe_routes(&lab.router, 2);
            for host in internet() {
                bench.is_answered(&way(2), Ping, host);
            }
        });
    });
}

#[test]
fn a_device_that_comes_back_with_another_number_is_found_again() {
    lab::isolated(|| {
        let lab = lab();
        for kind in KINDS {
            allow(&lab, kind);
            lab.router.run(|| {
                let mut bench = Bench::new();
                for host in internet() {
                    bench.is_answered(&way(2), Ping, host);
                }
                lab.router.ip("link set eth2 down\nlink set eth2 name away");
                for host in internet() {
                    let heard = bench.probe(&way(2), Ping, host, SILENCE);
                    assert!(matches!(heard, Heard::Unsent(_)), "{heard:?}");
                }
                lab.router.ip("link del away");
                for host in internet() {
                    let heard = bench.probe(&way(2), Ping, host, SILENCE);
                    assert!(matches!(heard, Heard::Unsent(unsent) if unsent.errno == Errno::ENODEV), "{heard:?}");
                }
                // The cable is laid again; both ends have new numbers.
                lab.provider(2).host.cable("customer", &lab.router, "eth2");
                let [gateway4, gateway6] = Wan(2).gateway();
                lab.provider(2)
                    .host
                    .ip(&format!("addr add {gateway4}/24 dev customer\naddr add {gateway6}/64 dev customer nodad"));
                lab.interface_up(2);
                add_probe_routes(&lab.router, 2);
                for host in internet() {
                    bench.is_answered(&way(2), Ping, host);
                }
                assert_eq!(bench.prober.sockets(), 2);
                bench.prober.forget(&|way| way.device == "eth2");
                assert_eq!(bench.prober.sockets(), 0);
                bench.is_answered(&way(2), Ping, host(INTERNET[1]));
            });
        }
    });
}

#[test]
fn a_link_with_a_prefix_and_no_address_is_asked_from_the_prefix() {
    lab::isolated(|| {
        let lab = lab();
        lab.router.ip("addr add 2001:db8:2:100::1/64 dev eth0 nodad");
        lab.router.ip(&format!("addr del {}/64 dev eth2", Wan(2).router()[1]));
        lab.router.ip6("route replace default via fe80::1 dev eth2 table 502");
        lab.provider(2).host.ip("addr add fe80::1/64 dev customer nodad");
        let own = lab.router.command("ip", &["-o", "-6", "addr", "show", "dev", "eth2", "scope", "link"]);
        let own = own.split_whitespace().nth(3).unwrap().split('/').next().unwrap().to_owned();
        lab.provider(2).host.ip(&format!("route replace 2001:db8:2:100::/56 via {own} dev customer"));
        for kind in KINDS {
            allow(&lab, kind);
            lab.router.run(|| {
                let mut bench = Bench::new();
                let sourced = Way { source: Some("2001:db8:2:100::1".parse().unwrap()), ..way(2) };
                bench.is_answered(&sourced, Ping, host(INTERNET[1]));
                let foreign = Way { source: Some("2001:db8:2:100::2".parse().unwrap()), ..way(2) };
                let heard = bench.probe(&foreign, Ping, host(INTERNET[1]), SILENCE);
                assert!(matches!(heard, Heard::Unsent(unsent) if unsent.errno == Errno::EADDRNOTAVAIL), "{heard:?}");
                // A gateway by its link-local address needs no more than the device.
                bench.is_answered(&way(2), Ping, host("fe80::1".parse().unwrap()));
            });
        }
        assert_eq!(lab.spoofed(), 0);
    });
}
