//! The manual holds what it says: its configurations are read, its options are those there are, its command lines are
//! understood, its links lead somewhere, and the files it names exist. Packets are in `docs_packets.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod docs_support;

use docs_support::configuration::{faults, other_file};
use docs_support::page::{Item, Kind, Page, page_at, pages, root};
use docs_support::session::{fits, steps, words};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use wansplit::config::options::SectionKind;
use wansplit::config::{diagnostics, read};

/// Every fault of all pages at once: whoever changed a page wants to see them all.
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What a fence is, by its word or, where it has none, by how it begins.
fn kind_of<'a>(info: &'a str, text: &str) -> &'a str {
    let begins = |sign: &str| text.trim_start().starts_with(sign);
    match info {
        "" if text.lines().any(|line| line.starts_with("config ")) => "uci",
        "" if begins("{") => "json",
        "" if begins("link ") => "log",
        "" if begins("# ") || begins("$ ") => "console",
        "indented" => "sh",
        given => given,
    }
}

/// The comment before an item, if it stands right before it.
fn comment_before(page: &Page, n: usize) -> Option<&str> {
    match page.items.get(n.checked_sub(1)?)? {
        Item { kind: Kind::Comment(words), line } if page.items[n].line <= line + 2 => Some(words),
        _ => None,
    }
}

/// All fences: page, place, item, kind and text.
fn fences(pages: &[Page]) -> impl Iterator<Item = (&Page, usize, String, &str, &str)> {
    pages.iter().flat_map(|page| {
        page.items.iter().enumerate().filter_map(move |(n, item)| match &item.kind {
            Kind::Fence { info, text } => {
                Some((page, n, format!("{}:{}", page.path, item.line), kind_of(info, text), text.as_str()))
            }
            _ => None,
        })
    })
}

#[test]
fn every_fence_is_claimed_by_a_check() {
    let (pages, mut faulty) = (pages(), Vec::new());
    let mut checked = 0;
    for (page, n, place, kind, text) in fences(&pages) {
        checked += 1;
        let fault = match kind {
            "uci" if other_file(text).is_some() => foreign(text),
            "uci" | "json" if comment_before(page, n) == Some("wrong") => wrong(page, n, text),
            "uci" | "json" => faults(&page.in_context(n, text), &place),
            "console" => steps_fault(text.replace("\n$ ", "\n# ").trim_start_matches("$ ")),
            "sh" => shell(text),
            // In a stage the daemon must write it, see docs_packets.rs.
            "log" => text
                .lines()
                .find(|line| !is_log(line))
                .map_or(String::new(), |line| format!("no line of the log: {line}")),
            "text" => claimed(comment_before(page, n)),
            other => format!("nobody claims a fence of kind '{other}'"),
        };
        if !fault.is_empty() {
            faulty.push(format!("{place}: {fault}"));
        }
    }
    assert!(checked > 40, "only {checked} fences were found");
    none(&faulty);
}

/// Whether a line is as the daemon writes it: `link NAME (IPv4) STATE`.
fn is_log(line: &str) -> bool {
    let mut words =
        line.strip_prefix("link ").unwrap_or("").split([' ', ':']).skip(1).filter(|word| !word.starts_with('('));
    ["up", "down", "degraded", "unproven", "held"].contains(&words.next().unwrap_or(""))
}

/// Another file of OpenWrt's is UCI at least.
fn foreign(text: &str) -> String {
    let known =
        |line: &str| ["config ", "option ", "list ", "#"].iter().any(|word| line.trim_start().starts_with(word));
    text.lines()
        .find(|line| !line.trim().is_empty() && !known(line))
        .map_or(String::new(), |line| format!("no UCI: {line}"))
}

/// A configuration that shows mistakes: the session behind it has what `check` says of them.
fn wrong(page: &Page, n: usize, text: &str) -> String {
    let Some(Item { kind: Kind::Fence { text: session, .. }, .. }) = page.items.get(n + 1) else {
        return "what check says must follow".into();
    };
    let said = diagnostics::render_all(&read(text.as_bytes()).diagnostics, "/etc/config/wansplit", text.as_bytes());
    match steps(session).as_slice() {
        [step] if step.command == "wansplit check" && fits(&step.shown, &said) => String::new(),
        _ => format!("check says:\n{said}"),
    }
}

