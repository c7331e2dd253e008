//! Lines of a pipeline file as they are shown beside a mistake: without secrets.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::plugin::nearest;
use crate::secret::{NAMES, sounds_secret, without_secrets_of_urls};

/// The lines of a file as they are shown. Each is made once: one line may have a thousand mistakes in it.
pub(super) struct Excerpts<'a> {
    lines: Vec<&'a str>,
    shown: HashMap<usize, String>,
}

impl<'a> Excerpts<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            lines: text.lines().collect(),
            shown: HashMap::new(),
        }
    }

    /// By its number, which counts from 1, without secrets.
    pub(super) fn line(
        &mut self,
        number: usize,
        masked: impl Fn(&str) -> String,
    ) -> Option<String> {
        let index = number.checked_sub(1)?;
        let line = self.lines.get(index)?;
        let shown =
            self.shown
                .entry(index)
                .or_insert_with(|| match continues_secret(&self.lines, index) {
                    true => stars(line),
                    false => without_passwords(&masked(line)),
                });
        Some(shown.clone())
    }
}

/// Hides what stands behind keys that sound like secrets: also when the plugin, whose schema would tell,
/// is not known, or the file is not even YAML. Keeps the width, so that the caret stays right.
fn without_passwords(line: &str) -> String {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let key = format!(r"(?i)[\w-]*(?:{NAMES})[\w-]*['\x22]?\s*:\s+");
        let any = r"[\w-]+['\x22]?\s*:\s+";
        let patterns = [
            // A line of its own: all that follows.
            format!(r"^(\s*(?:-\s+)*['\x22]?{key})(.*\S)"),
            // Within braces: to the end of the value.
            format!(r"({key})('[^']*'|\x22[^\x22]*\x22|[^\s,}}\]*][^,}}\]]*)"),
            // Under a name that is nearly one.
            format!(r"({any})('[^']*'|\x22[^\x22]*\x22|[^\s,{{}}\]*][^,}}\]]*)"),
        ];
        patterns
            .iter()
            .filter_map(|pattern| Regex::new(pattern).ok())
            .collect()
    });
    let hide = |line: String, pattern: &Regex| {
        let hidden = pattern.replace_all(&line, |found: &regex::Captures<'_>| {
            let (whole, key, value) = (&found[0], &found[1], &found[2]);
            let name = key.trim_end().trim_end_matches([':', '\'', '"', ' ']);
            let name = name
                .rsplit([' ', '{', ',', '\'', '"'])
                .next()
                .unwrap_or_default();
            if is_reference(value) || !sounds_secret(name) && nearest(name, MEANT).is_none() {
                return whole.to_owned();
            }
            let rest = &whole[key.len() + value.len()..];
            format!("{key}{}{rest}", stars(value))
        });
        hidden.into_owned()
    };
    let line = PATTERNS.iter().fold(line.to_owned(), hide);
    without_secrets_of_urls(&line, stars)
}

/// What a name is meant to be that is spelt wrong. Shorter ones are near to ordinary words: `broken` to `token`.
const MEANT: [&str; 3] = ["password", "passphrase", "credentials"];

/// Whether a line belongs to a secret that is written over several lines: the nearest line above it that is
/// less indented is a key that sounds like one.
fn continues_secret(lines: &[&str], index: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let Some(own) = lines.get(index).filter(|line| !line.trim().is_empty()) else {
        return false;
    };
    let above = lines[..index].iter().rev();
    let mut above = above.filter(|line| !line.trim().is_empty() && indent(line) < indent(own));
    let Some((key, value)) = above.next().and_then(|line| line.split_once(':')) else {
        return false;
    };
    sounds_secret(key)
        && (value.trim().is_empty() || value.trim().starts_with(['|', '>', '\'', '"', '&', '!']))
}

/// References are no secrets, and what a person wants to see.
fn is_reference(value: &str) -> bool {
    let map = value.starts_with('{') && ["env:", "file:"].iter().any(|key| value.contains(key));
    map || value.contains("${") && !value.contains(":-")
}

fn stars(text: &str) -> String {
    "*".repeat(text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_show_no_passwords() {
        for (line, expected) in [
            ("password: hunter2", "password: *******"),
            (
                "{ host: x, password: 'a b', pth: y }",
                "{ host: x, password: *****, pth: y }",
            ),
            ("  \"Client_Secret\": \"abc\"", "  \"Client_Secret\": *****"),
            ("password: { env: FTP }", "password: { env: FTP }"),
            ("password: ${FTP}", "password: ${FTP}"),
            ("  - password: a b, c", "  - password: ******"),
            ("{ ftp_password: a b, x: 1 }", "{ ftp_password: ***, x: 1 }"),
            ("url: https://me:pw@host/", "url: https://me:**@host/"),
            ("name: token-ring", "name: token-ring"),
            ("passphrase: a b", "passphrase: ***"),
            (
                "collect: x: { a: [], pasword: abc }",
                "collect: x: { a: [], pasword: ****}",
            ),
            ("password: { evn: abc }", "password: ************"),
            ("{ paths: abc, broken: x }", "{ paths: abc, broken: x }"),
            ("password: ${FTP:-abc}", "password: ***********"),
            (
                "url: https://host/?token=abc&a=1",
                "url: https://host/?token=***&a=1",
            ),
        ] {
            assert_eq!(without_passwords(line), expected);
        }
    }

    #[test]
    fn a_secret_of_several_lines_is_known_by_its_key() {
        let lines = [
            "collect:",
            "  x: { password: a }",
            "  password: >",
            "    hunter2",
            "",
            "    hunter3",
            "  path:",
            "    inbox",
        ];
        let hidden: Vec<usize> = (0..lines.len())
            .filter(|index| continues_secret(&lines, *index))
            .collect();
        assert_eq!(hidden, [3, 5]);
    }
}
