//! `openwrt/wansplit/Makefile`, as OpenWrt's rules want it. That it is understood is shown by everything else here.

use crate::packing::ROOT;
use std::fs;
use std::path::Path;

fn makefile() -> String {
    fs::read_to_string(Path::new(ROOT).join("openwrt/wansplit/Makefile")).unwrap()
}

fn value(name: &str) -> String {
    let assignment = format!("{name}:=");
    let values: Vec<String> = makefile()
        .lines()
        .filter_map(|line| line.strip_prefix(&assignment).map(|value| value.trim().to_owned()))
        .collect();
    assert_eq!(values.len(), 1, "{name} is set {} times", values.len());
    values[0].clone()
}

/// The lines between `define Package/wansplit/…` and `endef`.
fn definition(name: &str) -> Vec<String> {
    let text = makefile();
    let start = format!("define Package/wansplit{name}");
    let lines = text.lines().skip_while(|line| **line != start).skip(1);
    lines.take_while(|line| *line != "endef").map(str::to_owned).collect()
}

#[test]
fn it_has_the_program_s_version_and_licence() {
    let cargo = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    assert_eq!(value("PKG_VERSION"), env!("CARGO_PKG_VERSION"));
    assert!(cargo.contains(&format!("license = \"{}\"", value("PKG_LICENSE"))));
    assert!(Path::new(ROOT).join(value("PKG_LICENSE_FILES")).is_file());
}

/// From CONTRIBUTING.md of OpenWrt's packages feed.
#[test]
fn it_keeps_the_feed_s_rules() {
    for name in ["/conffiles", "/preinst", "/postinst", "/prerm", "/postrm"] {
        for line in definition(name) {
            let in_script = name != "/conffiles";
            assert!(!line.starts_with(' ') && (in_script || !line.starts_with('\t')), "{name}: {line:?} is indented");
        }
    }
    let fields = definition("");
    assert!(fields.iter().any(|line| line.starts_with("  SECTION:=")), "{fields:?}");
    for line in fields.iter().filter(|line| line.contains(":=")) {
        assert!(line.starts_with("  ") && !line.starts_with("   "), "{line:?}: two blanks");
    }
    let title = fields.iter().find_map(|line| line.strip_prefix("  TITLE:=")).unwrap();
    assert!(title.len() <= 60, "{title}");
    for line in definition("/install") {
        assert!(line.starts_with('\t'), "{line:?}: a tab");
    }
    // Whoever reads for "wansplit" must find it: the package's own name is never $(PKG_NAME) here.
    for line in makefile().lines().filter(|line| line.contains("define") || line.contains("call")) {
        assert!(!line.contains("$(PKG_NAME)"), "{line:?}");
    }
}
