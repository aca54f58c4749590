//! Names of our routing tables in `/etc/iproute2/rt_tables`, so that `ip route show table EMB` works.
//!
//! Names are for people only: the kernel, and everything here, uses numbers. Our lines end in `# wansplit`; all
//! others are the owner's.

use super::file;
use crate::map::Set;
use std::fs;
use std::io;
use std::path::Path;

/// The one file that iproute2, busybox and netifd all read.
pub const PATH: &str = "/etc/iproute2/rt_tables";

/// Ends each line of ours.
const MARKER: &str = "# wansplit";
/// The first line of a file that was not there before.
const MADE_FILE: &str = "# this file was made by # wansplit\n";
/// The first line of a file whose directory was not there before either.
const MADE_DIRECTORY: &str = "# this file and its directory were made by # wansplit\n";
/// iproute2 knows these without any file, or gives them a meaning of their own.
const RESERVED: [&str; 6] = ["unspec", "default", "main", "local", "all", "cache"];

/// The file's text after a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The text.
    pub text: String,
    /// One sentence for each name that had to be left out.
    pub warnings: Vec<String>,
}

/// Takes our old lines out of a text and puts the wanted ones in. The owner's lines stay as they are, byte for byte;
/// where they say the same already, nothing is added, and where they say something else they win.
#[must_use]
pub fn merge(text: &str, wanted: &[(u32, String)]) -> Merged {
    let owners: Vec<&str> = text.split_inclusive('\n').filter(|line| !is_ours(line)).collect();
    let mut taken: Vec<(u32, String)> = owners.iter().filter_map(|line| parse(line)).collect();
    let said = Set::from_iter(taken.iter().cloned());
    let mut ours = String::new();
    let mut warnings = Vec::new();
    for (number, name) in wanted {
        let (number, name) = (*number, sanitised(name));
        if said.contains(&(number, name.clone())) {
            continue;
        }
        let clash = taken.iter().find(|(other, text)| *other == number || *text == name);
        if let Some((other, text)) = clash {
            warnings.push(format!(
                "table {number} is not named \"{name}\" in {PATH}, because \"{text}\" is the name of table {other} there"
            ));
        } else if name.is_empty() || RESERVED.contains(&name.as_str()) {
            warnings.push(format!("table {number} is not named \"{name}\" in {PATH}, because that name is reserved"));
        } else {
            ours.push_str(&format!("{number}\t{name}\t{MARKER}\n"));
            taken.push((number, name));
        }
    }
    // A last line without a line end keeps its place at the end, so that taking ours out restores every byte.
    let (tail, complete) = match owners.split_last() {
        Some((last, rest)) if !last.ends_with('\n') => (*last, rest),
        _ => ("", owners.as_slice()),
    };
    Merged { text: complete.concat() + &ours + tail, warnings }
}

/// Brings the names in a file up to date; with nothing wanted removes ours. The file is written only if something
/// changes. Returns sentences for the log: names that were left out, and why the file could not be written, which
/// is no reason to stop.
#[must_use]
pub fn update(path: &Path, wanted: &[(u32, String)]) -> Vec<String> {
    let text = match file::read(path) {
        Ok(text) => text,
        Err(error) => return vec![format!("cannot read {}: {error}; tables get no names", path.display())],
    };
    let mut merged = merge(&text, wanted);
    let origin = [MADE_FILE, MADE_DIRECTORY].into_iter().find(|line| text.starts_with(line));
    let written = if merged.text.is_empty() && origin.is_some() {
        remove(path, origin == Some(MADE_DIRECTORY))
    } else {
        write(path, &text, origin, &merged.text)
    };
    if let Err(error) = written {
        merged.warnings.push(format!("cannot write {}: {error}; tables keep their old names", path.display()));
    }
    merged.warnings
}

fn write(path: &Path, old: &str, origin: Option<&str>, new: &str) -> io::Result<()> {
    let missing = !path.exists();
    if missing && new.is_empty() {
        return Ok(());
    }
    let mut first_line = origin.unwrap_or("");
    if missing {
        let directory = path.parent().filter(|directory| !directory.exists());
        if let Some(directory) = directory {
            fs::create_dir_all(directory)?;
        }
        first_line = if directory.is_some() { MADE_DIRECTORY } else { MADE_FILE };
    }
    let new = format!("{first_line}{new}");
    if new == old { Ok(()) } else { file::replace(path, &new) }
}

fn remove(path: &Path, with_directory: bool) -> io::Result<()> {
    fs::remove_file(path)?;
    if let Some(directory) = path.parent().filter(|_| with_directory) {
        // Somebody may have put something else there meanwhile; then it stays.
        let _ = fs::remove_dir(directory);
    }
    Ok(())
}

fn is_ours(line: &str) -> bool {
    line.trim_end().ends_with(MARKER)
}

