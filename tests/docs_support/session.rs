//! What somebody types at a terminal, and what is printed.

/// A command and what the page shows of its output.
pub struct Step {
    pub command: String,
    pub shown: String,
}

/// The commands of a session: lines that begin with `# `, each with what follows up to the next one.
pub fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("# ") {
            steps.push(Step { command: command.to_owned(), shown: String::new() });
        } else if let Some(step) = steps.last_mut() {
            step.shown += &format!("{line}\n");
        } else {
            panic!("a session begins with a command, '# ...': {text}");
        }
    }
    steps
}

/// The words of a command line, as the shell takes them apart; nothing if it does more than run one program.
pub fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t') => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (None, '>' | '<' | '|' | ';' | '&' | '$' | '`') => return None,
            (None, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Some(words)
}

/// Whether an output is what a page shows. Blanks do not count; `...` alone on a line stands for any lines, `…` in a line
/// for anything.
pub fn fits(shown: &str, printed: &str) -> bool {
    let lines = |text: &str| -> Vec<String> {
        let squeezed = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        squeezed.filter(|line| !line.is_empty()).collect()
    };
    lines_fit(&lines(shown), &lines(printed))
}

fn lines_fit(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "..." => (0..=printed.len()).any(|skipped| lines_fit(rest, &printed[skipped..])),
        Some((line, rest)) => {
            printed.split_first().is_some_and(|(own, others)| line_fits(line, own) && lines_fit(rest, others))
        }
    }
}

/// Whether a line is what a page shows.
pub fn line_fits(shown: &str, printed: &str) -> bool {
    let mut parts = shown.split('…');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = printed.strip_prefix(first) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        (rest, last) = (&rest[at + part.len()..], Some(part));
    }
    rest.is_empty() || last.is_some_and(|part| printed.ends_with(part))
}
