//! From the text of `--bus` to a bus.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use url::Url;

use super::{BusError, EmbeddedBus, MessageBus, RabbitBus};
use crate::secret::{cover, percent_decoded};

/// Where the bus is: `embedded`, or `amqp://user:password@host:5672/vhost` (`amqps://` with TLS).
/// Shown without the password and the parameters.
///
/// Parameters, as the broker's own clients name them: `heartbeat` (seconds), `auth_mechanism`
/// (`external`: the client certificate is the account), and for this bus alone, before [`BusOptions`],
/// `cacertfile`, `certfile`, `keyfile` and `server_name_indication`.
#[derive(Clone, PartialEq, Eq)]
pub struct BusUrl(Place);

#[derive(Clone, PartialEq, Eq)]
enum Place {
    Embedded,
    Amqp(Url),
}

/// Why a text is no bus. The text itself may hold a password, so it is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a bus: {reason}; write `embedded` or `amqp://user:password@host:5672/vhost`")]
pub struct BusUrlError {
    reason: String,
}

/// What may be set beside the URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusOptions {
    /// PEM file of the authorities to trust beside those of the system.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the certificate to show to a broker that asks for one, and of those it was signed with.
    pub client_cert_file: Option<PathBuf>,
    /// PEM file of its private key.
    pub client_key_file: Option<PathBuf>,
}

impl BusUrl {
    /// The bus in the data folder.
    pub fn embedded() -> Self {
        Self(Place::Embedded)
    }

    /// Whether an account with a password stands in it.
    pub fn has_password(&self) -> bool {
        matches!(&self.0, Place::Amqp(url) if url.password().is_some())
    }

    /// Whether the bus tells by itself which queues there are. A broker must be told their names first
    /// ([`MessageBus::know`]).
    pub fn lists_queues(&self) -> bool {
        self.0 == Place::Embedded
    }
}

impl FromStr for BusUrl {
    type Err = BusUrlError;

    fn from_str(text: &str) -> Result<Self, BusUrlError> {
        let error = |reason: String| BusUrlError { reason };
        if text == "embedded" {
            return Ok(Self::embedded());
        }
        let url = Url::parse(text).map_err(|source| error(source.to_string()))?;
        if !matches!(url.scheme(), "amqp" | "amqps") {
            return Err(error(format!("unknown scheme `{}`", url.scheme())));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(error("it has no host".into()));
        }
        cover_account(&url);
        Ok(Self(Place::Amqp(url)))
    }
}

impl fmt::Display for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Embedded => f.write_str("embedded"),
            Place::Amqp(url) => f.write_str(&redacted(url)),
        }
    }
}

impl fmt::Debug for BusUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BusUrl({self})")
    }
}

/// The password is not shown from now on, wherever it is met.
fn cover_account(url: &Url) {
    let written = url.password().unwrap_or_default();
    cover(written);
    cover(&percent_decoded(written));
}

/// The URL without user, password and query.
fn redacted(url: &Url) -> String {
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!(
        "{}://{}{port}{}",
        url.scheme(),
        url.host_str().unwrap_or_default(),
        url.path()
    )
}

/// Opens the bus. For the embedded one its files in `data_dir` are opened (blocks shortly); RabbitMQ is
/// not reached yet, so that a broker that is away at start is waited for like one that goes away later.
pub fn open(
    url: &BusUrl,
    data_dir: &Path,
    options: &BusOptions,
) -> Result<Arc<dyn MessageBus>, BusError> {
    match &url.0 {
        Place::Embedded => Ok(Arc::new(EmbeddedBus::open(data_dir)?)),
        Place::Amqp(url) => Ok(Arc::new(RabbitBus::new(url, redacted(url), options)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_url_is_shown_without_its_password() {
        let url: BusUrl = "amqp://maas:s3cret@broker:5673/chain?x=s3cret"
            .parse()
            .unwrap();
        assert_eq!(url.to_string(), "amqp://broker:5673/chain");
        assert!(!format!("{url:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_bus_is_refused_without_repeating_it() {
        for text in [
            "",
            "rabbit",
            "http://maas:s3cret@broker",
            "amqp://",
            "amqp:",
        ] {
            let error = text.parse::<BusUrl>().unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
