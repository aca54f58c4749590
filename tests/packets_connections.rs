//! Which link each connection is on and which rule put it there, as LuCI is told: against real packets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Flow, INTERNET, LAN, Lab, Wan, Wansplit, crowd};
use packet_support::{applied, links, rule};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::process::Stdio;
use std::time::Duration;

/// Web by EMB, mail by OI; one rule without a name behind one that is switched off.
fn config() -> String {
    links("")
        + &rule("surf", "443", "web")
        + &rule("off", "1", "web").replace("option use", "option enabled '0'\n option use")
        + &rule("post", "25", "mail").replace("config rule 'post'", "config rule\n  option name 'post'")
        + "config rule 'own'
             option from 'router'
             list proto 'udp'
             list dest_port '53'
             option use 'held'
           config policy 'held'
             list use 'OI'
             list use 'EMB'
             option fallback 'unreachable'
           config rule 'bound'
             list dest_port '993'
             option use 'held'
           config rule 'sets'
             list dest_set 'streams'
             option use 'OI'
           config set 'streams'
             list entry '192.0.2.77'\n"
}

/// What a method answers, which must go well.
fn call(wansplit: &Wansplit, method: &str, arguments: &Value) -> Value {
    let mut command = wansplit.prepare(&["rpcd", "call", method]);
    let mut child = wansplit.router().start(command.stdin(Stdio::piped()));
    child.stdin.take().unwrap().write_all(arguments.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap()
}

fn connections(wansplit: &Wansplit, filter: &Value) -> Value {
    call(wansplit, "connections", filter)
}

/// The connections that go to a port.
fn to_port(answer: &Value, port: u16) -> Vec<&Value> {
    let all = answer["connections"].as_array().unwrap().iter();
    all.filter(|own| own["destination_port"] == port).collect()
}

/// Of one connection: link, rule, policy, and whether it came in.
fn told(connection: &Value) -> (Option<&str>, Option<&str>, Option<&str>, bool) {
    let word = |name: &str| connection[name].as_str();
    (word("link"), word("rule"), word("policy"), connection["inbound"].as_bool().unwrap())
}

fn sum<'a>(answer: &'a Value, part: &str, name: &str) -> &'a Value {
    answer[part].as_array().unwrap().iter().find(|own| own["name"] == name).unwrap()
}

