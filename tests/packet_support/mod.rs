//! Configurations the packet tests share.
#![allow(dead_code)]

pub mod shares;

use lab::{Lab, Wansplit};

/// The classic recipe: web and DNS by link 1 (EMB), mail by link 2 (OI), each taking over when the other fails.
pub const TWO_LINKS: &str = include_str!("../../examples/two-links.uci");

/// The recipe's two links alone: `globals`, then EMB on eth1 and OI on eth2, with these further options.
pub fn links(options: &str) -> String {
    format!(
        "config globals 'globals'
           option enabled '1'
           option mask '0xff'
         config link 'EMB'
           option device 'eth1'
           option gateway '198.51.100.1'
           option gateway6 '2001:db8:1::1'
           option mark '1'
           option table '100'
           {options}
         config link 'OI'
           option device 'eth2'
           option gateway '203.0.113.1'
           option gateway6 '2001:db8:2::1'
           option mark '2'
           option table '200'
           {options}
         config policy 'web'
           list use 'EMB'
           list use 'OI'
         config policy 'mail'
           list use 'OI'
           list use 'EMB'\n"
    )
}

/// The same links by netifd's interfaces, with these further options, the two policies, and `shared`, which balances.
pub fn interfaces(options: &str) -> String {
    let link = |name: &str, interface: &str, mark: u8, table: &str| {
        format!(
            "config link '{name}'
               option interface '{interface}'
               option mark '{mark}'
               option table '{table}'
               {options}\n"
        )
    };
    "config globals 'globals'
       option enabled '1'
       option mask '0xff'\n"
        .to_owned()
        + &link("EMB", "wan", 1, "100")
        + &link("OI", "wanb", 2, "200")
        + "config policy 'web'
             list use 'EMB'
             list use 'OI'
           config policy 'mail'
             list use 'OI'
             list use 'EMB'
           config policy 'shared'
             option mode 'balance'
             option balance_by 'connection'
             list use 'EMB'
             list use 'OI'\n"
}

/// A rule for TCP and UDP to some ports.
pub fn rule(name: &str, ports: &str, target: &str) -> String {
    format!("config rule '{name}'\n  list dest_port '{ports}'\n  option use '{target}'\n")
}

/// The program with this configuration, applied.
pub fn applied<'a>(lab: &'a Lab, config: &str) -> Wansplit<'a> {
    let wansplit = configured(lab, config);
    wansplit.apply();
    wansplit
}

/// The program with this configuration, not applied yet.
pub fn configured<'a>(lab: &'a Lab, config: &str) -> Wansplit<'a> {
    Wansplit::new(env!("CARGO_BIN_EXE_wansplit"), &lab.router, config)
}
