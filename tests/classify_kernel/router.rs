//! A router in this namespace: its devices, whoever is at their far ends, and an onlooker behind our table that notes
//! the mark of every packet, and drops it.

use crate::frames::{self, TUNNEL};
use crate::kernel_support::sh;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, sendto, socket};
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};
use wansplit::config::model::Mac;
use wansplit::explain::{From, Packet};
use wansplit::kernel::Kernel;
use wansplit::plan::ruleset::{Ruleset, json};

/// `lan3` is a tunnel over `under3`.
const DEVICES: [&str; 7] = ["lan0", "lan1", "lan2", "under3", "wan0", "wan1", "wan2"];

/// So many packets wait to be noted at most: the kernel's queue holds a thousand.
const AT_ONCE: usize = 500;

/// The bits of others, which a chain before ours sets: they must come through.
pub const FOREIGN: u32 = 0x0012_3456;

const ONLOOKER: &str = "table inet onlooker {
    set seen4 { typeof ip id . meta mark; flags dynamic; size 65535; }
    set seen6 { typeof @nh,16,16 . meta mark; flags dynamic; size 65535; }
    # The tunnel's own packets are classified too; as no connection, they are not counted.
    chain tunnel { type filter hook prerouting priority -300; iifname under3 notrack; }
    chain before { type filter hook prerouting priority -160; meta mark set meta mark | 0x123456; }
    chain prerouting {
        type filter hook prerouting priority -140;
        iifname under3 accept
        meta nfproto ipv4 update @seen4 { ip id . meta mark } drop
        # Neighbour discovery of these devices has flow label 0.
        meta nfproto ipv6 @nh,16,16 != 0 update @seen6 { @nh,16,16 . meta mark } drop
    }
}";

pub struct Router {
    socket: OwnedFd,
    /// The far end of each device.
    far: BTreeMap<String, LinkAddr>,
    loaded: bool,
}

impl Router {
    /// Makes the devices and starts the onlooker.
    pub fn new() -> Self {
        let (there, here, port) = TUNNEL;
        for (n, name) in DEVICES.iter().enumerate() {
            let mac = Self::mac(name);
            sh(&format!(
                "ip link add {name} address {mac} type veth peer name far{n}; ip link set {name} up; ip link set far{n} up"
            ));
        }
        sh(&format!("ip address add {here} peer {there} dev under3"));
        sh(&format!("ip link add lan3 type vxlan external gpe dstport {port}; ip link set lan3 up"));
        sh(&format!("nft -f - <<'END'\n{ONLOOKER}\nEND"));
        let all: BTreeMap<String, LinkAddr> = getifaddrs()
            .unwrap()
            .filter_map(|device| Some((device.interface_name, *device.address?.as_link_addr()?)))
            .collect();
        let far = DEVICES.iter().enumerate().map(|(n, name)| ((*name).to_string(), all[&format!("far{n}")])).collect();
        let socket = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, None).unwrap();
        Self { socket, far, loaded: false }
    }

    fn mac(device: &str) -> Mac {
        let number = DEVICES.iter().position(|name| *name == device).unwrap();
        Mac([2, 0, 0, 0, 1, number as u8])
    }

    /// Puts a table in place of the one before.
    pub fn load(&mut self, ruleset: &Ruleset) {
        if self.loaded {
            sh("nft delete table inet wansplit");
        }
        Kernel::new().nft_apply("load the table", &json::document(&json::everything(ruleset))).unwrap();
        self.loaded = true;
    }

    /// Puts addresses into a set.
    pub fn add(&self, set: &str, elements: &[String]) {
        sh(&format!("nft 'add element inet wansplit {set} {{ {} }}'", elements.join(", ")));
    }

    /// The mark that each packet has behind the table.
    pub fn marks(&self, packets: &[Packet]) -> Vec<u32> {
        packets.chunks(AT_ONCE).flat_map(|packets| self.batch(packets)).collect()
    }

    fn batch(&self, packets: &[Packet]) -> Vec<u32> {
        sh("nft 'flush set inet onlooker seen4; flush set inet onlooker seen6'");
        for (packet, number) in packets.iter().zip(1..) {
            self.send(packet, number);
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let seen = seen();
            let missing = (1..).zip(packets).find(|(number, _)| !seen.contains_key(number));
            let Some((_, missing)) = missing else {
                assert_eq!(seen.len(), packets.len(), "only the packets that were sent");
                return seen.into_values().collect();
            };
            assert!(Instant::now() < deadline, "the onlooker never saw {missing:?}");
        }
    }

    fn send(&self, packet: &Packet, number: u16) {
        let From::Device(Some(device), sender) = &packet.origin else { panic!("a packet comes in by a device") };
        let (device, frame) = match sender {
            Some(sender) => (&device[..], frames::ethernet(packet, number, *sender, Self::mac(device))),
            None => ("under3", frames::tunnelled(packet, number, Mac([2, 0, 0, 0, 2, 0]), Self::mac("under3"))),
        };
        let sent = sendto(self.socket.as_raw_fd(), &frame, &self.far[device], MsgFlags::empty()).unwrap();
        assert_eq!(sent, frame.len());
    }
}

/// The marks the onlooker has noted, by the packets' numbers.
fn seen() -> BTreeMap<u16, u32> {
    let mut marks = BTreeMap::new();
    for set in ["seen4", "seen6"] {
        let text = sh(&format!("nft -j list set inet onlooker {set}"));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        for element in json["nftables"][1]["set"]["elem"].as_array().into_iter().flatten() {
            let number = |n: usize| element["concat"][n].as_u64().unwrap_or_else(|| panic!("{element}"));
            let (packet, mark) = (u16::try_from(number(0)).unwrap(), u32::try_from(number(1)).unwrap());
            assert_eq!(mark & 0x00ff_ffff, FOREIGN, "other people's bits of packet {packet}");
            assert_eq!(marks.insert(packet, mark & !FOREIGN), None, "packet {packet} was seen twice, with two marks");
        }
    }
    marks
}
