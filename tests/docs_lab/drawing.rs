//! A drawing quotes the router: chains, ip rules and routes by their real names, and the rules in their order.

use super::stage::Scene;
use crate::docs_support::page::root;
use crate::docs_support::session::line_fits;
use std::fs;

/// What a drawing quotes is what the router has; ip rules are drawn in their order.
pub fn check(scene: &Scene, file: &str) {
    let text = fs::read_to_string(root().join(file)).expect(file);
    let rules = scene.lab.router.command("ip", &["rule"]);
    let nft = scene.wansplit.run(&["show", "nft", "--text"]).stdout;
    let held = rules.clone() + &nft + &scene.wansplit.run(&["show", "ip"]).stdout;
    let squeeze = |line: &str| line.replace(':', ": ").split_whitespace().collect::<Vec<_>>().join(" ");
    let (held, rules): (Vec<String>, Vec<String>) =
        (held.lines().map(squeeze).collect(), rules.lines().map(squeeze).collect());
    let (mut quotes, mut last) = (0, 0);
    for (class, quote) in quotes_of(&text) {
        let pattern = format!("…{}…", squeeze(&quote));
        assert!(held.iter().any(|line| line_fits(&pattern, line)), "{file}: the router has no `{quote}`");
        quotes += 1;
        if class == "rule" {
            let place = rules.iter().position(|line| line_fits(&pattern, line)).expect("an ip rule");
            assert!(place >= last, "{file}: `{quote}` is not in its place");
            last = place;
        }
    }
    assert!(quotes > 15, "{file}: only {quotes} quotes");
}

/// The texts of a drawing that quote the router: their class, `code` or `rule`, and the words.
fn quotes_of(svg: &str) -> Vec<(&str, String)> {
    let texts = svg.split("<text ").skip(1).filter_map(|text| {
        let class = text.split("class=\"").nth(1)?.split('"').next()?;
        let words = text.split_once('>')?.1.split("</text>").next()?;
        Some((class, words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")))
    });
    texts.filter(|(class, _)| ["code", "rule"].contains(class)).collect()
}
