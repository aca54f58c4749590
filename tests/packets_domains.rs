//! Domains: dnsmasq answers the clients and fills the sets, and their packets take the link of the rule.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dns_support;
mod packet_support;

use dns_support::{DIRECTORY, Dns, FILE, address, elements, file, log, resolve, ways};
use lab::{Lab, Setup, Way};
use packet_support::{applied, configured, links, rule};
use serde_json::Value;

const BY_1: [Way; 2] = [Way::Link(1); 2];
const BY_2: [Way; 2] = [Way::Link(2); 2];

/// The links, the directory, and what else there is. What no rule matches goes by link 1.
fn config(more: &str) -> String {
    links("").replace("option enabled '1'", &format!("option enabled '1'\n  list dnsmasq_dir '{DIRECTORY}'")) + more
}

fn domains(name: &str, domains: &[&str], more: &str, target: &str) -> String {
    let list: String = domains.iter().map(|domain| format!("  list dest_domain '{domain}'\n")).collect();
    format!("config rule '{name}'\n{list}{more}\n  option use '{target}'\n")
}

#[test]
fn a_domain_and_its_subdomains_take_their_link_and_others_do_not() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let before = dns.starts();
        let wansplit = applied(&lab, &config(&domains("shows", &["example.com"], "", "OI")));
        dns.wait_for_starts(&lab, before + 1);
        // Nobody has asked: the router cannot know.
        assert_eq!(address(50).map(|to| lab.tcp(&lab.lan, to, 443)), BY_1);
        for name in ["example.com", "video.example.com", "a.video.example.com", "www.example.com"] {
            assert_eq!(ways(&lab, name, 443), BY_2, "{name}");
        }
        for name in ["notexample.com", "example.org"] {
            assert_eq!(ways(&lab, name, 443), BY_1, "{name}");
        }
        // Not for TCP alone.
        assert_eq!(address(50).map(|to| lab.udp(&lab.lan, to, 9999)), BY_2);
        assert_eq!(elements(&lab, "rule_domains4_shows").unwrap().len(), 4);
        assert_eq!(elements(&lab, "rule_domains6_shows").unwrap().len(), 4);
        assert_eq!(lab.spoofed(), 0);
        // Applied again, nothing is written and dnsmasq goes on.
        assert!(wansplit.apply().contains("nothing changed"));
        assert_eq!(dns.starts(), before + 1);
        assert!(!log().contains("No such file"), "{}", log());
    });
}

#[test]
fn explain_asks_the_kernel_what_is_in_the_sets() {
    lab::isolated(|| {
        let lab = Lab::new();
        let _dns = Dns::start(&lab);
        let set = "config set 'television'\n  list domain 'example.org'\n
                   config rule 'tv'\n  list dest_set 'television'\n  option use 'OI'\n";
        let wansplit = applied(&lab, &config(&(domains("shows", &["example.com"], "", "OI") + set)));
        let explain = |to: String| {
            let output = wansplit.run(&["explain", "tcp", "192.168.1.10:40000", &to]);
            assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
            output.stdout
        };
        let known = |n: u8| explain(format!("{}:443", address(n)[0]));
        let answer = known(50);
        assert!(answer.contains("rule 'shows': the destination address is not of domain example.com (no"), "{answer}");
        assert!(answer.contains("rule 'tv': the destination address is not of set 'television'\n"), "{answer}");
        assert!(answer.contains("no rule matches"), "{answer}");
        resolve(&lab, "video.example.com");
        resolve(&lab, "example.org");
        let answer = known(51);
        assert!(answer.contains("set      its destination address is of domain example.com\n"), "{answer}");
        assert!(answer.contains("link     OI") && answer.contains("agrees"), "{answer}");
        assert!(known(70).contains("set      its destination address is of set 'television'\n"), "{}", known(70));
        let json =
            wansplit.run(&["explain", "--json", "udp", "192.168.1.10:40000", &format!("{}:443", address(51)[0])]);
        let json: Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(json["sets"], serde_json::json!(["its destination address is of domain example.com"]), "{json:#}");
        let v6 = wansplit.run(&["explain", "tcp", "[fd00:1::10]:40000", &format!("[{}]:443", address(51)[1])]).stdout;
        assert!(v6.contains("of domain example.com\n") && v6.contains("link     OI"), "{v6}");
    });
}

