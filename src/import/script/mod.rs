//! Shell scripts with `ip` and `iptables` commands: the recipe of tables, marks and rules. Nothing is ever executed.

mod balance;
mod chains;
mod commands;
mod conditions;
mod iptables;
mod lexer;
mod links;
mod marks;
mod order;
mod routing;
mod rules;
mod shell;

use super::foreign::Report;
use super::names::Names;
use super::{Context, Draft, Imported, Kind, Remark, Section};
use crate::config::diagnostics::quote;
use crate::config::options::SectionKind;
use crate::map::Set;
use chains::Lost;
use commands::Read;
use links::Links;
use marks::{CHAINS, Marks};
use rules::Rule;

/// The files of an import: the line of the whole each begins behind.
struct Files<'c> {
    all: Vec<(usize, &'c str)>,
}

impl Files<'_> {
    /// A line of the whole as a file and a line in it.
    fn place(&self, line: usize) -> (&str, usize) {
        let own = self.all.iter().rev().find(|(before, _)| *before < line);
        own.map_or(("", line), |(before, file)| (file, line - before))
    }
}

/// Says a script, or several that run one after the other, in wansplit's words.
///
/// # Errors
/// Nothing in it says where packets go.
pub fn import(text: &str, context: &Context) -> Result<Imported, String> {
    let mut read = Read::new();
    let (mut files, mut head, mut line) = (Files { all: Vec::new() }, Vec::new(), 0);
    let more = context.more.iter().map(|source| (source.file.as_str(), source.text.as_str()));
    for (file, text) in [(context.file, text)].into_iter().chain(more) {
        files.all.push((line, file));
        let script = shell::read(text);
        head.extend(script.head);
        for (own, what, kind, text) in script.remarks {
            read.report.at(kind, line + own, &what, text);
        }
        for mut command in script.commands {
            command.line += line;
            read.command(&command);
        }
        line += text.lines().count() + 1;
    }
    finish(read, &files, head, context)
}

fn finish(mut read: Read, files: &Files, comments: Vec<String>, context: &Context) -> Result<Imported, String> {
    read.say_others();
    let mut names = Names::new();
    let mut report = std::mem::take(&mut read.report);
    let links = Links::of(&read.routing, &mut names, &mut report);
    let mut marks = Marks { routing: &read.routing, links: &links, policies: Vec::new(), turned: false };
    let mut lost = Vec::new();
    let mut by_family = Vec::new();
    for chains in &read.chains {
        let [mut all, behind] = marks.of_ip(chains.family, &mut report);
        for (chain, from) in CHAINS {
            let met = chains.met(chain, &mut lost);
            all.extend(marks.rules(met, from, chains.family, &mut names, &mut lost));
        }
        all.extend(behind);
        by_family.push(all);
        for placed in chains.too_late() {
            let why = "in this chain a packet's way has been chosen already, so the mark leads nowhere".into();
            lost.push(Lost { line: placed.line, text: placed.text.clone(), why, needless: false });
        }
    }
    let v6 = by_family.pop().unwrap_or_default();
    let v4 = by_family.pop().unwrap_or_default();
    if links.links.is_empty() && v4.is_empty() && v6.is_empty() && !marks.leads_somewhere() {
        return Err(
            "nothing in it says where packets go: it has no ip rule and no default route in a table of its own".into(),
        );
    }
    say_lost(lost, &mut report);

    let only_ipv4 = v6.is_empty() && !links.have_ipv6();
    if only_ipv4 && !v4.is_empty() {
        let text =
            "the script knows IPv4 only, and so do its links; if they get a gateway6, the rules hold for IPv6 too";
        report.whole(Kind::Look, text);
    }
    if !marks.policies.is_empty() {
        let text = "shared connections are drawn one by one, as in the script; balance_by 'client' keeps those of a client together";
        report.whole(Kind::Look, text);
    }
    let turned = marks.turned;
    let policies: Vec<Section> = marks.policies.into_iter().map(|(_, section)| section).collect();
    let mut rules = rules::joined(rules::both(v4, v6));
    let sets = sets(&mut rules, &read.sets, &mut names, &mut report);
    general(&rules, &links, &mut report);

    let mut sections = links.sections();
    sections.extend(policies);
    sections.extend(sets);
    sections.extend(rules::sections(rules, !only_ipv4, &mut names, |line| files.place(line).1));
    let mut remarks = report.in_order();
    for remark in &mut remarks {
        place(remark, files);
    }
    Ok(Imported { draft: Draft { head: head(context.file, turned, comments), sections }, remarks })
}

