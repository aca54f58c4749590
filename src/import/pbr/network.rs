//! What /etc/config/network says, if it is given too.

use crate::config::parse;
use crate::import::Context;
use crate::import::foreign::Foreign;

/// The interfaces of /etc/config/network.
pub struct Network {
    interfaces: Vec<Interface>,
}

struct Interface {
    name: String,
    /// A WireGuard interface that others connect to.
    is_server: bool,
}

impl Network {
    /// Reads the files that were named behind pbr's.
    ///
    /// # Errors
    /// One of them is no configuration of the network.
    pub fn read(context: &Context) -> Result<Self, String> {
        let mut interfaces = Vec::new();
        for source in context.more {
            let (document, _) = parse(source.text.as_bytes());
            let found = Foreign::all(&document.sections, "interface");
            if found.is_empty() {
                return Err(format!(
                    "{} was named too, but has no interfaces: behind pbr's file only /etc/config/network may stand",
                    source.file
                ));
            }
            interfaces.extend(found.iter().map(|section| Interface {
                name: section.name.clone(),
                is_server: section.one("proto") == Some("wireguard") && section.one("listen_port").is_some(),
            }));
        }
        Ok(Self { interfaces })
    }

    /// An interface's place in the file; those that are not in it come last.
    pub fn place(&self, name: &str) -> usize {
        self.interfaces.iter().position(|interface| interface.name == name).unwrap_or(usize::MAX)
    }

    /// Whether others connect to it by WireGuard: such an interface is no way to the Internet.
    pub fn is_server(&self, name: &str) -> bool {
        self.interfaces.iter().any(|interface| interface.name == name && interface.is_server)
    }

    /// Whether the file was given.
    pub fn is_known(&self) -> bool {
        !self.interfaces.is_empty()
    }
}
