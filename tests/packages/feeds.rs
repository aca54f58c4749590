//! The indexes, which make a folder a feed.

use crate::adb::{self, Value};
use crate::ipk::{VERSION, control_member};
use crate::packing::{ARCHITECTURE, Scratch, gunzip, only, pack, sha256, text};
use std::fs;
use std::path::Path;

/// What is wrong with a feed, as a router would find it.
pub fn check(folder: &Path) -> Result<(), String> {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let index = read("Packages")?;
    if gunzip(&read("Packages.gz")?) != index {
        return Err("Packages.gz is not Packages".into());
    }
    let index = text(&index);
    let stanzas: Vec<&str> = index.split("\n\n").filter(|stanza| !stanza.is_empty()).collect();
    for stanza in &stanzas {
        let field = |name: &str| {
            let line = stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::to_owned).ok_or(format!("no {name} in Packages"))
        };
        let ipk = read(&field("Filename")?)?;
        if field("Size")? != ipk.len().to_string() || field("SHA256sum")? != sha256(&ipk) {
            return Err("the .ipk is not the one of the index".into());
        }
    }
    let known = adb::read(&read("packages.adb")?)?.root().field(2).elements().to_vec();
    if known.len() != stanzas.len() {
        return Err(format!("{} packages for opkg, {} for apk", stanzas.len(), known.len()));
    }
    for package in known {
        let apk = read(&format!("{}-{}.apk", package.field(1).text(), package.field(2).text()))?;
        check_apk(&package, &apk)?;
    }
    Ok(())
}

fn check_apk(known: &Value, apk: &[u8]) -> Result<(), String> {
    if known.field(13).number() != apk.len() as u64 {
        return Err("the .apk has another size than in the index".into());
    }
    let apk = adb::read(apk)?;
    if crate::packing::hex(known.field(3).bytes()) != apk.identity() || !apk.unique_id_is_right() {
        return Err("the .apk is not the one of the index".into());
    }
    for (number, block) in apk.data.iter().enumerate() {
        let at = |position: usize| u32::from_le_bytes(block[position..position + 4].try_into().unwrap()) as usize;
        let path = apk.root().field(2).elements()[at(0) - 1].clone();
        let file = path.field(3).elements()[at(4) - 1].clone();
        if crate::packing::hex(file.field(5).bytes()) != sha256(&block[8..]) {
            return Err(format!("data block {number} of the .apk is damaged"));
        }
    }
    Ok(())
}

#[test]
fn the_indexes_know_their_packages() {
    let scratch = Scratch::new();
    let folder = pack(&scratch);
    check(&folder).unwrap();

    // opkg: the control text, and how to get the file, before the description.
    let index = text(&fs::read(folder.join("Packages")).unwrap());
    let index = &index[index.find("Package: wansplit\n").unwrap()..];
    let (_, control) = control_member(&only(&folder, ".ipk"), "control").unwrap();
    let (fields, description) = control.split_once("Description:").unwrap();
    assert!(index.starts_with(fields), "{index}");
    assert!(index.ends_with(&format!("\nDescription:{description}\n")), "{index}");

    // apk: the package's own fields, but for those that an index has otherwise.
    let index = adb::read(&fs::read(folder.join("packages.adb")).unwrap()).unwrap();
    assert_eq!(index.schema, "indx");
    let apk = adb::read(&fs::read(only(&folder, ".apk")).unwrap()).unwrap();
    let all = index.root().field(2).clone();
    let known = all
        .elements()
        .iter()
        .find(|package| package.field(1).text() == "wansplit")
        .expect("ours is among them")
        .clone();
    let own = apk.root().field(1).clone();
    assert_eq!(known.field(2).text(), VERSION);
    assert_eq!(known.field(5).text(), ARCHITECTURE);
    let shared = |info: &Value| -> Vec<Value> {
        (1..=21).filter(|number| ![3, 13].contains(number)).map(|number| info.field(number).clone()).collect()
    };
    assert_eq!(shared(&known), shared(&own));
}

/// Also a test of `check`, on which others rely.
#[test]
fn damage_is_found() {
    let scratch = Scratch::new();
    let folder = pack(&scratch);
    for end in [".ipk", ".apk"] {
        let path = only(&folder, end);
        let whole = fs::read(&path).unwrap();
        // Not the last byte: a few of its bits may say nothing.
        for position in [whole.len() / 4, whole.len() / 2, whole.len() * 3 / 4] {
            let mut damaged = whole.clone();
            damaged[position] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(check(&folder).is_err(), "{end}: byte {position}");
        }
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(check(&folder).is_err(), "{end}: a byte is missing");
        fs::write(&path, whole).unwrap();
        check(&folder).unwrap();
    }
}
