//! "Did you mean": the nearest of some known words.

/// The candidate nearest to a word, if one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.to_ascii_lowercase().chars().collect();
    // A third of the letters may be wrong: 'por' is not near 'mac', but 'destport' is near 'dest_port'.
    let limit = (word.len() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.to_ascii_lowercase().chars().collect();
            // 'warning' for 'warn', 'unreach' for 'unreachable'.
            let (short, long) = if word.len() < other.len() { (&word, &other) } else { (&other, &word) };
            if short.len() >= 3 && long.starts_with(short) {
                return Some((limit, candidate));
            }
            let close_in_length = long.len() - short.len() <= limit;
            let distance = close_in_length.then(|| distance(&word, &other))?;
            (distance <= limit).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be inserted, deleted, replaced or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    // Three rows of the usual table: distances of a's prefixes to b's prefixes.
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replace = last[j] + usize::from(x != y);
            let mut best = replace.min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
        previous = Some(x);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_misses_are_found_and_far_ones_are_not() {
        let options = ["dest_port", "dest_ip", "src_port", "proto", "use", "mark", "mask"];
        for (word, meant) in [
            ("dest-port", Some("dest_port")),
            ("dport", None),
            ("destport", Some("dest_port")),
            ("Proto", Some("proto")),
            ("porto", Some("proto")),
            ("sue", Some("use")),
            ("maks", Some("mask")),
            ("banana", None),
            ("", None),
            ("markers", Some("mark")),
            ("prot", Some("proto")),
        ] {
            assert_eq!(nearest(word, options), meant, "{word}");
        }
    }
}
