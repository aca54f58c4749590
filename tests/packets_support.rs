//! `wansplit support` on a router with addresses of its own: all that is needed is in it, and nothing that is private.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod packet_support;

use lab::{Lab, Output, Wansplit};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use packet_support::{TWO_LINKS, applied, configured};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::time::{Duration, Instant};

/// Links with addresses that are somebody's, and rules that speak of hosts of his.
const PUBLIC: &str = "
    # call me at +49 123 456
    config globals 'globals'
      option enabled '1'
    config link 'EMB'   # that of my.provider.example
      option device 'eth1'
      option gateway '93.184.216.1'
      option gateway6 '2a02:8071:1::1'
    config link 'OI'
      option device 'eth2'
      option gateway '84.22.10.1'
    config rule 'work'
      option name 'vpn.firm.example'
      list dest_ip '77.21.5.0/24'
      list dest_ip '1.1.1.1'
      list dest_ip '2a01:4f8::/32'
      list dest_ip '77.21.9.7-77.21.9.9'
      list src_mac '00:1e:06:33:aa:bb'
      option use 'OI'
    config rule 'own'
      option from 'router'
      list dest_ip '77.21.5.9'
      option use 'OI'\n";

/// What must not be told.
const PRIVATE: [&str; 11] = [
    "93.184.216",
    "84.22.10",
    "77.21.",
    "2a02:",
    "2a01:",
    ":8071",
    "00:1e:06",
    "33:aa:bb",
    "firm",
    "+49 123",
    "my.provider",
];

fn public_lab() -> Lab {
    let lab = Lab::new();
    lab.router.ip("addr add 93.184.216.34/24 dev eth1
         addr add 2a02:8071:1::34/64 dev eth1 nodad
         addr add 84.22.10.34/24 dev eth2
         route add 77.21.0.0/16 via 84.22.10.1
         route add 2a01:4f8:1::/48 via 2a02:8071:1::1");
    lab
}

fn support(wansplit: &Wansplit, options: &[&str]) -> String {
    let Output { code, stdout, stderr } = wansplit.run(&[&["support"], options].concat());
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    for private in PRIVATE.iter().filter(|word| options.is_empty() || **word != "firm") {
        let line = stdout.lines().find(|line| line.contains(private));
        assert_eq!(line, None, "'{private}' is told");
    }
    stdout
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "'{part}' is not in:\n{text}");
    }
}

/// All that the router has.
fn everything(lab: &Lab) -> String {
    let listed = ["-4", "-6"].map(|family| {
        ["rule", "route", "addr"].map(|what| match what {
            "route" => lab.router.command("ip", &[family, "route", "show", "table", "all"]),
            what => lab.router.command("ip", &[family, what]),
        })
    });
    let files = lab.router.command("find", &["/run", "/var/run/", "-printf", "%p %s %T@\n"]);
    format!("{}{}{files}", listed.as_flattened().concat(), lab.router.command("nft", &["list", "ruleset"]))
}

#[test]
fn all_is_told_but_what_is_private() {
    lab::isolated(|| {
        let lab = public_lab();
        let wansplit = applied(&lab, PUBLIC);
        let before = everything(&lab);
        let text = support(&wansplit, &[]);
        assert_eq!(everything(&lab), before, "it changes nothing");
        has(
            &text,
            &[
                "wansplit support, version 0.1.0",
                "kernel: ",
                "MemAvailable",
                "config link 'EMB'   #",
                "option gateway 'public-1.1'",
                "option gateway6 'public6-1.0.1'",
                "option gateway 'public-2.1'",
                "list dest_ip 'public-3.0/24'",
                "list dest_ip '1.1.1.1'",
                "list src_mac 'mac-1'",
                "option name 'domain-1'",
                "== daemon\n\nnone runs",
                "table inet wansplit {",
                "ip rule pref 801 iif lo lookup main suppress_prefixlength 0 (ours)",
                "to public-3.1/32 iif lo",
                "ip rule pref 32766 lookup main (protocol 2)",
                "ip -6 rule ",
                "public-1.0/24 dev eth1 proto kernel scope link src public-1.",
                "ipv4/ip_forward 1",
                "eth1: ipv4 rp_filter 0",
                "nothing: it holds the wanted state",
                "(logread is not installed)",
            ],
        );
        // The gateway is the same everywhere, and known to be in the link's network.
        let route = text.lines().find(|line| line.starts_with("default via public-1.1 dev eth1 table")).unwrap();
        assert!(route.contains("proto 119") || route.contains("proto wansplit"), "{route}");
        has(&support(&wansplit, &["--show-domains"]), &["option name 'vpn.firm.example'"]);

        lab.router.ip("rule del pref 801");
        has(&support(&wansplit, &[]), &["the kernel differs in one place", "+ ip rule pref 801 iif lo lookup main"]);
    });
}