/// A drawing, or what somebody else prints, names what proves it.
fn claimed(comment: Option<&str>) -> String {
    let proof = comment.and_then(|words| words.strip_prefix("drawing:")).map(str::trim);
    match proof {
        Some(path) if root().join(path).exists() => String::new(),
        Some(path) => format!("{path} does not exist"),
        None => "a fence of kind text needs <!-- drawing: FILE --> before it: what proves it".into(),
    }
}

fn steps_fault(text: &str) -> String {
    let commands: String = steps(text).into_iter().map(|step| step.command + "\n").collect();
    shell(&commands)
}

/// Command lines: the shell can read them, and what they say to wansplit and to scripts of ours is understood.
fn shell(text: &str) -> String {
    let checked = Command::new("sh").args(["-n", "-c", text]).output().unwrap();
    if !checked.status.success() {
        return String::from_utf8_lossy(&checked.stderr).into_owned();
    }
    let parts = text.split(['\n', ';']).flat_map(|line| line.split(" && ")).flat_map(|line| line.split(" | "));
    parts.map(|part| command(part.trim())).find(|fault| !fault.is_empty()).unwrap_or_default()
}

fn command(line: &str) -> String {
    let line = line.split(" >").next().unwrap_or(line).split(" <").next().unwrap_or(line);
    let words = words(line).unwrap_or_default();
    match words.split_first() {
        Some((program, _)) if program.starts_with("scripts/") => {
            if root().join(program).exists() {
                String::new()
            } else {
                format!("there is no {program}")
            }
        }
        Some((program, arguments)) if program == "wansplit" => understood(arguments),
        _ => String::new(),
    }
}

/// Asks the program: with `--help` at its end a command line is read, and nothing is done.
fn understood(arguments: &[String]) -> String {
    // What a person puts in: `explain PROTOCOL FROM TO`. What follows a link in `use` belongs to another program.
    let own = if arguments.first().is_some_and(|verb| verb == "use") { &arguments[..1] } else { arguments };
    let options: Vec<&String> = own.iter().filter(|word| word.starts_with("--")).collect();
    let verbs = own.iter().take_while(|word| !word.starts_with('-'));
    let verb: Vec<&String> = match own.first().map(String::as_str) {
        Some("set") => verbs.take(2).collect(),
        _ => verbs.take(1).collect(),
    };
    let help = Command::new(env!("CARGO_BIN_EXE_wansplit")).args(&verb).arg("--help").output().unwrap();
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    if !help.status.success() || verb.is_empty() && options.is_empty() {
        return format!("wansplit does not understand {verb:?}");
    }
    let unknown = options
        .into_iter()
        .find(|option| !text.contains(&format!("{option} ")) && !text.contains(&format!("{option}]")));
    unknown.map_or(String::new(), |option| format!("wansplit {verb:?} has no {option}"))
}

#[test]
fn command_lines_in_sentences_are_understood() {
    let mut faulty = Vec::new();
    for page in pages() {
        for code in spans(&page.text) {
            let code = code.replace('\n', " ");
            let Some(line) = code.strip_prefix("wansplit ") else { continue };
            if line.starts_with(|letter: char| letter.is_ascii_lowercase()) && !line.contains(['[', '|', '…']) {
                let fault = command(&format!("wansplit {}", line.replace("...", "")));
                if !fault.is_empty() {
                    faulty.push(format!("{}: `{code}`: {fault}", page.path));
                }
            }
        }
    }
    none(&faulty);
}

/// What stands between single backticks, outside of fences.
fn spans(text: &str) -> Vec<&str> {
    let outside = text.split("```").step_by(2);
    outside.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn links_lead_somewhere() {
    let (pages, mut faulty) = (pages(), Vec::new());
    let mut count = 0;
    for page in &pages {
        let outside: String = page.text.split("```").step_by(2).collect();
        for target in outside.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(' ') {
                continue;
            }
            count += 1;
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let folder = root().join(&page.path).parent().unwrap().to_owned();
            let file = if path.is_empty() { root().join(&page.path) } else { folder.join(path) };
            if !file.exists() {
                faulty.push(format!("{}: {target}: there is no such file", page.path));
            } else if !anchor.is_empty() {
                let file = file.canonicalize().unwrap();
                let file = file.strip_prefix(root().canonicalize().unwrap()).unwrap().display().to_string();
                if !page_at(&file).anchors().iter().any(|own| own == anchor) {
                    faulty.push(format!("{}: {target}: there is no such heading", page.path));
                }
            }
        }
    }
    assert!(count > 50, "only {count} links were found");
    none(&faulty);
}