/// A line as iproute2 reads it: a number in decimal or hexadecimal, blanks, a name, perhaps a comment.
fn parse(line: &str) -> Option<(u32, String)> {
    let mut words = line.split_ascii_whitespace();
    let number = number(words.next()?)?;
    let name = words.next().filter(|name| !name.starts_with('#'))?;
    Some((number, name.to_owned()))
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A name that iproute2 reads as one word, and not as a number.
fn sanitised(name: &str) -> String {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '#';
    let name: String = name.chars().map(|c| if bad(c) { '_' } else { c }).collect();
    if number(&name).is_some() || (!name.is_empty() && name.chars().all(|c| c.is_ascii_digit())) {
        return format!("_{name}");
    }
    name
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn wanted(names: &[(u32, &str)]) -> Vec<(u32, String)> {
        names.iter().map(|&(number, name)| (number, name.to_owned())).collect()
    }

    const OWNERS: &str =
        "#\n# reserved values\n#\n255\tlocal\n254\tmain\n 0x64 hand # mine\n200 OI\n\n#1 inr.ruhep\r\nnonsense";

    #[test]
    fn our_lines_come_and_go_and_the_rest_stays() {
        let first = merge(OWNERS, &wanted(&[(1001, "EMB"), (1002, "web")]));
        assert_eq!(first.warnings, [""; 0]);
        assert!(first.text.contains("1001\tEMB\t# wansplit\n1002\tweb\t# wansplit\nnonsense"), "{}", first.text);
        assert_eq!(merge(&first.text, &wanted(&[(1001, "EMB"), (1002, "web")])).text, first.text);
        let second = merge(&first.text, &wanted(&[(1003, "EMB")]));
        assert!(second.text.contains("1003\tEMB\t# wansplit\n") && !second.text.contains("1001"));
        assert_eq!(merge(&second.text, &[]).text, OWNERS);
    }

    #[test]
    fn what_the_owner_wrote_wins() {
        let merged = merge(OWNERS, &wanted(&[(200, "OI"), (100, "EMB"), (7, "main"), (8, "hand"), (9, "all")]));
        assert_eq!(merged.text, OWNERS);
        assert_eq!(merged.warnings.len(), 4, "{:?}", merged.warnings);
        assert!(merged.warnings[0].contains("\"hand\" is the name of table 100"), "{:?}", merged.warnings);
    }

    #[test]
    fn names_are_single_words_and_no_numbers() {
        let merged = merge("", &wanted(&[(1, "a b#c"), (2, "100"), (3, "0x1f"), (4, "a\tb c"), (5, "99999999999")]));
        let names: Vec<_> = merged.text.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
        assert_eq!(names, ["a_b_c", "_100", "_0x1f", "_99999999999"]);
        assert_eq!(merged.warnings.len(), 1, "two names became one: {:?}", merged.warnings);
    }

    #[test]
    fn a_file_is_written_only_when_needed_and_keeps_its_permissions() {
        let directory = std::env::temp_dir().join(format!("wansplit-rt-{}", std::process::id()));
        let path = directory.join("iproute2/rt_tables");
        let names = wanted(&[(1001, "EMB")]);
        let text = || fs::read_to_string(&path).unwrap();

        assert_eq!(update(&path, &[]), [""; 0]);
        assert!(!directory.exists(), "nothing to say, nothing made");
        fs::create_dir_all(&directory).unwrap();
        assert_eq!(update(&path, &names), [""; 0]);
        assert_eq!(text(), format!("{MADE_DIRECTORY}1001\tEMB\t# wansplit\n"));
        let before = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(update(&path, &names), [""; 0]);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
        assert_eq!(update(&path, &wanted(&[(1002, "EMB")])), [""; 0]);
        assert_eq!(text(), format!("{MADE_DIRECTORY}1002\tEMB\t# wansplit\n"));
        assert_eq!(update(&path, &[]), [""; 0]);
        assert!(!directory.join("iproute2").exists() && directory.exists());

        fs::create_dir_all(directory.join("iproute2")).unwrap();
        assert_eq!(update(&path, &names), [""; 0]);
        assert!(text().starts_with(MADE_FILE));
        assert_eq!(update(&path, &[]), [""; 0]);
        assert!(!path.exists() && directory.join("iproute2").exists());

        // An owner's file, and even an empty one, stays.
        for owners in [OWNERS, ""] {
            fs::write(&path, owners).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            assert_eq!(update(&path, &names), [""; 0]);
            assert!(text().contains("EMB"));
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
            assert_eq!(update(&path, &[]), [""; 0]);
            assert_eq!(text(), owners);
        }

        // What cannot be read or written is a warning.
        fs::write(&path, b"200 caf\xe9\n").unwrap();
        assert_eq!(update(&path, &names).len(), 1);
        assert_eq!(fs::read(&path).unwrap(), b"200 caf\xe9\n");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(update(&path, &names).len(), 1);
        fs::remove_dir_all(&directory).unwrap();
        fs::write(&directory, "in the way").unwrap();
        assert_eq!(update(&path, &names).len(), 1);
        fs::remove_file(&directory).unwrap();
    }
}
