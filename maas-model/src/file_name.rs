//! Names of others (queues, pools, groups) as parts of file names.

/// Longer ones are cut: a file name has 255 bytes, and more stands in it than this.
const LONGEST: usize = 100;

/// `text` as part of a file name: no path leads out of the folder by it, and no system gives it a meaning of its
/// own. Two texts may become the same.
pub fn safe_file_name(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let safe = text.chars().take(LONGEST);
    let safe: String = safe
        .map(|letter| if plain(letter) { letter } else { '_' })
        .collect();
    // Hidden, or another folder.
    match safe.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if safe.is_empty() => "_".to_owned(),
        None => safe,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_anywhere() {
        for (text, expected) in [
            ("maas.dead.pool-1", "maas.dead.pool-1"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("/etc/passwd", "_etc_passwd"),
            ("C:\\x", "C__x"),
            ("..", "_."),
            (".hidden", "_hidden"),
            ("a b\u{e9}\0", "a_b__"),
            ("", "_"),
        ] {
            assert_eq!(safe_file_name(text), expected);
        }
        assert_eq!(safe_file_name(&"x".repeat(5_000)).len(), LONGEST);
    }
}
