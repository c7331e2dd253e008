//! What looks like a secret where nothing declares it as one: by the name before it, or by its place in a URL.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::{cover, percent_decoded};

/// Parts of the names of secret things.
pub(crate) const NAMES: &str = "passw(?:or)?[dt]|passphrase|pwd|secret|token|api_?key|access_?key|private_?key|credential|authorization|cookie|signature";

/// Whether a setting of this name holds a secret, by the sound of it.
pub(crate) fn sounds_secret(name: &str) -> bool {
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(&format!("(?i){NAMES}")).ok());
    NAME.as_ref().is_some_and(|pattern| pattern.is_match(name))
}

/// The text without the passwords and secret parameters of the URLs in it.
pub fn without_url_secrets(text: &str) -> String {
    without_secrets_of_urls(text, |_| super::COVER.to_owned())
}

/// What is secret in the URLs of a text is covered from now on, wherever it is met.
pub(crate) fn cover_url_secrets(text: &str) {
    without_secrets_of_urls(text, |secret| {
        cover(secret);
        cover(&percent_decoded(secret));
        String::new()
    });
}

/// The text with passwords and secret parameters of the URLs in it replaced by what `shown` makes of them.
/// References (`${NAME}`) stay.
pub(crate) fn without_secrets_of_urls(text: &str, shown: impl Fn(&str) -> String) -> String {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        // To the last `@`: passwords are not always encoded.
        let account = r#"(://[^/\s:@'"]*:)([^\s'"]+)@"#.to_owned();
        let names = format!(r"[\w.-]*(?:{NAMES})[\w.-]*|key|sig|auth");
        let parameter = format!(r#"(?i)([?&;](?:{names})=)([^&\s#'"]+)"#);
        let patterns = [account, parameter];
        patterns
            .iter()
            .filter_map(|pattern| Regex::new(pattern).ok())
            .collect()
    });
    PATTERNS.iter().fold(text.to_owned(), |text, pattern| {
        let hidden = pattern.replace_all(&text, |found: &Captures<'_>| {
            let (whole, before, value) = (&found[0], &found[1], &found[2]);
            if is_reference(value) || before.ends_with(':') && is_port_and_path(value) {
                return whole.to_owned();
            }
            let rest = &whole[before.len() + value.len()..];
            format!("{before}{}{rest}", shown(value))
        });
        hidden.into_owned()
    })
}

fn is_reference(value: &str) -> bool {
    value.starts_with("${") && value.ends_with('}') && !value.contains(":-")
}

/// `9200/users/a` of `https://host:9200/users/a@b`.
fn is_port_and_path(value: &str) -> bool {
    let port = value.split(['/', '?', '#']).next().unwrap_or_default();
    port.len() < value.len() && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_shown_without_what_is_secret_in_them() {
        for (text, expected) in [
            ("https://me:pw@host/x", "https://me:***@host/x"),
            ("amqp://me:p@w@host", "amqp://me:***@host"),
            ("https://me:${PW}@host", "https://me:${PW}@host"),
            ("https://me:${PW:-pw}@host", "https://me:***@host"),
            ("https://host:9200/a?b=c", "https://host:9200/a?b=c"),
            ("https://host:9200/a@b", "https://host:9200/a@b"),
            ("'https://me:p/w+d@host'", "'https://me:***@host'"),
            (
                "see https://h/?a=1&access_token=xyz&b=2 there",
                "see https://h/?a=1&access_token=***&b=2 there",
            ),
            ("https://h/?KEY=xyz#a", "https://h/?KEY=***#a"),
            ("https://h/?monkey=xyz", "https://h/?monkey=xyz"),
        ] {
            let shown = without_secrets_of_urls(text, |_| "***".to_owned());
            assert_eq!(shown, expected);
        }
    }

    #[test]
    fn names_are_heard() {
        for name in [
            "password",
            "FTP_PASSWD",
            "clientSecret",
            "x-api-key",
            "apikey",
        ] {
            let name = name.replace('-', "_");
            assert!(sounds_secret(&name), "{name}");
        }
        for name in ["pass_status", "path", "key", "author"] {
            assert!(!sounds_secret(name), "{name}");
        }
    }
}
