//! Whom the bus trusts, and how it shows who it is.

use std::fs;
use std::path::{Path, PathBuf};

use lapin::ErrorKind;
use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, Error};
use url::Url;

use crate::message::BusOptions;

/// The files, not what is in them: they are read for each connection, so that certificates can be
/// renewed under a running process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tls {
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    /// To be found in the broker's certificate in place of the host.
    pub(super) server_name: Option<String>,
}

impl Tls {
    /// The parameters of the URL, named as the broker's own clients name them, before the options.
    pub(super) fn of(url: &Url, options: &BusOptions) -> Self {
        let parameter = |name: &str| {
            let mut pairs = url.query_pairs();
            pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        };
        let file = |name, option: &Option<PathBuf>| {
            parameter(name)
                .map(PathBuf::from)
                .or_else(|| option.clone())
        };
        Self {
            authorities: file("cacertfile", &options.ca_file),
            certificate: file("certfile", &options.client_cert_file),
            key: file("keyfile", &options.client_key_file),
            server_name: parameter("server_name_indication"),
        }
    }

    /// Reads the files. The error says which one is wrong, and never what is in it.
    pub(super) fn connector(&self) -> Result<RustlsConnector, String> {
        let trusted = self.trusted()?;
        let (certificate, key) = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => {
                return trusted
                    .connector_with_no_client_auth()
                    .map_err(|error| format!("no authority can be trusted: {error}"));
            }
            (Some(_), None) => return Err("the client certificate needs its key, too".into()),
            (None, Some(_)) => return Err("the client key needs its certificate, too".into()),
        };
        let secret = PrivateKeyDer::from_pem_slice(&read(key)?)
            .map_err(|error| format!("`{}` holds no private key: {error}", key.display()))?;
        trusted
            .connector_with_single_cert(certificates(certificate)?, secret)
            .map_err(|error| {
                let (certificate, key) = (certificate.display(), key.display());
                format!("`{certificate}` and `{key}` do not belong together: {error}")
            })
    }

    fn trusted(&self) -> Result<RustlsConnectorConfig, String> {
        let system = RustlsConnectorConfig::new_with_native_certs();
        match &self.authorities {
            // A small container knows no authority, and needs none then.
            Some(file) => Ok(system
                .unwrap_or_default()
                .with_parsable_certificates(certificates(file)?)),
            None => system.map_err(|error| {
                format!("the system knows no authority ({error}); name one with `--ca-file`")
            }),
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let place = file.display();
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(file)?).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(format!("`{place}` holds no certificate")),
        Err(error) => Err(format!("`{place}` holds no certificate: {error}")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("cannot read `{}`: {error}", file.display()))
}

/// What is wrong, and what to do, when the two sides do not trust each other; `None` when it was not that.
pub(super) fn mistrust(error: &lapin::Error) -> Option<String> {
    let ErrorKind::IOError(error) = error.kind() else {
        return None;
    };
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    let advice = match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "name the authority that signed its certificate with `--ca-file`"
        }
        Error::InvalidCertificate(_) => "its certificate must be mended, or the address",
        Error::AlertReceived(_) => {
            "it may want a certificate of ours: `--client-cert-file` and `--client-key-file`"
        }
        Error::InvalidMessage(_) => "does it speak TLS on this port?",
        _ => return None,
    };
    Some(format!("{error}; {advice}"))
}
