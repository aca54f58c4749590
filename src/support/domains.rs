//! Names of domains: those a configuration speaks of are its owner's own business.

/// The domains to be hidden.
#[derive(Debug, Default)]
pub struct Domains(Vec<String>);

impl Domains {
    /// All that a configuration names, whatever its syntax and however broken. A device or a rule that is named like a
    /// domain is taken for one.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut found: Vec<String> = Vec::new();
        let mut at = 0;
        for word in words(text) {
            let Some(place) = text.get(at..).and_then(|rest| rest.find(word)) else { continue };
            let before = text.get(..at + place).unwrap_or_default();
            at += place + word.len();
            // The parts of a path, but not of an address in the web.
            if before.ends_with('/') && !before.ends_with("//") {
                continue;
            }
            let name = word.trim_matches('.').to_lowercase();
            if is_domain(&name) && !found.contains(&name) {
                found.push(name);
            }
        }
        Self(found)
    }

    /// The text with `domain-1` for the first of them. What lies under one of them is hidden with it.
    #[must_use]
    pub fn mask(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        for word in words(text) {
            let Some(place) = rest.find(word) else { continue };
            masked.push_str(rest.get(..place).unwrap_or_default());
            let name = word.trim_matches('.');
            match self.name(name) {
                Some(hidden) => masked.push_str(&word.replacen(name, &hidden, 1)),
                None => masked.push_str(word),
            }
            rest = rest.get(place + word.len()..).unwrap_or_default();
        }
        masked.push_str(rest);
        masked
    }

    fn name(&self, name: &str) -> Option<String> {
        let bare = name.to_lowercase();
        if let Some(place) = self.0.iter().position(|own| *own == bare) {
            return Some(format!("domain-{}", place + 1));
        }
        // The longest one it lies under.
        let under = |own: &String| bare.strip_suffix(own.as_str()).is_some_and(|sub| sub.ends_with('.'));
        let above = self.0.iter().enumerate().filter(|(_, own)| under(own)).max_by_key(|(_, own)| own.len());
        above.map(|(place, _)| format!("sub.domain-{}", place + 1))
    }
}

/// Whatever could be a domain's name, in the order of the text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_of_a_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    text.split(move |c| !is_of_a_name(c)).filter(|word| word.contains('.'))
}

/// At least two labels, the last one of letters.
fn is_domain(name: &str) -> bool {
    let mut labels = name.rsplit('.');
    let last = labels.next().unwrap_or_default();
    let top = last.chars().count() >= 2 && (last.starts_with("xn--") || last.chars().all(char::is_alphabetic));
    let mut others = labels.peekable();
    top && others.peek().is_some() && others.all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "config rule 'tv'\n\tlist dest_domain 'Example.com'\n\tlist dest_domain '*.video.example.org'\n\
        \tlist file '/etc/wansplit/x.list'\n\toption url 'https://lists.example.net/a.txt'\n\toption device 'eth0.2'\n\
        \tlist dest_ip '192.0.2.1'\n\tlist domain münchen.example\n";

    #[test]
    fn the_domains_of_a_configuration_are_found() {
        let found = Domains::of(CONFIG).0;
        assert_eq!(found, ["example.com", "video.example.org", "lists.example.net", "münchen.example"]);
    }

    #[test]
    fn they_are_hidden_wherever_they_stand() {
        let domains = Domains::of(CONFIG);
        for (text, expected) in [
            ("to example.com, then", "to domain-1, then"),
            ("EXAMPLE.COM. www.example.com", "domain-1. sub.domain-1"),
            ("*.video.example.org:443", "*.domain-2:443"),
            ("notexample.com example.community", "notexample.com example.community"),
            ("'münchen.example' wansplit.link", "'domain-4' wansplit.link"),
            ("https://lists.example.net/a.txt", "https://domain-3/a.txt"),
        ] {
            assert_eq!(domains.mask(text), expected);
        }
        let hidden = domains.mask(CONFIG).to_lowercase();
        assert!(domains.0.iter().all(|domain| !hidden.contains(domain.as_str())), "{hidden}");
        assert_eq!(Domains::default().mask(CONFIG), CONFIG);
    }
}