#[test]
fn each_connection_is_told_by_its_link_and_its_rule() {
    lab::isolated(|| {
        let lab = Lab::new();
        lab.router.sysctl("net/netfilter/nf_conntrack_acct", "1");
        let wansplit = applied(&lab, &config());
        lab.router.forget_connections();
        let every = Duration::from_millis(20);
        let mut flows = Vec::new();
        for (family, to) in INTERNET.into_iter().enumerate() {
            flows.push(Flow::tcp(&lab.lan, to, 443, 4000, every));
            flows.push(Flow::udp(&lab.lan, to, 25, every));
            flows.push(Flow::udp(&lab.lan, to, 993, every));
            // By main, unasked.
            flows.push(Flow::udp(&lab.lan, to, 9999, every));
            flows.push(Flow::udp(&lab.router, to, 53, every));
            // To the router, to the forwarded host, and between the two LANs.
            flows.push(Flow::tcp(&lab.internet, Wan(2).router()[family], 22, 100, every));
            flows.push(Flow::tcp(&lab.internet, Wan(2).router()[family], 8022, 100, every));
            flows.push(Flow::udp(&lab.lan, lab::LAN2[family], 53, every));
        }
        flows.push(Flow::udp(&lab.lan, "192.0.2.77".parse().unwrap(), 7777, every));
        assert!(flows.iter().all(|flow| flow.goes_on(3)));
        let answer = connections(&wansplit, &json!({}));
        println!("{answer:#}");
        assert_eq!(answer["accounting"], true);
        for (port, both, expected) in [
            (443, 2, (Some("EMB"), Some("surf"), Some("web"), false)),
            (25, 2, (Some("OI"), Some("post"), Some("mail"), false)),
            (993, 2, (Some("OI"), Some("bound"), Some("held"), false)),
            (9999, 2, (Some("EMB"), None, None, false)),
            (22, 2, (Some("OI"), None, None, true)),
            (8022, 2, (Some("OI"), None, None, true)),
            (7777, 1, (Some("OI"), Some("sets"), None, false)),
        ] {
            let found = to_port(&answer, port);
            assert_eq!(found.iter().map(|own| told(own)).collect::<Vec<_>>(), vec![expected; both], "port {port}");
        }
        let mut dns: Vec<_> = to_port(&answer, 53).into_iter().map(|own| (told(own), own["source"].clone())).collect();
        dns.sort_by_key(|(told, _)| told.0);
        let [lan4, lan6, own4, own6] = dns.as_slice() else { panic!("{dns:?}") };
        assert_eq!((lan4.0, lan6.0), ((None, None, None, false), (None, None, None, false)));
        assert_eq!(
            (own4.0, own6.0),
            ((Some("OI"), Some("own"), Some("held"), false), (Some("OI"), Some("own"), Some("held"), false))
        );
        assert!(to_port(&answer, 53).iter().all(|own| own["local"] == own["link"].is_null()), "{answer:#}");
        assert!(to_port(&answer, 9999).iter().all(|own| own["local"] == false), "{answer:#}");
        assert!(own4.1 != LAN[0].to_string() && own6.1 != LAN[0].to_string());

        let surf = to_port(&answer, 443)[0];
        assert!(surf["bytes"].as_u64().unwrap() > 20_000 && surf["packets"].as_u64().unwrap() > 6, "{surf}");
        assert_eq!((&surf["answered"], &surf["protocol"]), (&json!(true), &json!("tcp")));
        let sizes: Vec<_> =
            answer["connections"].as_array().unwrap().iter().map(|own| own["bytes"].as_u64().unwrap()).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b), "the largest first: {sizes:?}");

        // The sums are of all, whatever is asked for.
        let of_surf = to_port(&answer, 443).iter().map(|own| own["bytes"].as_u64().unwrap()).sum::<u64>();
        assert_eq!(sum(&answer, "rules", "surf")["bytes"], of_surf);
        assert_eq!(sum(&answer, "rules", "surf")["connections"], 2);
        assert_eq!(sum(&answer, "rules", "post")["section"], "@rule[2]");
        assert_eq!(sum(&answer, "rules", "surf")["section"], "surf");
        assert_eq!(sum(&answer, "links", "OI")["connections"], 2 + 2 + 2 + 2 + 2 + 1);
        let total = answer["total"].as_u64().unwrap();
        for (filter, expected) in [
            (json!({"link": "EMB"}), 4),
            (json!({"link": "main"}), total - 4 - 11),
            (json!({"link": "main", "local": false}), 0),
            (json!({"local": true}), total - 4 - 11),
            (json!({"local": false}), 4 + 11),
            (json!({"link": "nobody"}), 0),
            (json!({"rule": "post"}), 2),
            (json!({"rule": "@rule[2]"}), 2),
            (json!({"text": "443"}), 2),
            (json!({"text": "192.0.2.77"}), 1),
            (json!({"text": "2001:DB8:FFFF"}), 7),
            (json!({"text": "443", "link": "OI"}), 0),
            (json!({"link": null, "rule": "", "text": "8022", "ubus_rpc_session": "x"}), 2),
        ] {
            let filtered = connections(&wansplit, &filter);
            assert_eq!(filtered["matching"], expected, "{filter}: {filtered:#}");
            assert_eq!(filtered["connections"].as_array().unwrap().len() as u64, expected);
            assert_eq!(sum(&filtered, "links", "OI")["connections"], 11);
            assert_eq!(
                (&filtered["main"]["connections"], &filtered["local"]["connections"]),
                (&json!(0), &json!(total - 15))
            );
        }
        let short = connections(&wansplit, &json!({"limit": 3}));
        assert_eq!(short["connections"].as_array().unwrap().len(), 3);
        assert_eq!(short["matching"], short["total"]);
        assert_eq!(connections(&wansplit, &json!({"limit": 0}))["connections"], json!([]));

        // Rules of today: a connection that runs elsewhere than they say is nobody's.
        wansplit.configure(&config().replace("option use 'web'", "option use 'OI'"));
        let answer = connections(&wansplit, &json!({"text": "443"}));
        assert!(to_port(&answer, 443).iter().all(|own| told(own) == (Some("EMB"), None, None, false)), "{answer:#}");
        assert_eq!(lab.spoofed(), 0);
    });
}

#[test]
fn without_accounting_only_the_sizes_are_missing() {
    lab::isolated(|| {
        let lab = Lab::new();
        lab.router.sysctl("net/netfilter/nf_conntrack_acct", "0");
        let wansplit = applied(&lab, &config());
        lab.router.forget_connections();
        let flow = Flow::udp(&lab.lan, INTERNET[0], 443, Duration::from_millis(20));
        let answer = connections(&wansplit, &json!({"text": "443"}));
        let [own] = to_port(&answer, 443)[..] else { panic!("{answer:#}") };
        assert_eq!((told(own).0, &own["bytes"], &own["packets"]), (Some("EMB"), &Value::Null, &Value::Null));
        assert_eq!((&answer["accounting"], &sum(&answer, "rules", "surf")["bytes"]), (&json!(false), &Value::Null));
        assert_eq!(sum(&answer, "rules", "surf")["connections"], 1);
        drop(flow);
    });
}