/// Puts a remark's line into its file.
fn place(remark: &mut Remark, files: &Files) {
    let (file, line) = files.place(remark.line);
    if remark.line > 0 && files.all.len() > 1 {
        let colon = if remark.section.is_empty() { "" } else { ": " };
        remark.section = format!("{file}{colon}{}", remark.section);
    }
    remark.line = line;
}

fn say_lost(lost: Vec<Lost>, report: &mut Report) {
    // A chain that is jumped to twice loses the same rule twice.
    let mut said = Set::new();
    for Lost { line, text, why, needless } in lost {
        if !said.insert((line, why.clone())) {
            continue;
        }
        let why = if needless { format!("not needed: {why}") } else { why };
        report.at(Kind::Dropped, line, &quote(&text), why);
    }
}

fn head(file: &str, turned: bool, comments: Vec<String>) -> Vec<String> {
    let mut head = vec![
        format!(
            "Made from {file} (a script). Look through it; `wansplit check` and `wansplit show` tell what it would do."
        ),
        "To change over: see that the script is not run any more, and reboot;".into(),
        "then: uci set wansplit.globals.enabled='1'; uci commit wansplit; reload_config".into(),
        "The first rule that matches wins; in iptables the last mark that matches does.".into(),
    ];
    if turned {
        head.push("So where rules share packets, they stand in the reverse order here.".into());
    }
    if !comments.is_empty() {
        head.push("The script says of itself:".into());
        head.extend(comments.into_iter().map(|comment| format!("  {comment}")));
    }
    head
}

/// The sets that rules name; ipset's are not visible to nftables.
fn sets(rules: &mut [Rule], known: &[(String, Vec<String>)], names: &mut Names, report: &mut Report) -> Vec<Section> {
    let mut sections: Vec<(String, Section)> = Vec::new();
    for rule in rules {
        for option in ["dest_set", "src_set"] {
            let Some([name]) = rule.conditions.get(option) else { continue };
            let known_here = sections.iter().find(|(own, _)| own == name).map(|(_, section)| section.name().to_owned());
            let called = known_here.unwrap_or_else(|| {
                let section = set(name, rule.line, known, names, report);
                let called = section.name().to_owned();
                sections.push((name.clone(), section));
                called
            });
            rule.conditions.remove(option);
            let _ = rule.conditions.and(option, vec![called]);
        }
    }
    sections.into_iter().map(|(_, section)| section).collect()
}

/// One set.
fn set(name: &str, line: usize, known: &[(String, Vec<String>)], names: &mut Names, report: &mut Report) -> Section {
    let mut section = Section::new(SectionKind::Set, &names.fresh_word(name));
    let entries = known.iter().find(|(own, _)| own == name).map_or(&[][..], |(_, entries)| entries);
    if entries.is_empty() {
        section.comment("filled by somebody else there: put its addresses or domains here");
        let text = format!(
            "the ipset {name} is filled by somebody else, and cannot be seen from here: fill config set '{}', with list entry, \
             list file or list domain",
            section.name()
        );
        report.at(Kind::Look, line, &format!("ipset {name}"), text);
    }
    for entry in entries {
        section.list("entry", entry.as_str());
    }
    section
}

/// What holds for every script.
fn general(rules: &[Rule], links: &Links, report: &mut Report) {
    let to_a_link = |rule: &Rule| links.links.iter().any(|link| link.name == rule.target);
    if links.links.len() > 1 && rules.iter().any(to_a_link) {
        let text = "rules name one link each, as the script does: while it is down, what they take goes by main; a config \
                    policy with list use gives it a second one";
        report.whole(Kind::Look, text);
    }
    report.whole(
        Kind::Look,
        "running connections stay on their link, answers go back by the link they came in by, and routes of the main table \
         but its default come first: what the script does for that is not needed",
    );
}
