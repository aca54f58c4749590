//! What changes on the router's side of a link: its addresses, its device.

use crate::address::Wan;
use crate::topology::{Lab, wan_addresses};

impl Lab {
    /// A renewal that gives the link another network: the router's address and gateway change in both families, also in
    /// the default routes of `main`; the IPv4 address goes before the new one comes, the IPv6 address after. Then `tell` is
    /// called, for netifd to be heard with the new [`Lab::network_dump`], and then the provider takes nothing from the old
    /// addresses any more.
    pub fn renew(&self, link: u8, tell: impl FnOnce()) {
        let provider = self.provider(link);
        let (old, defaults) = (provider.lease(), self.defaults_by(link));
        provider.renew(&self.internet);
        let (new, device) = (provider.lease(), old.wan.device());
        let ([old4, old6], [new4, new6]) = (old.router(), new.router());
        // Without any IPv6 address of its own, the kernel would send by the link with another link's.
        self.router.ip(&format!(
            "addr del {old4}/24 dev {device}
             addr add {new4}/24 dev {device}
             addr add {new6}/64 dev {device} nodad
             addr del {old6}/64 dev {device}"
        ));
        for (family, (old, new)) in ["-4", "-6"].into_iter().zip(old.gateway().into_iter().zip(new.gateway())) {
            for route in defaults.iter().filter(|(own, _)| *own == family).map(|(_, route)| route) {
                // An IPv4 route has gone with its address; one by way of an IPv6 gateway stays.
                let _ = self.router.output("ip", &words(&format!("{family} route del {route}")));
                let route = route.replace(&old.to_string(), &new.to_string());
                self.router.command("ip", &words(&format!("{family} route add {route}")));
            }
        }
        tell();
        provider.take_back(old);
    }

    /// The provider delegates another prefix: router and LAN host get addresses out of it beside the old ones, which are
    /// deprecated. Then `tell` is called, for netifd to be heard with the new [`Lab::network_dump`], and then the provider
    /// takes nothing from the old prefix any more.
    pub fn renumber(&self, link: u8, tell: impl FnOnce()) {
        let provider = self.provider(link);
        let (wan, old) = (provider.wan, provider.prefix_number());
        provider.delegate_next(&self.internet);
        let new = provider.prefix_number();
        let router = wan.prefix_number(new).replace("::/56", "::1/64");
        self.router.ip(&format!("addr add {router} dev eth0 nodad"));
        self.lan.ip(&format!(
            "addr add {}/64 dev eth0 nodad
             addr change {}/64 dev eth0 preferred_lft 0",
            wan.lan_host_in(new),
            wan.lan_host_in(old)
        ));
        tell();
        provider.take_prefix_back(old);
    }

    /// Takes the router's device of a link away, as when a modem is pulled out of its USB port.
    pub fn unplug(&self, link: u8) {
        self.router.ip(&format!("link del {}", Wan(link).device()));
    }

    /// Undoes [`Lab::unplug`]: a device of the same name with another index, and addresses on it again. Default routes in
    /// `main` are not put back.
    pub fn plug(&self, link: u8) {
        let provider = self.provider(link);
        provider.connect(&self.router);
        self.router.ip(&wan_addresses(provider.lease()));
    }

    /// The kernel's number of a link's device; none while there is no device.
    #[must_use]
    pub fn device_index(&self, link: u8) -> Option<u32> {
        // Not /sys: it is the machine's.
        let output = self.router.output("ip", &["-oneline", "link", "show", "dev", Wan(link).device()]);
        output.stdout.split(':').next()?.trim().parse().ok()
    }

    /// The default routes of `main` by a link's gateway, as `ip route add` takes them, with their family's option.
    fn defaults_by(&self, link: u8) -> Vec<(&'static str, String)> {
        let gateways = self.provider(link).lease().gateway();
        let mut routes = Vec::new();
        for (family, gateway) in ["-4", "-6"].into_iter().zip(gateways) {
            let text = self.router.command("ip", &words(&format!("{family} route show default via {gateway}")));
            let device = Wan(link).device();
            for line in text.lines() {
                let metric = line.split_whitespace().skip_while(|word| *word != "metric").nth(1);
                let metric = metric.map_or(String::new(), |metric| format!(" metric {metric}"));
                routes.push((family, format!("default via {gateway} dev {device}{metric}")));
            }
        }
        routes
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