#[test]
fn the_daemons_word_is_taken_and_one_that_hangs_does_not_matter() {
    lab::isolated(|| {
        let lab = public_lab();
        let wansplit = configured(&lab, PUBLIC);
        let daemon = wansplit.daemon(&[]);
        let id = daemon.id();
        has(&support(&wansplit, &[]), &[&format!("process {id}"), "nothing: it holds the wanted state"]);
        let process = Pid::from_raw(i32::try_from(id).unwrap());
        kill(process, Signal::SIGSTOP).unwrap();
        let begin = Instant::now();
        let text = support(&wansplit, &[]);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
        has(&text, &["one runs, but does not answer", "table inet wansplit {", "EMB"]);
        kill(process, Signal::SIGCONT).unwrap();
    });
}

#[test]
fn whatever_is_broken_the_rest_is_told() {
    lab::isolated(|| {
        let lab = public_lab();
        let wansplit = applied(&lab, PUBLIC);
        for (config, said) in [
            ("config link 'X'\n\toption gateway '93.184.216.9'\n\toption device", "line 1: error"),
            (
                "config \"open\n\tlist dest_domain 'secret.firm.example' # 2a02:8071::1\n",
                "== what is wrong with it\n\nline",
            ),
            ("{ \"links\": [", "line 1: "),
            ("\u{0}\u{1b}[2J 93.184.216.34", "line 1: "),
            ("", "== status"),
        ] {
            wansplit.configure(config);
            has(&support(&wansplit, &[]), &[said, "table inet wansplit {", "ip rule pref 32766 lookup main"]);
        }
        fs::remove_file("/run/lab-wansplit.config").unwrap();
        has(&support(&wansplit, &[]), &["cannot read the configuration", "table inet wansplit {"]);

        // An nft that says something and hangs.
        wansplit.configure(PUBLIC);
        fs::write("/run/nft", "#!/bin/sh\necho 93.184.216.34 begun\nexec sleep 1000\n").unwrap();
        fs::set_permissions("/run/nft", fs::Permissions::from_mode(0o755)).unwrap();
        let nft = ["/usr/sbin/nft", "/usr/bin/nft", "/sbin/nft"].into_iter().find(|place| fs::exists(place).unwrap());
        mount(Some("/run/nft"), nft.unwrap(), None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        let begin = Instant::now();
        let text = support(&wansplit, &[]);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
        has(
            &text,
            &["public-1.2 begun\n(nft did not end within 8 s and was stopped)", "ip rule pref 32766 lookup main"],
        );
        assert!(lab.router.processes().iter().all(|(_, name)| name != "sleep"), "{:?}", lab.router.processes());
    });
}

#[test]
fn who_is_not_root_is_told_what_is_missing() {
    lab::isolated_as_root(|| {
        let lab = Lab::new();
        let wansplit = applied(&lab, TWO_LINKS);
        // The program may lie where only root looks.
        fs::copy(env!("CARGO_BIN_EXE_wansplit"), "/run/wansplit-copy").unwrap();
        let mut command = std::process::Command::new("/run/wansplit-copy");
        command.args(["--config", "/run/lab-wansplit.config", "support"]).uid(1000);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let output: Output = lab.router.start(&mut command).wait_with_output().unwrap().into();
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
        has(
            &output.stdout,
            &[
                "Not run as root: what only root may see is missing.",
                "(run it as root)",
                "pref 32766 lookup main",
                "EMB",
            ],
        );
        drop(wansplit);
    });
}
