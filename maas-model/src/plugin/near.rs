//! "Did you mean": the known word nearest to a wrong one.

/// The candidate that differs least from `word`, if it is near enough to be meant.
///
/// Near is about a third of the letters wrong (two swapped neighbours count once), or the same but
/// for case, `-` and `_`. The first of equally near ones.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer words are no names; the distance costs the product of the lengths.
    if word.chars().count() > 100 {
        return None;
    }
    let plain = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (distance(&plain, &self::plain(candidate)), candidate))
        .filter(|(distance, candidate)| {
            let longer = candidate.chars().count().max(plain.len());
            *distance <= ((longer + 1) / 3).max(1) && *distance < plain.len()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A hint for an unknown word: the nearest known one, or all known ones if they are few enough to read.
pub fn suggestion<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    known.sort_unstable();
    known.dedup();
    let list = |known: &[&str]| {
        let quoted: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        quoted.join(", ")
    };
    const READABLE: usize = 12;
    match known.len() {
        0 => None,
        1..=READABLE => Some(format!("known: {}", list(&known))),
        more => Some(format!(
            "known: {} and {} more",
            list(&known[..READABLE]),
            more - READABLE
        )),
    }
}

fn plain(word: &str) -> Vec<char> {
    word.chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Optimal string alignment: insertions, deletions, replacements, swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before_last[j - 2] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found() {
        let known = ["paths", "pattern", "done", "CONSOLIDATE_PRODUCT"];
        for (word, expected) in [
            ("path", Some("paths")),
            ("pth", Some("paths")),
            ("patern", Some("pattern")),
            ("doen", Some("done")),
            ("consolidate-product", Some("CONSOLIDATE_PRODUCT")),
            ("CONSOLIDATE_PRODCUT", Some("CONSOLIDATE_PRODUCT")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }

    #[test]
    fn a_far_word_gets_the_list() {
        assert_eq!(
            suggestion("colour", ["b", "a"]).as_deref(),
            Some("known: `a`, `b`")
        );
        assert_eq!(suggestion("colour", []), None);
    }
}