#[test]
fn probes_and_what_stays_within_the_router_are_left_out() {
    lab::isolated(|| {
        let lab = Lab::new();
        let tracked = "list track_ip '192.0.2.10'\n option track_method 'ping'\n option interval '200ms'\n option timeout '100ms'\n";
        let wansplit = applied(&lab, &links(tracked));
        lab.router.forget_connections();
        let daemon = wansplit.daemon(&[]);
        daemon.wait_for_status("probes are answered", Duration::from_secs(20), |status| {
            status["links"].as_array().is_some_and(|links| links.iter().all(|link| link["ipv4"]["rtt_ms"].is_number()))
        });
        assert!(lab.router.ping("127.0.0.1".parse().unwrap(), &[]));
        assert!(lab.router.connections(false).keys().any(|mark| *mark > 2), "there are probes");
        let answer = connections(&wansplit, &json!({}));
        let strangers: Vec<&Value> = answer["connections"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|own| own["destination"] == "192.0.2.10" || own["destination"] == "127.0.0.1")
            .collect();
        assert_eq!(strangers, Vec::<&Value>::new());
    });
}

#[test]
fn a_rule_for_one_host_by_its_interface_or_its_ethernet_address_is_recognised() {
    lab::isolated(|| {
        let lab = Lab::new();
        let about: Value = serde_json::from_str(&lab.lan.command("ip", &["-j", "link", "show", "eth0"])).unwrap();
        let mac = about[0]["address"].as_str().unwrap();
        let rules = format!(
            "config rule 'other_lan'
               option src_iface 'eth3'
               option use 'OI'
             config rule 'this_host'
               option src_mac '{mac}'
               list dest_port '443'
               option use 'mail'
             config rule 'this_lan'
               option src_iface 'eth0'
               option use 'web'\n"
        );
        let wansplit = applied(&lab, &(links("") + &rules));
        let every = Duration::from_millis(20);
        let flows = [
            Flow::udp(&lab.lan, INTERNET[0], 443, every),
            Flow::udp(&lab.lan, INTERNET[1], 80, every),
            Flow::udp(&lab.lan2, INTERNET[1], 81, every),
        ];
        let answer = connections(&wansplit, &json!({}));
        for (port, link, rule) in [(443, "OI", "this_host"), (80, "EMB", "this_lan"), (81, "OI", "other_lan")] {
            let found = to_port(&answer, port);
            assert_eq!(
                found.iter().map(|own| (told(own).0, told(own).1)).collect::<Vec<_>>(),
                [(Some(link), Some(rule))]
            );
        }
        drop(flows);
    });
}

#[test]
fn ten_thousand_are_looked_through_in_little_memory() {
    lab::isolated(|| {
        let lab = Lab::new();
        lab.router.sysctl("net/netfilter/nf_conntrack_acct", "1");
        let many: String = (0..50).map(|n| rule(&format!("r{n}"), &(2000 + n).to_string(), "mail")).collect();
        let wansplit = applied(&lab, &(config() + &many));
        for port in [443, 2049] {
            crowd(&lab.lan, INTERNET[0], port, 20_000..25_000);
        }
        let mut command = wansplit.prepare(&["rpcd", "call", "connections"]);
        let mut child = lab.router.start(command.stdin(Stdio::piped()));
        child.stdin.take().unwrap().write_all(b"{\"limit\": 500}").unwrap();
        // The answer does not fit into a pipe: once it has begun, all is done and the program waits.
        let mut text = vec![0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut text).unwrap();
        let about = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
        let (status, stat) = (about("status"), about("stat"));
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap().trim().to_owned();
        let ticks = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2).collect::<Vec<_>>();
        println!("at most {most} resident, {} ticks of processor time (user, system)", ticks.join(" and "));
        text.extend(child.wait_with_output().unwrap().stdout);
        let answer: Value = serde_json::from_slice(&text).unwrap();
        assert!(answer["total"].as_u64().unwrap() >= 10_000);
        assert_eq!(answer["connections"].as_array().unwrap().len(), 500);
        assert_eq!(sum(&answer, "rules", "surf")["connections"], 5000);
        assert_eq!(sum(&answer, "rules", "r49")["connections"], 5000);
        let most: u32 = most.trim_end_matches(" kB").parse().unwrap();
        assert!(most < 16 * 1024, "{most} KiB");
    });
}
