//! Regular expressions as Python writes them, for lines.
//!
//! The two languages are nearly one. Told apart here: `$` and `\Z`, brackets within brackets, braces that
//! repeat nothing, `\<`. What only a backtracking engine can do is refused.

use maas_model::pattern::Pattern;

use crate::extract::convert::regex_fault;

/// Compiles a pattern that has to match from the start of a line; the line may end with one line feed.
pub(super) fn compile(pattern: &str) -> Result<Pattern, String> {
    let translated = translated(pattern);
    // Told of the pattern as it was written, wherever that one is understood.
    if let Err(error) = Pattern::new(&translated) {
        return Err(regex_fault(&error));
    }
    Pattern::new(&format!(r"\A(?:{translated})")).map_err(|error| regex_fault(&error))
}

fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        match (c, in_class) {
            ('\\', _) => {
                let escaped = rest[1..].chars().next();
                length += escaped.map_or(0, char::len_utf8);
                match escaped {
                    Some('Z') if !in_class => out.push_str(r"\z"),
                    Some(sign @ ('<' | '>')) => out.push(sign),
                    _ => out.push_str(&rest[..length]),
                }
            }
            ('[', false) => {
                length += usize::from(rest[1..].starts_with('^'));
                // A `]` that comes first is one of the class.
                let first = usize::from(rest[length..].starts_with(']'));
                out.push_str(&rest[..length]);
                out.push_str(if first == 1 { r"\]" } else { "" });
                length += first;
                in_class = true;
            }
            (']', true) => {
                in_class = false;
                out.push(']');
            }
            ('[' | '&' | '~', true) => {
                out.push('\\');
                out.push(c);
            }
            // A `-` twice is a difference of classes there.
            ('-', true) if rest[1..].starts_with('-') => {
                length += 1;
                out.push_str(r"-\-");
            }
            // At the end, or before the line feed at the end.
            ('$', false) => out.push_str("(?m:$)"),
            ('{', false) => match repetition(rest) {
                Some((written, end)) => {
                    out.push_str(&written);
                    length = end;
                }
                None => out.push_str(r"\{"),
            },
            _ => out.push(c),
        }
        rest = &rest[length..];
    }
    out
}

/// `{3}`, `{3,}`, `{,3}`, `{3,4}`, with a lower bound, and its length.
fn repetition(text: &str) -> Option<(String, usize)> {
    let end = text.find('}')?;
    let (low, high) = match text[1..end].split_once(',') {
        Some((low, high)) => (low, Some(high)),
        None => (&text[1..end], None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(low) || !high.is_none_or(digits) || end == 1 {
        return None;
    }
    let low = if low.is_empty() { "0" } else { low };
    let written = match high {
        Some(high) => format!("{{{low},{high}}}"),
        None => format!("{{{low}}}"),
    };
    Some((written, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_python_means() {
        for (pattern, line, expected) in [
            (r"a$", "a\n", true),
            (r"a\Z", "a\n", false),
            (r"a\Z", "a", true),
            (r"(?s:.+)$", "a\n", true),
            (r"[[]x[]]", "[x]", true),
            (r"[^]]+", "x", true),
            (r"[a&&b]+c", "&&c", true),
            (r"[+--]+c", "-,c", true),
            (r#"{"a": (?P<a>\d{1,2})}"#, "{\"a\": 12}\n", true),
            (r"a{,2}b", "aab", true),
            (r"\<b\>", "<b>", true),
            (r"b", "ab", false),
            (r"a|b", "b", true),
            (r"[$]", "$", true),
            (r"é{2}", "éé", true),
        ] {
            let regex = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(regex.is_match(line), Ok(expected), "{pattern} {line:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_told() {
        for pattern in ["(?P<a", "(?=a)", r"(?P<a>x)(?P=a)", "(", "a{2", "*"] {
            let told = compile(pattern);
            assert_eq!(told.is_err(), pattern != "a{2", "{pattern}");
        }
    }
}
