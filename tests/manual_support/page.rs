//! The manual page in mdoc, which both mandoc and groff read.

use super::help::Help;
use std::fmt::Write;

/// The file that it is.
pub const FILE: &str = "docs/wansplit.8";

/// What no command's help says.
const AROUND: &str = r#".Sh ENVIRONMENT
.Bl -tag -width NO_COLOR
.It Ev NO_COLOR
Set to anything,
.Cm status
prints no colours.
.It Ev TZ
The time zone, as POSIX writes it, in place of
.Pa /etc/TZ
or
.Pa /etc/localtime .
.It Ev ACTION
For
.Cm hotplug :
netifd's word for what happened.
.El
.Sh FILES
.Bl -tag -width /etc/hotplug.d/wansplit/
.It Pa /etc/config/wansplit
The configuration, in UCI or JSON.
.It Pa /etc/config/firewall
Beside it: whether a link translates IPv6
.Pq Ql masq6 .
.It Pa /etc/hotplug.d/wansplit/
The owner's scripts, which the daemon runs when a link has changed, with
.Ev ACTION , LINK , FAMILY , INTERFACE , DEVICE
and
.Ev REASON .
.It Pa /etc/hotplug.d/iface/15-wansplit
Says that an interface has changed.
.It Pa /etc/init.d/wansplit
The service.
.El
"#;

const ELSEWHERE: &str = ".Sh SEE ALSO\n.Xr ip-rule 8 ,\n.Xr nft 8\n";

/// The whole page. It bears no date: it belongs to a version.
pub fn page(all: &[Help]) -> String {
    let program = &all[0];
    let mut page = String::from(
        ".\\\" Made from `wansplit --help` by tests/manual_page.rs: UPDATE=1 cargo test --test manual_page\n.Dd\n.Dt WANSPLIT 8\n",
    );
    let _ = write!(
        page,
        ".Os wansplit {}\n.Sh NAME\n.Nm wansplit\n.Nd {}\n.Sh SYNOPSIS\n.Nm\n{}\n",
        env!("CARGO_PKG_VERSION"),
        described(&program.does),
        // mdoc calls words by their first letters: nothing here is one.
        text(&program.usage),
    );
    let _ = writeln!(page, ".Sh DESCRIPTION\n{}\n{}", text(&program.does), text(&program.notes));
    list(&mut page, "Fl", &program.options);
    page.push_str(".Sh COMMANDS\n");
    for help in all.iter().skip(1) {
        command(&mut page, help);
    }
    page.push_str(AROUND);
    page.push_str(".Sh EXIT STATUS\n");
    exits(&mut page, &program.codes);
    page.push_str(".Sh EXAMPLES\n");
    examples(&mut page, &program.examples);
    page + ELSEWHERE
}

fn command(page: &mut String, help: &Help) {
    let _ = writeln!(
        page,
        ".Ss wansplit {}\n{}",
        literal(&format!("{} {}", help.name(), help.usage)).trim_end(),
        text(&help.does)
    );
    if !help.notes.is_empty() {
        let _ = writeln!(page, ".Pp\n{}", text(&help.notes));
    }
    list(page, "Ar", &help.arguments);
    list(page, "Fl", &help.options);
    if !help.codes.is_empty() {
        page.push_str(".Pp\nExit codes:\n");
        exits(page, &help.codes);
    }
    if !help.examples.is_empty() {
        page.push_str(".Pp\nFor example:\n");
        examples(page, &help.examples);
    }
}

fn list(page: &mut String, how: &str, entries: &[(String, String)]) {
    if entries.is_empty() {
        return;
    }
    page.push_str(".Bl -tag -width --icmp-type\n");
    for (name, said) in entries {
        // `.Fl` puts one dash of its own in front.
        let name = literal(name.strip_prefix('-').unwrap_or(name));
        let _ = writeln!(page, ".It {how} {name}\n{}", text(said));
    }
    page.push_str(".El\n");
}

fn exits(page: &mut String, codes: &[(i32, String)]) {
    page.push_str(".Bl -tag -width 127 -compact\n.It 0\nDone.\n");
    for (code, said) in codes {
        let _ = writeln!(page, ".It {code}\n{}", text(&sentence(said)));
    }
    page.push_str(".El\n");
}

fn examples(page: &mut String, lines: &[String]) {
    let lines: Vec<String> = lines.iter().map(|line| guarded(literal(line))).collect();
    let _ = writeln!(page, ".Bd -literal -offset indent\n{}\n.Ed", lines.join("\n"));
}

fn described(does: &str) -> String {
    let mut letters = does.trim_end_matches('.').chars();
    let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
    text(&(first + letters.as_str()))
}

fn sentence(said: &str) -> String {
    let mut letters = said.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Words that mean themselves: roff takes backslashes, and dots and quotes at the beginning of a line, for its own. Each
/// sentence gets a line, as mdoc wants it.
fn text(plain: &str) -> String {
    let escaped = literal(plain);
    escaped.replace(". ", ".\n").lines().flat_map(folded).map(guarded).collect::<Vec<_>>().join("\n")
}

fn literal(plain: &str) -> String {
    plain.replace('\\', "\\e").replace('`', "\\(ga").replace('\'', "\\(aq").replace('-', "\\-")
}

/// Lines of at most 80 columns.
fn folded(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        let last = lines.last_mut().unwrap();
        if last.is_empty() {
            last.push_str(word);
        } else if last.len() + 1 + word.len() <= 80 {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn guarded(line: String) -> String {
    if line.starts_with('.') { format!("\\&{line}") } else { line }
}