#[test]
fn one_domain_in_several_rules_and_a_narrower_one_beside_a_wider() {
    lab::isolated(|| {
        let lab = Lab::new();
        let _dns = Dns::start(&lab);
        let rules = domains("to_web", &["example.com"], "  list dest_port '443'", "OI")
            + &domains("to_mail", &["example.com"], "  list dest_port '25'", "EMB")
            + &domains("video", &["video.example.com"], "", "OI")
            + "config set 'both'\n  list domain 'example.com'\n  list domain 'example.org'\n
               config rule 'rest'\n  list dest_set 'both'\n  list dest_port '8000'\n  option use 'OI'\n";
        let lab_config = config(&rules).replace("list dnsmasq_dir", "option log_level 'debug'\n  list dnsmasq_dir");
        applied(&lab, &lab_config);
        // main's default is link 1's, so what goes by link 2 does so by a rule.
        for (name, port, expected) in [
            ("example.com", 443, BY_2),
            ("example.com", 25, BY_1),
            ("example.com", 8000, BY_2),
            ("example.com", 22, BY_1),
            ("a.video.example.com", 443, BY_2),
            ("video.example.com", 25, BY_1),
            ("video.example.com", 22, BY_2),
            ("example.org", 8000, BY_2),
            ("example.org", 443, BY_1),
        ] {
            assert_eq!(ways(&lab, name, port), expected, "{name}:{port}");
        }
        assert!(!log().contains("No such file"), "{}", log());
    });
}

#[test]
fn what_dnsmasq_has_put_in_survives_other_changes() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let shows = domains("shows", &["example.com"], "", "OI");
        let wansplit = applied(&lab, &config(&shows));
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
        let (starts, to) = (dns.starts(), address(50));
        let mut daemon = wansplit.daemon(&[]);
        let still = |what: &str| {
            assert_eq!(to.map(|to| lab.tcp(&lab.lan, to, 443)), BY_2, "{what}");
            assert_eq!(elements(&lab, "rule_domains4_shows"), Some(vec!["192.0.2.50".to_owned()]), "{what}");
        };
        still("a daemon that starts");
        wansplit.apply_config(&config(&(rule("first", "5000-5100", "EMB") + &shows)));
        still("a rule more");
        wansplit.apply_config(&config(&(shows.replace("'OI'", "'mail'") + &rule("last", "7000", "EMB"))));
        still("another target");
        daemon.kill9();
        daemon.start_again();
        daemon.wait_until_ready();
        still("a daemon that was killed");
        assert_eq!(dns.starts(), starts, "its lines are the same");
        // More domains: dnsmasq has to be restarted, and what is known stays.
        wansplit.apply_config(&config(&domains("shows", &["example.com", "example.org"], "", "OI")));
        dns.wait_for_starts(&lab, starts + 1);
        still("a domain more");
        assert_eq!(ways(&lab, "example.org", 443), BY_2);
    });
}

#[test]
fn where_the_sets_are_lost_they_fill_again() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let wansplit = applied(&lab, &config(&domains("shows", &["example.com"], "", "OI")));
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
        let starts = dns.starts();
        let _daemon = wansplit.daemon(&[]);
        lab.router.nft("delete table inet wansplit");
        // What dnsmasq has in its memory it answers without filling anything: it is made to forget.
        dns.wait_for_starts(&lab, starts + 1);
        assert_eq!(elements(&lab, "rule_domains4_shows"), Some(Vec::new()));
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
    });
}

