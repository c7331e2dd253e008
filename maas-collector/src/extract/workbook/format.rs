//! Which number formats show a date.

/// Whether a format of the standard shows a date.
pub(super) fn is_date_id(id: u32) -> bool {
    matches!(id, 14..=22 | 45..=47)
}

/// The same for old files, which know more of them.
pub(super) fn is_old_date_id(id: u32) -> bool {
    is_date_id(id) || matches!(id, 27..=36 | 50..=58 | 71..=81)
}

/// Whether a format that a file brings along shows a date: it has more letters of dates than places of
/// digits, without quoted texts, escaped characters and what stands in brackets.
pub(super) fn is_date(format: &str) -> bool {
    let bare = without_brackets(&without_texts(format));
    if matches!(
        bare.as_str(),
        "0.00E+00" | "##0.0E+0" | "General" | "GENERAL" | "general" | "@"
    ) {
        return false;
    }
    let count = |wanted: &str| bare.chars().filter(|c| wanted.contains(*c)).count();
    count("yYmMdDhHsS") > count("0#?")
}

/// Without quoted texts, characters that are shown as they are, and those of money and signs.
fn without_texts(format: &str) -> String {
    let mut bare = String::new();
    let mut quoted = false;
    let mut letters = format.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '\\' | '_' | '*' => {
                letters.next();
            }
            '$' | '-' | '+' | '/' | '(' | ')' | ':' | ' ' => {}
            _ => bare.push(c),
        }
    }
    bare
}

/// Without `[...]`. A bracket that is never closed stays.
fn without_brackets(format: &str) -> String {
    let mut bare = String::new();
    let mut rest = format;
    while let Some((before, behind)) = rest.split_once('[') {
        let Some((_, after)) = behind.split_once(']') else {
            break;
        };
        bare.push_str(before);
        rest = after;
    }
    bare + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_more_letters_than_digits() {
        for (format, date) in [
            ("General", false),
            ("0.00", false),
            ("0.00%", false),
            ("#,##0 [$€-407]", false),
            ("\"days\" 0", false),
            ("0\\d", false),
            ("@", false),
            ("0.00E+00", false),
            ("yyyy-mm-dd", true),
            ("yyyy\\-mm\\-dd hh:mm:ss.000", true),
            ("hh:mm", true),
            ("[h]:mm:ss", true),
            ("[h]", false),
            ("[$-409]d-mmm-yy", true),
            ("[Red]0", false),
            ("hh\\hmm", true),
            ("yyyy[", true),
            ("", false),
        ] {
            assert_eq!(is_date(format), date, "{format}");
        }
    }
}