#[test]
fn files_that_are_named_exist() {
    let folders = ["src/", "tests/", "scripts/", "examples/", "docs/", "files/", "openwrt/", ".ci/"];
    let mut faulty = Vec::new();
    for page in pages() {
        // What feeds are called in opkg.
        let text = page.text.replace("src/gz", "");
        let letters = |c: char| c.is_ascii_alphanumeric() || "_-./*".contains(c);
        for word in text.split(|c| !letters(c)) {
            let word = word.trim_end_matches(['.', '/']);
            if folders.iter().any(|folder| word.starts_with(folder)) && !exists(word) {
                faulty.push(format!("{}: {word}", page.path));
            }
        }
    }
    none(&faulty);
}

/// Whether a file of the repository exists; a `*` in its name is any letters, and a word in capitals stands for a name.
fn exists(path: &str) -> bool {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stands_for_another = |name: &str| name.len() > 2 && name.chars().all(|letter| letter.is_ascii_uppercase());
    if name.split('.').next().is_some_and(stands_for_another) && root().join(folder).is_dir() {
        return true;
    }
    let Some((head, tail)) = path.split_once('*') else { return root().join(path).exists() };
    let (folder, begin) = head.rsplit_once('/').unwrap_or(("", head));
    let names = fs::read_dir(root().join(folder)).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.into_string().ok()).any(|name| name.starts_with(begin) && name.ends_with(tail))
}

/// `*Set-up → Both at once*`: what the manual tells its reader to click is what the pages show.
#[test]
fn what_is_to_be_clicked_is_there() {
    let ours = root().join("openwrt/luci-app-wansplit");
    let grep = |word: &str| Command::new("grep").args(["-rqF", word]).arg(&ours).status().unwrap().success();
    // LuCI's own pages.
    let others = ["Network", "Status", "Overview", "Firewall", "Port forwards", "System", "Startup", "Realtime graphs"];
    let (mut faulty, mut count) = (Vec::new(), 0);
    for page in pages() {
        let outside: String = page.text.split("```").step_by(2).collect();
        for path in outside.replace("**", "").split('*').skip(1).step_by(2).filter(|path| path.contains(" → ")) {
            let path = path.replace('\n', " ");
            for word in path.split(" → ").filter(|word| !others.contains(word)) {
                count += 1;
                if !grep(&format!("'{word}'")) && !grep(&format!("\"{word}\"")) {
                    faulty.push(format!("{}: *{path}*: no page says '{word}'", page.path));
                }
            }
        }
    }
    assert!(count > 10, "only {count} words were found");
    none(&faulty);
}

#[test]
fn every_page_is_in_the_index() {
    let index = page_at("docs/README.md");
    let missing = pages().into_iter().filter_map(|page| page.path.strip_prefix("docs/").map(str::to_owned));
    let missing: Vec<String> =
        missing.filter(|name| name != "README.md" && !index.text.contains(&format!("]({name})"))).collect();
    none(&missing);
}

/// Options of other files of OpenWrt's that the manual speaks of, and the word for any.
const FOREIGN: [&str; 9] = [
    "masq",
    "sourcefilter",
    "nohostroute",
    "flow_offloading",
    "route_allowed_ips",
    "network",
    "mtu_fix",
    "server",
    "OPTION",
];

#[test]
fn options_in_sentences_exist() {
    let all: BTreeSet<&str> =
        SectionKind::ALL.into_iter().flat_map(SectionKind::options).map(|option| option.name).collect();
    let mut faulty = Vec::new();
    // What other programs' options are called is told in that page.
    for page in pages().into_iter().filter(|page| page.path != "docs/coming-from.md") {
        for span in spans(&page.text) {
            let mut words = span.split_whitespace();
            let is_option = matches!(words.next(), Some("option" | "list"));
            if let Some(name) = words.next().filter(|name| is_option && !all.contains(name) && !FOREIGN.contains(name))
            {
                faulty.push(format!("{}: `{span}`: there is no option {name}", page.path));
            }
        }
    }
    none(&faulty);
}
