//! Environment variables of the Python system's containers: where its database and its broker are.

use anyhow::Context;
use maas_model::message::BusUrl;
use maas_model::store::StoreUrl;

/// What the variables name.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    pub(crate) store: Option<StoreUrl>,
    pub(crate) bus: Option<BusUrl>,
}

/// Reads `ES_URL`, `ES_USERNAME`, `ES_PASSWORD` and the same of `AMQP`.
pub(crate) fn servers(env: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Servers> {
    let address = |system: &str| {
        let get = |part: &str| env(&format!("{system}_{part}")).filter(|text| !text.is_empty());
        let (user, password) = (get("USERNAME"), get("PASSWORD").unwrap_or_default());
        get("URL").map(|url| match user {
            Some(user) => with_account(&url, &user, &password),
            None => url,
        })
    };
    if env("IGNORE_CERTS_VERIFICATION").is_some_and(|text| !text.is_empty()) {
        tracing::warn!(
            "certificates are verified whatever `IGNORE_CERTS_VERIFICATION` says: name their authority with `--ca-file`"
        );
    }
    let store = address("ES").map(|url| url.parse()).transpose();
    let bus = address("AMQP").map(|url| url.parse()).transpose();
    Ok(Servers {
        store: store.context("`ES_URL` is wrong")?,
        bus: bus.context("`AMQP_URL` is wrong")?,
    })
}

/// The address with this account in place of its own.
fn with_account(url: &str, user: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.find('/').unwrap_or(rest.len());
    let host = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    format!(
        "{scheme}://{}:{}@{}",
        encoded(user),
        encoded(password),
        &rest[host..]
    )
}

/// With `%XX` for everything that has a meaning in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_stands_apart() {
        let env = |name: &str| {
            let text = match name {
                "ES_URL" => "https://old:account@es:9200",
                "ES_USERNAME" | "AMQP_USERNAME" => "maas",
                "ES_PASSWORD" => "p@ss/word",
                "AMQP_URL" => "amqp://rabbit:5672/vhost",
                _ => return None,
            };
            Some(text.to_owned())
        };
        let servers = servers(&env).unwrap();
        assert_eq!(servers.store.unwrap().to_string(), "https://es:9200");
        let bus = servers.bus.unwrap().to_string();
        assert!(bus.contains("rabbit:5672/vhost"), "{bus}");
        let url = with_account("https://es:9200/", "maas", "p@ss/word");
        assert_eq!(url, "https://maas:p%40ss%2Fword@es:9200/");
    }

    #[test]
    fn what_is_not_set_is_not_named() {
        let servers = servers(&|_| None).unwrap();
        assert!(servers.store.is_none() && servers.bus.is_none());
    }
}
