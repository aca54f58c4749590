use super::*;

fn entry(text: &str) -> Entry {
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    match parse(&words, Family::V4, "filter").map(|parsed| parsed.change) {
        Ok(Change::Add(_, entry)) => *entry,
        other => panic!("{other:?}"),
    }
}

fn said(text: &str) -> Vec<String> {
    let entry = entry(text);
    let options = ["src_iface", "src_ip", "dest_ip", "proto", "src_port", "dest_port"];
    let known = options.iter().filter_map(|option| Some((option, entry.conditions.get(option)?)));
    known.map(|(option, values)| format!("{option} {}", values.join(" "))).collect()
}

#[test]
fn what_a_packet_must_be_like() {
    assert_eq!(
        said("-t mangle -A PREROUTING -i br-lan -p tcp -m multiport --dports 80,443 -j MARK --set-mark 1"),
        ["src_iface br-lan", "proto tcp", "dest_port 80 443"]
    );
    assert_eq!(
        said("-A X ! -s 10.0.0.0/8 -d ! 192.0.2.1 -p udp --sport 1024: -j ACCEPT"),
        ["src_ip !10.0.0.0/8", "dest_ip !192.0.2.1", "proto udp", "src_port 1024-65535"]
    );
    assert_eq!(said("-A X -ptcp --dport=http -s 0/0 -j ACCEPT"), ["proto tcp", "dest_port 80"]);
    assert_eq!(
        entry("-A X -m frob --frob a b -j ACCEPT").problem.as_deref(),
        Some("--frob is nothing that can be said here")
    );
    assert!(entry("-A X -s $A -j ACCEPT").problem.is_some());
    assert!(entry("-A X -m state --state ESTABLISHED,RELATED -j ACCEPT").problem.is_some());
    assert_eq!(entry("-A X -m state --state NEW -j ACCEPT").problem, None);
}

#[test]
fn what_it_does() {
    let verdict = |text: &str| entry(text).verdict;
    assert_eq!(verdict("-A X -j MARK --set-xmark 0x10/0xf0"), Verdict::Mark(0x10, 0xf0));
    assert_eq!(verdict("-A X -j MARK --or-mark 2"), Verdict::Mark(2, 2));
    assert_eq!(verdict("-A X -j CONNMARK --save-mark --mask 0xff"), Verdict::KeepsConnections);
    assert_eq!(verdict("-A X -j WEB"), Verdict::Jump("WEB".into()));
    assert_eq!(verdict("-A X -j TCPMSS --clamp-mss-to-pmtu"), Verdict::Other("TCPMSS".into()));
    assert_eq!(entry("-A X -m mark ! --mark 0 -j ACCEPT").marked, Some((0, u32::MAX, true)));
    assert_eq!(
        entry("-A X -m statistic --mode random --probability 0.25 -j ACCEPT").chance,
        Some(Chance::Random(250_000))
    );
    assert_eq!(
        ["1", "0x1/0xff", "010", "x"].map(mark),
        [Some((1, u32::MAX)), Some((1, 255)), Some((8, u32::MAX)), None]
    );
}
