//! Whom the store trusts, and how it shows who it is.

use std::error::Error;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use opensearch::auth::{ClientCertificate as Identity, Credentials};
use opensearch::cert::{Certificate, CertificateValidation};
use opensearch::http::headers::{AUTHORIZATION, HeaderValue};
use opensearch::http::transport::TransportBuilder;
use secrecy::ExposeSecret;

use super::{ClientCertificate, OpenSearchOptions, OpenSearchUrl};

/// Account, authorities and certificate; the error says which file is wrong, and never what is in it.
pub(super) fn introduce(
    mut builder: TransportBuilder,
    url: &OpenSearchUrl,
    options: &OpenSearchOptions,
) -> Result<TransportBuilder, String> {
    if let Some((user, password)) = url.account() {
        // A header, since the client knows one kind of credentials at a time.
        let account = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        let mut value = HeaderValue::try_from(format!("Basic {account}"))
            .map_err(|_| "the account makes no header".to_owned())?;
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    if let Some(path) = &options.certificate_authorities {
        let authorities = Certificate::from_pem(&read(path)?)
            .map_err(|error| format!("`{}` holds no certificate: {error}", path.display()))?;
        builder = builder.cert_validation(CertificateValidation::Full(authorities));
    }
    if let Some(ClientCertificate { certificate, key }) = &options.client_certificate {
        let mut pem = read(certificate)?;
        pem.push(b'\n');
        pem.extend(read(key)?);
        builder = builder.auth(Credentials::Certificate(Identity::Pem(pem)));
    }
    Ok(builder)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

/// Why there is no transport: the files were read, so what is in them is wrong.
pub(super) fn unusable(options: &OpenSearchOptions, error: &dyn Error) -> String {
    match &options.client_certificate {
        Some(ClientCertificate { certificate, key }) => format!(
            "`{}` and `{}` are no certificate and its private key in PEM: {error}",
            certificate.display(),
            key.display()
        ),
        None => error.to_string(),
    }
}

/// What is to be done when the two sides could not agree on certificates; `None` when it was not that.
pub(super) fn mistrust(error: &(dyn Error + 'static)) -> Option<String> {
    // The library's own words are all there is to know it by; a change of them shows in a test.
    let mut cause = Some(error);
    let words = loop {
        let words = cause?.to_string();
        if words.starts_with("invalid peer certificate") || words.contains("fatal alert") {
            break words;
        }
        cause = cause?.source();
    };
    let advice = if words.contains("UnknownIssuer") {
        "name the authority that signed its certificate with `--ca-file`"
    } else if words.starts_with("invalid peer certificate") {
        "its certificate must be mended, or the address"
    } else {
        "it may want a certificate of ours: `--client-cert-file` and `--client-key-file`"
    };
    Some(format!("{words}; {advice}"))
}
