//! netifd's account of the interfaces, cut down to what routing is about: what protocols keep for themselves (`data`) may
//! hold anything.

use serde_json::Value;

/// What is told of an interface, and of its `inactive` part.
const OF_AN_INTERFACE: [&str; 21] = [
    "interface",
    "up",
    "pending",
    "available",
    "autostart",
    "dynamic",
    "uptime",
    "l3_device",
    "proto",
    "device",
    "metric",
    "ip4table",
    "ip6table",
    "delegation",
    "ipv4-address",
    "ipv6-address",
    "ipv6-prefix",
    "ipv6-prefix-assignment",
    "route",
    "dns-server",
    "errors",
];

/// The interfaces, a line each; what is no such account says nothing.
#[must_use]
pub fn lines(dump: &Value) -> Vec<String> {
    let interfaces = dump["interface"].as_array().map_or(&[][..], Vec::as_slice);
    interfaces.iter().map(|interface| crate::json::text(&reduced(interface))).collect()
}

fn reduced(interface: &Value) -> Value {
    let inactive = Some(&interface["inactive"]).filter(|inactive| inactive.is_object());
    let mut fields = known(interface);
    fields.extend(inactive.map(|inactive| ("inactive", crate::json::from_fields(known(inactive)))));
    crate::json::from_fields(fields)
}

/// The fields that are told, but for those that say nothing.
fn known(object: &Value) -> Vec<(&'static str, Value)> {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        _ => true,
    };
    let fields = OF_AN_INTERFACE.into_iter().map(|name| (name, &object[name]));
    fields.filter(|(_, value)| says(value)).map(|(name, value)| (name, value.clone())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_protocols_keep_for_themselves_is_left_out() {
        let dump = r#"{"interface":[{"interface":"wan","up":true,"proto":"pppoe","dns-search":["home.example"],
            "data":{"password":"x","username":"me"},"route":[],"ipv4-address":[{"address":"192.0.2.2","mask":32}],
            "inactive":{"route":[{"target":"0.0.0.0"}],"data":{"pin":"1"}}},{"interface":"lan"}]}"#;
        let lines = lines(&serde_json::from_str(dump).unwrap());
        assert_eq!(lines.len(), 2);
        let first: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(first["ipv4-address"][0]["address"], "192.0.2.2");
        assert_eq!(first["inactive"]["route"][0]["target"], "0.0.0.0");
        for secret in ["data", "password", "home.example", "me", "pin"] {
            assert!(!lines[0].contains(&format!("\"{secret}\"")), "{secret}: {}", lines[0]);
        }
        assert!(super::lines(&Value::Null).is_empty());
    }
}
