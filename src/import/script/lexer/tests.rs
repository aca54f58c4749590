use super::*;

fn said(text: &str) -> Vec<String> {
    let word = |word: &Word| -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Variable { name, .. } => format!("<{name}>"),
            Piece::Unknown(text) => format!("?{text}?"),
        };
        word.pieces.iter().map(piece).collect()
    };
    let token = |(token, line): &Placed| match token {
        Token::Word(own) => format!("{line}:{}", word(own)),
        Token::Here(body, first) => format!("{line}:here {first} {body}"),
        other => format!("{line}:{other:?}"),
    };
    tokens(text).iter().map(token).collect()
}

#[test]
fn words_and_quotes() {
    assert_eq!(
        said("a 'b  c'\\\nd \"e$F\\\"\" $(x (y)) ${G} ${H:-1} $1 2>&1"),
        ["1:a", "1:b  cd", "2:e<F>\"", "2:?$(x (y))?", "2:<G>", "2:?${H:-1}?", "2:?$1?"]
    );
    assert_eq!(said("a#b # c\nd"), ["1:a#b", "1:Comment(\"c\")", "1:Separator(\"\\n\")", "2:d"]);
    assert_eq!(
        said("a >>f 2>/dev/null||b"),
        ["1:a", "1:Output", "1:f", "1:Output", "1:/dev/null", "1:Separator(\"||\")", "1:b"]
    );
}

#[test]
fn lines_within() {
    assert_eq!(
        said("cat >> f <<EOF; x\n1 a\n2 b\nEOF\ny"),
        ["1:cat", "1:Output", "1:f", "1:here 2 1 a\n2 b\n", "1:Separator(\";\")", "1:x", "1:Separator(\"\\n\")", "5:y"]
    );
}

#[test]
fn a_quote_that_is_never_closed_costs_its_line_only() {
    assert_eq!(said("a 'b c\nd"), ["1:a", "1:Fault", "1:Separator(\"\\n\")", "2:d"]);
    assert_eq!(said("x $(a\nd"), ["1:x", "1:Fault", "1:Separator(\"\\n\")", "2:d"]);
}
