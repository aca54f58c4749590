//! The report: sections of plain text, none of them longer than a reader's patience.

use super::mask::Masker;
use std::fmt::Write;

/// One subject of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What there is to say, or why nothing.
    pub body: String,
}

impl Section {
    /// A subject and what there is to say of it.
    #[must_use]
    pub fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self { title: title.into(), body: body.into() }
    }
}

/// All sections as one text, with the first line for people.
#[must_use]
pub fn text(first: &str, sections: &[Section], masker: &mut Masker) -> String {
    let mut text = format!("{first}\n");
    for Section { title, body } in sections {
        let body = body.trim_end();
        let body = if body.is_empty() { "(nothing)" } else { body };
        let _ = write!(text, "\n== {title}\n\n{body}\n");
    }
    printable(&masker.mask(&text))
}

/// The beginning of a text, whole lines of it, and how much was left out.
#[must_use]
pub fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let shown = text.get(..end).unwrap_or_default();
    let shown = shown.rfind('\n').map_or(shown, |end| shown.get(..=end).unwrap_or(shown));
    let left = text.get(shown.len()..).unwrap_or_default().lines().count();
    format!("{}\n({left} more lines)\n", shown.trim_end_matches('\n'))
}

/// The last lines of a text.
#[must_use]
pub fn ending(text: &str, most: usize) -> String {
    let count = text.lines().count();
    text.lines().skip(count.saturating_sub(most)).flat_map(|line| [line, "\n"]).collect()
}

/// A configuration without its comments, in which its owner speaks to himself. No line is lost: messages name them by
/// number.
#[must_use]
pub fn without_comments(config: &str) -> String {
    let bare = |line: &str| match line.trim_start() {
        comment if comment.starts_with('#') => "#".to_owned(),
        _ => uncommented(line),
    };
    config.lines().map(bare).flat_map(|line| [line, "\n".into()]).collect()
}

/// A line up to a `#` that begins a comment: behind a blank and outside quotes.
fn uncommented(line: &str) -> String {
    let (mut quote, mut before) = (None, ' ');
    for (place, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => {
                return format!("{}# ...", line.get(..place).unwrap_or_default());
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        before = c;
    }
    line.to_owned()
}

/// A text whose control characters can do nothing to a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_at_lines() {
        let text = "one\ntwo\nthree\nfour\n";
        assert_eq!(beginning(text, 100), text);
        assert_eq!(beginning(text, 10), "one\ntwo\n(2 more lines)\n");
        assert_eq!(beginning("ünbroken", 1), "\n(1 more lines)\n");
        assert_eq!(ending(text, 2), "three\nfour\n");
        assert_eq!(ending("", 2), "");
    }

    #[test]
    fn comments_go_and_lines_stay() {
        let config = "# my secret\nconfig rule 'a#b' # why\n\tlist x \"it's # here\"\n\toption y a#b\n";
        let expected = "#\nconfig rule 'a#b' # ...\n\tlist x \"it's # here\"\n\toption y a#b\n";
        assert_eq!(without_comments(config), expected);
    }

    #[test]
    fn nothing_moves_the_cursor() {
        let section = [Section::new("a", "\u{1b}[31mred\r\nx"), Section::new("b", " \n")];
        let expected = "first\n\n== a\n\n\u{fffd}[31mred\u{fffd}\nx\n\n== b\n\n(nothing)\n";
        assert_eq!(text("first", &section, &mut Masker::default()), expected);
    }
}
