use super::*;

fn said(text: &str) -> Vec<String> {
    let mut all: Vec<String> =
        read(text).commands.iter().map(|command| format!("{} {}", command.line, command.words.join(" "))).collect();
    all.extend(read(text).remarks.iter().map(|(line, _, kind, text)| format!("{line} {kind}: {text}")));
    all
}

#[test]
fn variables_and_loops() {
    assert_eq!(
        said("A=eth1; P='80 443'\nfor p in $P 53; do\n ip $A \"$P\" $p\ndone"),
        ["3 ip eth1 80 443 80", "3 ip eth1 80 443 443", "3 ip eth1 80 443 53"]
    );
    assert_eq!(said("IPT=\"iptables -t mangle\"\n$IPT -F $X"), ["2 iptables -t mangle -F $X"]);
    assert_eq!(said("for a in 1 2; do for b in x y; do echo $a$b; done; done").len(), 4);
    assert!(said("for i in $(seq 9); do ip rule add $i; done")[0].contains("not known"));
}

#[test]
fn conditions_functions_and_pipes() {
    assert_eq!(said("[ -f x ] && a || b"), ["1 [ -f x ]", "1 a", "1 b"]);
    assert_eq!(said("if x; then\n a\nelse\n b\nfi\nc"), ["2 a", "6 c"]);
    assert_eq!(said("start() {\n a\n}\nstop() {\n b\n}\nstart"), ["2 a"]);
    assert_eq!(said("case $1 in\nstart) a;;\nstop) b;;\nesac\nc"), ["2 a", "5 c"]);
    assert_eq!(said("a | b | while read x; do ip $x; done\nc")[0], "2 c");
    assert_eq!(said("x=1 y=2 a"), ["1 a"]);
}

#[test]
fn no_word_grows_without_end() {
    let doubled = format!("x=some-words\n{}ip $x", "x=$x$x\n".repeat(40));
    let commands = read(&doubled).commands;
    let words: usize = commands.iter().flat_map(|command| &command.words).map(String::len).sum();
    assert!(words <= 2 * LONGEST, "{words}");
    assert!(is_unknown(&commands[0].words.concat()));
    // Long words, in many places, in a loop.
    let spread = format!("x={}\nfor i in {}; do ip {}; done", "y".repeat(4000), "1 ".repeat(500), "$x ".repeat(300));
    let commands = read(&spread).commands;
    let words: usize = commands.iter().flat_map(|command| &command.words).map(String::len).sum();
    assert!(words <= 2 * PATIENCE, "{words}");
}
