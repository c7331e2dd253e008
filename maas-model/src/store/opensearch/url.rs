//! Where a cluster is: its nodes, and who asks.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use url::Url;

use crate::secret::{cover, percent_decoded};

/// One or several nodes and the account: `https://user:password@a:9200,b:9200`. The password is never
/// shown.
#[derive(Clone)]
pub struct OpenSearchUrl {
    nodes: Vec<Url>,
    account: Option<(String, SecretString)>,
}

/// Why a text is no such URL. Never holds the text, which may have a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a store: {reason}; write `embedded` or `https://user:password@host:9200`")]
pub struct OpenSearchUrlError {
    reason: String,
}

impl OpenSearchUrl {
    /// The nodes, without account.
    pub(super) fn nodes(&self) -> &[Url] {
        &self.nodes
    }

    /// Name and password.
    pub(in crate::store) fn account(&self) -> Option<&(String, SecretString)> {
        self.account.as_ref()
    }
}

impl FromStr for OpenSearchUrl {
    type Err = OpenSearchUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |reason: &str| OpenSearchUrlError {
            reason: reason.to_owned(),
        };
        let mut nodes: Vec<Url> = Vec::new();
        let mut account = None;
        for part in text.split(',').map(str::trim) {
            // The nodes after the first need no scheme: it is the same for all.
            let full = match nodes.first() {
                Some(first) if !part.contains("://") => format!("{}://{part}", first.scheme()),
                _ => part.to_owned(),
            };
            let mut url = Url::parse(&full).map_err(|source| error(&source.to_string()))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err(error("the scheme is neither `http` nor `https`"));
            }
            if url.query().is_some() || url.fragment().is_some() {
                return Err(error("it has a query or a fragment"));
            }
            if let Some(password) = url.password() {
                let user = percent_decoded(url.username());
                cover(password);
                let password = percent_decoded(password);
                cover(&password);
                account = Some((user, SecretString::from(password)));
            }
            // These fail only for URLs without host, which `http` cannot have.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            nodes.push(url);
        }
        Ok(Self { nodes, account })
    }
}

/// Without account: fit for logs.
impl fmt::Display for OpenSearchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, node) in self.nodes.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{}", node.as_str().trim_end_matches('/'))?;
        }
        Ok(())
    }
}

impl fmt::Debug for OpenSearchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenSearchUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn the_password_is_used_and_not_shown() {
        let url: OpenSearchUrl = "https://maas:p%40ss@a:9200,b:9201".parse().unwrap();
        let (user, password) = url.account().unwrap();
        assert_eq!(user, "maas");
        assert_eq!(password.expose_secret(), "p@ss");
        assert_eq!(url.to_string(), "https://a:9200,https://b:9201");
        assert!(!format!("{url:?}").contains("ss"));
    }

    #[test]
    fn what_is_no_cluster_is_refused_without_being_repeated() {
        for text in [
            "ftp://u:secret@a",
            "http://",
            "http://u:secret@a?x=1",
            "",
            "http://u:secret@a:99999",
        ] {
            let error = text.parse::<OpenSearchUrl>().unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