#[test]
fn with_the_last_rule_the_file_and_the_sets_go() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let shows = domains("shows", &["example.com"], "", "OI");
        let wansplit = configured(&lab, &config(&(shows.clone() + &rule("to_web", "80", "OI"))));
        let dry = wansplit.run(&["apply", "--dry-run"]).stdout;
        assert!(dry.contains(&format!("+ dnsmasq {FILE}: 1 domain\n")), "{dry}");
        assert_eq!(file(), "", "a dry run writes nothing");
        let starts = dns.starts();
        let said = wansplit.apply();
        assert!(said.contains(&format!("+ dnsmasq {FILE}: 1 domain")), "{said}");
        assert!(file().contains("nftset=/example.com/4#inet#wansplit#rule_domains4_shows,6#"), "{}", file());
        let said = wansplit.apply_config(&config(&rule("to_web", "80", "OI")));
        assert!(said.contains(&format!("- dnsmasq {FILE}\n")), "{said}");
        assert_eq!((file().as_str(), elements(&lab, "rule_domains4_shows")), ("", None));
        assert_eq!(dns.starts(), starts + 2);
        assert_eq!(ways(&lab, "example.com", 443), BY_1);
        // Another directory: the file in the old one goes.
        std::fs::create_dir("/run/dns/other.d").unwrap();
        wansplit.apply_config(&config(&shows));
        wansplit.apply_config(&config(&shows).replace(DIRECTORY, "/run/dns/other.d"));
        assert_eq!(file(), "");
        assert!(std::fs::exists("/run/dns/other.d/wansplit.conf").unwrap());
        // `stop` knows no configuration.
        wansplit.apply_config(&config(&shows));
        assert_ne!(file(), "");
        let starts = dns.starts();
        let said = wansplit.stop();
        assert!(said.contains(&format!("- dnsmasq {FILE}\n")), "{said}");
        assert_eq!(std::fs::read_dir(DIRECTORY).unwrap().count(), 0);
        assert_eq!(std::fs::read_dir("/run/dns/other.d").unwrap().count(), 0);
        assert_eq!(dns.starts(), starts + 1);
        assert_eq!(ways(&lab, "example.com", 443), BY_1);
        // Switched off is the same.
        wansplit.apply_config(&config(&shows));
        let off = wansplit.apply_config(&config(&shows).replace("enabled '1'", "enabled '0'"));
        assert!(off.contains(&format!("- dnsmasq {FILE}\n")), "{off}");
        assert_eq!(file(), "");
    });
}

#[test]
fn a_domain_that_is_bound_to_a_link_does_not_leak() {
    lab::isolated(|| {
        // Link 2 is main's default, where it would leak to.
        let lab = Lab::with(&Setup { main_default: vec![2], ..Setup::default() });
        let _dns = Dns::start(&lab);
        let bound = "config policy 'bound'\n  list use 'EMB'\n  option fallback 'unreachable'\n";
        let wansplit = applied(&lab, &config(&(bound.to_owned() + &domains("shows", &["example.com"], "", "bound"))));
        assert_eq!(ways(&lab, "example.com", 443), BY_1);
        let leaks = lab.provider(2).count("ip daddr 192.0.2.50");
        lab.provider(1).carrier(false);
        let held = |way: Way| matches!(way, Way::Refused | Way::Silence);
        for _ in 0..3 {
            wansplit.apply();
            assert!(address(50).into_iter().all(|to| held(lab.tcp(&lab.lan, to, 443))));
        }
        assert_eq!(ways(&lab, "example.org", 443), BY_2);
        assert_eq!(leaks.packets(), 0);
        lab.provider(1).carrier(true);
        let since = std::time::Instant::now();
        while ways(&lab, "example.com", 443) != BY_1 {
            assert!(since.elapsed().as_secs() < 10, "the link is back");
        }
    });
}

#[test]
fn the_daemon_tells_dnsmasq_and_status_says_what_is_not_so() {
    lab::isolated(|| {
        let lab = Lab::new();
        let dns = Dns::start(&lab);
        let wansplit = configured(&lab, &config(&rule("to_web", "80", "OI")));
        let daemon = wansplit.daemon(&[]);
        let starts = dns.starts();
        wansplit.configure(&config(&domains("shows", &["example.com"], "", "OI")));
        daemon.hangup();
        dns.wait_for_starts(&lab, starts + 1);
        assert_eq!(dns.blocked_signals(), 0);
        assert_eq!(ways(&lab, "example.com", 443), BY_2);
        std::fs::write(FILE, file() + "# more\n").unwrap();
        let status: Value = daemon.status();
        assert_eq!(status["drift"], serde_json::json!([format!("+ dnsmasq {FILE}: 1 domain")]), "{status:#}");
        wansplit.apply();
        assert!(!file().contains("# more"));
        dns.wait_for_starts(&lab, starts + 2);
        assert_eq!(daemon.status()["in_sync"], true);
        wansplit.stop();
        dns.wait_for_starts(&lab, starts + 3);
        assert_eq!((file().as_str(), elements(&lab, "rule_domains4_shows")), ("", None));
    });
}
