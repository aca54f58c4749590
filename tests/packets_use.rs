//! `wansplit use`: a command's packets go by its link, or not at all.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Host, INTERNET, Lab, Output, Setup, Wan, Wansplit, Way};
use packet_support::{applied, configured, links};
use std::fs;
use std::net::IpAddr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Child;
use std::time::Duration;

/// Opens a connection and prints the address that the server saw: `tcp|udp ADDRESS PORT`.
const DIAL: &str = "
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ':' in address else socket.AF_INET
s = socket.socket(family, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(2)
s.connect((address, port))
if kind == 'udp':
    s.send(b'hello')
print(s.recv(256).decode().split()[0])
";

/// Keeps trying for some seconds, by TCP and UDP in both families, on sockets old and new: `SECONDS PORT ADDRESS...`.
const INSIST: &str = "
import socket, sys, time
end, port = time.time() + float(sys.argv[1]), int(sys.argv[2])
old = []
for address in sys.argv[3:]:
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        s = socket.socket(family, kind)
        s.connect((address, port))
        s.send(b'hello')
        s.setblocking(False)
        old.append(s)
print('begun', flush=True)
while time.time() < end:
    for s in old:
        try: s.send(b'hello')
        except OSError: pass
    for address in sys.argv[3:]:
        family = socket.AF_INET6 if ':' in address else socket.AF_INET
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            s = socket.socket(family, kind)
            s.setblocking(False)
            try:
                s.connect((address, port))
                s.send(b'hello')
            except OSError: pass
    time.sleep(0.02)
";

/// Takes the firewall's NAT away: what leaves now has the address its socket chose.
fn without_nat(lab: &Lab) {
    lab.router.nft("flush chain inet fw4 srcnat");
}

fn by(wansplit: &Wansplit, link: &str, command: &[&str]) -> Output {
    wansplit.run(&[&["use", link], command].concat())
}

/// The way of a connection that a command opens.
fn dial(wansplit: &Wansplit, link: &str, kind: &str, to: IpAddr, port: u16) -> Way {
    let output = by(wansplit, link, &["python3", "-c", DIAL, kind, &to.to_string(), &port.to_string()]);
    match output.stdout.trim().parse() {
        Ok(seen) => Way::of(seen),
        Err(_) => panic!("{kind} to {to} by {link}: {}{}", output.stdout, output.stderr),
    }
}

fn says(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
    for part in parts {
        assert!(output.stderr.contains(part), "'{part}' is not in: {}", output.stderr);
    }
}

/// Rules for the router's own traffic that would send everything by EMB, or nowhere.
const CONTRARY: &str = "
    config rule 'https'
      option from 'router'
      list dest_port '443'
      option use 'EMB'
    config rule 'all'
      option from 'router'
      list dest_port '9000'
      option use 'unreachable'\n";

#[test]
fn a_commands_connections_go_by_its_link() {
    lab::isolated_as_root(|| {
        for (main_default, rp_filter) in [(&[1][..], 0), (&[1], 1), (&[2], 2), (&[], 0)] {
            let lab = Lab::with(&Setup { main_default: main_default.to_vec(), rp_filter, ..Setup::default() });
            let wansplit = applied(&lab, &(links("") + CONTRARY));
            without_nat(&lab);
            for (name, link) in [("EMB", 1), ("OI", 2)] {
                // What neighbours ask each other about addresses goes by either link.
                let sent = ["meta l4proto { tcp, udp }", "icmp type echo-request", "icmpv6 type echo-request"];
                let leaks = sent.map(|packets| lab.count_leaks(link, packets));
                for to in INTERNET {
                    for port in [443, 9000] {
                        for kind in ["tcp", "udp"] {
                            let way = dial(&wansplit, name, kind, to, port);
                            assert_eq!(way, Way::Link(link), "{kind} {to} {port} by {name}, main {main_default:?}");
                        }
                    }
                    let ping = by(&wansplit, name, &["ping", "-n", "-c", "1", "-W", "2", &to.to_string()]);
                    assert_eq!(ping.code, 0, "{to} by {name}: {}{}", ping.stdout, ping.stderr);
                }
                let leaked = leaks.map(|leaks| leaks.packets());
                assert_eq!(leaked, [0; 3], "by {name}, main {main_default:?}");
            }
            assert_eq!(lab.spoofed(), 0);
        }
    });
}

#[test]
fn a_rule_for_users_steers_the_routers_own_programs() {
    lab::isolated_as_root(|| {
        let lab = Lab::new();
        let config = links("")
            + "config rule 'some'
                 option from 'router'
                 list uid '1000-1999'
                 list uid '!1500'
                 option use 'OI'
               config rule 'one'
                 option from 'router'
                 list uid '2500'
                 list proto 'tcp'
                 list dest_port '443'
                 option use 'OI'\n";
        let wansplit = applied(&lab, &config);
        without_nat(&lab);
        let dial = |host: &Host, user: u32, to: IpAddr, port: u16| {
            let user = user.to_string();
            // The interpreter may lie where only root looks.
            let words = [
                "--reuid",
                &user,
                "--inh-caps",
                "+dac_override",
                "--ambient-caps",
                "+dac_override",
                "python3",
                "-c",
                DIAL,
                "tcp",
            ];
            let output = host.output("setpriv", &[&words[..], &[&to.to_string(), &port.to_string()]].concat());
            Way::of(output.stdout.trim().parse().unwrap_or_else(|_| panic!("{}", output.stderr)))
        };
        for to in INTERNET {
            for (user, port, link) in [
                (0, 443, 1),
                (1000, 80, 2),
                (1499, 443, 2),
                (1500, 443, 1),
                (1999, 443, 2),
                (2000, 443, 1),
                (2500, 443, 2),
                (2500, 80, 1),
            ] {
                assert_eq!(dial(&lab.router, user, to, port), Way::Link(link), "user {user} to {to} {port}");
                let words = ["explain", "--json", "--uid", &user.to_string(), "tcp", "router"];
                let explained =
                    wansplit.run(&[&words[..], &[&std::net::SocketAddr::new(to, port).to_string()]].concat());
                let explained: serde_json::Value = serde_json::from_str(&explained.stdout).unwrap();
                let by = explained["paths"][0]["links"][0].as_str();
                assert_eq!(by, (link == 2).then_some("OI"), "{explained:#}");
                assert_ne!(explained["kernel"][0]["agrees"], false, "{explained:#}");
            }
            // Nobody known: no rule by user matches, and the kernel is asked for nobody.
            let nobody = wansplit.run(&["explain", "tcp", "router", &std::net::SocketAddr::new(to, 443).to_string()]);
            assert!(nobody.stdout.contains("another user, or none known (give --uid)"), "{}", nobody.stdout);
        }
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn a_link_that_is_down_is_refused() {
    lab::isolated_as_root(|| {
        let lab = Lab::new();
        let wansplit = configured(&lab, &links(""));
        says(&by(&wansplit, "OI", &["true"]), 4, &["does not hold the rules", "wansplit apply", "was not run"]);
        wansplit.apply();
        assert_eq!(by(&wansplit, "OI", &["true"]).code, 0);
        lab.provider(2).carrier(false);
        let refused = by(&wansplit, "OI", &["echo", "run"]);
        says(&refused, 4, &["link OI is down (IPv4: no carrier; IPv6: no carrier)", "was not run"]);
        assert_eq!(refused.stdout, "");
        let explained = wansplit.run(&["explain", "--uid", "1465057282", "tcp", "router", "192.0.2.10:80"]).stdout;
        for part in ["a command bound to link OI sends it", "none: it is down, and the packet is refused", ": agrees"] {
            assert!(explained.contains(part), "'{part}' is not in: {explained}");
        }
        assert_eq!(by(&wansplit, "EMB", &["true"]).code, 0);
        lab.provider(2).carrier(true);
        lab.interface_down(2);
        says(&by(&wansplit, "OI", &["true"]), 4, &["link OI is down", "switched off"]);
        lab.interface_up(2);
        wansplit.apply();
        assert_eq!(by(&wansplit, "OI", &["true"]).code, 0);
        wansplit.stop();
        says(&by(&wansplit, "OI", &["true"]), 4, &["does not hold the rules"]);
        wansplit.configure(&links("").replace("enabled '1'", "enabled '0'"));
        says(&by(&wansplit, "OI", &["true"]), 4, &["switched off in its configuration"]);
    });
}

#[test]
fn its_rules_are_seen_mended_and_removed() {
    lab::isolated_as_root(|| {
        let lab = Lab::new();
        let listed = || lab.router.command("ip", &["rule"]) + &lab.router.command("ip", &["-6", "rule"]);
        let before = listed();
        let wansplit = applied(&lab, &links(""));
        assert_eq!(listed().matches("uidrange").count(), 6);
        assert!(wansplit.apply().starts_with("nothing changed"));
        for rule in ["uidrange 1465057282-1465057282", "uidrange 1465057280-1465122815"] {
            let listing = lab.router.command("ip", &["-6", "rule"]);
            let line = listing.lines().find(|line| line.contains(rule)).unwrap();
            let priority = line.split(':').next().unwrap();
            // Somebody else's that looks much the same must not be taken for it.
            lab.router.ip6(&format!("rule add pref {priority} iif lo uidrange 5-6 unreachable"));
            lab.router.ip6(&format!("rule del pref {priority} {rule}"));
            let drift = wansplit.status()["drift"].to_string();
            assert!(drift.contains(rule), "{drift}");
            says(&by(&wansplit, "OI", &["true"]), 4, &["does not hold the rules"]);
            assert_eq!(wansplit.apply().lines().count(), 1);
            assert_eq!(by(&wansplit, "OI", &["true"]).code, 0);
            assert_eq!(lab.router.command("ip", &["-6", "rule"]).matches("uidrange 5-6").count(), 1);
            lab.router.ip6(&format!("rule del pref {priority} uidrange 5-6"));
        }
        let shown = wansplit.run(&["show", "ip"]).stdout;
        let expected = "ip -6 rule add pref 805 iif lo uidrange 1465057280-1465122815 unreachable protocol 119";
        assert!(shown.lines().any(|line| line == expected), "{shown}");
        wansplit.stop();
        assert_eq!(listed(), before);
        // What `show ip` prints is what `apply` does.
        for line in shown.lines().filter(|line| line.contains("uidrange")) {
            lab.router.command("sh", &["-c", line]);
        }
        assert_eq!(listed().matches("uidrange").count(), 6);
        wansplit.apply();
        assert_eq!(listed().matches("uidrange").count(), 6, "they are taken for what they are");
    });
}

/// A command that goes on, once it has begun.
fn insisting(wansplit: &Wansplit, seconds: &str) -> Child {
    use std::io::Read;
    let addresses = INTERNET.map(|address| address.to_string());
    let mut child =
        wansplit.start(&["use", "OI", "python3", "-c", INSIST, seconds, "9000", &addresses[0], &addresses[1]]);
    let mut begun = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"begun\n");
    child
}

#[test]
fn nothing_leaves_by_another_link_when_its_own_dies() {
    lab::isolated_as_root(|| {
        for fallback in ["main", "unreachable"] {
            let lab = Lab::new();
            let wansplit = applied(&lab, &links(&format!("option fallback '{fallback}'")));
            let leaks = lab.count_leaks(2, "meta l4proto { tcp, udp } th dport 9000");
            let own = lab.provider(2).count("meta l4proto { tcp, udp } th dport 9000");
            // Its cable, the device's addresses, and the link's route: three ways to die.
            let died: [&dyn Fn(); 2] = [&|| lab.provider(2).carrier(false), &|| lab.interface_down(2)];
            let mended: [&dyn Fn(); 2] = [&|| lab.provider(2).carrier(true), &|| lab.interface_up(2)];
            for (die, mend) in died.into_iter().zip(mended) {
                let mut child = insisting(&wansplit, "1.5");
                die();
                // What was on its way before has arrived.
                std::thread::sleep(Duration::from_millis(200));
                wansplit.apply();
                assert!(child.wait().unwrap().success());
                assert_eq!(leaks.packets(), 0, "fallback {fallback}");
                mend();
                wansplit.apply();
                assert_eq!(dial(&wansplit, "OI", "tcp", INTERNET[0], 9000), Way::Link(2));
            }
            assert!(own.packets() > 20, "it did send: {}", own.packets());
            assert_eq!(lab.spoofed(), 0);
        }
    });
}

#[test]
fn the_command_is_roots_but_for_its_number() {
    lab::isolated_as_root(|| {
        let lab = Lab::new();
        let wansplit = applied(&lab, &links(""));
        let output = |command: &[&str]| {
            let output = by(&wansplit, "OI", command);
            assert_eq!(output.code, 0, "{command:?}: {}{}", output.stdout, output.stderr);
            output.stdout.trim().to_owned()
        };
        // Mark 2 of links().
        assert_eq!(output(&["sh", "-c", "id -u; id -g"]), "1465057282\n0");
        // Files that only root may touch, and what only root may do.
        fs::write("/run/secret", "read").unwrap();
        fs::set_permissions("/run/secret", fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(output(&["cat", "/run/secret"]), "read");
        output(&["sh", "-c", "umask 077; echo more >> /run/secret && echo new > /run/made && chown 0 /run/made"]);
        assert_eq!(fs::read_to_string("/run/secret").unwrap(), "read\nmore\n".replace("read\n", "read"));
        let made = fs::metadata("/run/made").unwrap();
        assert_eq!((made.uid(), made.mode() & 0o777), (0, 0o600));
        output(&["ip", "link", "add", "test0", "type", "veth"]);
        output(&["ip", "link", "del", "test0"]);
        let status = output(&["grep", "-E", "^(Cap(Prm|Eff|Inh|Amb)|NoNewPrivs|SigBlk)", "/proc/self/status"]);
        let own = fs::read_to_string("/proc/self/status").unwrap();
        let permitted = own.lines().find_map(|line| line.strip_prefix("CapPrm:")).unwrap().trim();
        for line in status.lines() {
            let (name, value) = line.split_once(':').unwrap();
            let expected = match name {
                "NoNewPrivs" => "1",
                "SigBlk" => "0000000000000000",
                _ => permitted,
            };
            assert_eq!(value.trim(), expected, "{line}");
        }
        // A program with the set-user-id bit stays who it is, and on its link.
        fs::copy(fs::canonicalize("/usr/bin/id").unwrap(), "/run/id").unwrap();
        fs::set_permissions("/run/id", fs::Permissions::from_mode(0o4755)).unwrap();
        assert_eq!(output(&["/run/id", "-u"]), "1465057282");
    });
}

#[test]
fn words_and_exit_codes_are_the_commands() {
    lab::isolated_as_root(|| {
        let lab = Lab::new();
        let wansplit = applied(&lab, &links(""));
        let words = ["printf", "%s|", "-4", "--interface", "x", "--config", "/none", "--help", "a=b", "--x=y", "help"];
        let printed = by(&wansplit, "OI", &words);
        assert_eq!(
            (printed.code, printed.stdout.as_str()),
            (0, "-4|--interface|x|--config|/none|--help|a=b|--x=y|help|")
        );
        assert_eq!(by(&wansplit, "OI", &["sh", "-c", "exit 42"]).code, 42);
        assert_eq!(by(&wansplit, "OI", &["sh", "-c", "kill -TERM $$"]).code, -1, "the signal is the command's");
        says(&by(&wansplit, "OI", &["no-such-command"]), 127, &["there is no command 'no-such-command'"]);
        says(&by(&wansplit, "OI", &["/run"]), 126, &["cannot run '/run'"]);
        says(&by(&wansplit, "OJ", &["true"]), 2, &["there is no link 'OJ': did you mean 'OI'?"]);
        says(&by(&wansplit, "zzzz", &["true"]), 2, &["there is no link 'zzzz': there are EMB, OI"]);
        says(&by(&wansplit, "web", &["true"]), 2, &["that is a policy"]);
        says(&by(&wansplit, "OI", &[]), 2, &["say what to run by OI"]);
        // Not root.
        let mut command = wansplit.prepare(&["use", "OI", "true"]);
        std::os::unix::process::CommandExt::uid(&mut command, 1000);
        let output: Output = lab.router.start(&mut command).wait_with_output().unwrap().into();
        says(&output, 3, &["only root can bind a command to a link"]);
    });
}

#[test]
fn where_there_are_no_users_the_rest_works() {
    // The usual isolation has one user id, root's, as a container may.
    lab::isolated(|| {
        let lab = Lab::new();
        let config = links("")
            + "config rule 'users'
                 option from 'router'
                 list uid '0-1000'
                 option use 'OI'\n";
        let wansplit = applied(&lab, &config);
        without_nat(&lab);
        assert_eq!(lab.tcp(&lab.router, INTERNET[0], 80), Way::Link(2));
        assert!(wansplit.apply().starts_with("nothing changed"));
        says(&by(&wansplit, "OI", &["true"]), 4, &["was not lent user id 1465057282", "/proc/self/uid_map"]);
        assert_eq!(Wan(2).device(), "eth2");
    });
}
