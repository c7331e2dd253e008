//! TLS in front of a server that has none: takes only clients with a certificate of a certain authority.

use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use url::Url;

use crate::certificate::{Authority, Identity};

/// Listens until it is dropped.
#[derive(Debug)]
pub struct TlsFront {
    port: u16,
    listening: JoinHandle<()>,
}

impl TlsFront {
    /// Shows `identity`, asks for a certificate of `clients_of`, and forwards to the server of this URL.
    pub async fn start(target: &str, identity: &Identity, clients_of: &Authority) -> Result<Self> {
        let target = Url::parse(target)?;
        let host = target.host_str().context("the server has no host")?;
        let port = target.port().context("the server has no port")?;
        let target = format!("{host}:{port}");
        let acceptor = TlsAcceptor::from(Arc::new(config(identity, clients_of)?));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(acceptor.clone(), client, target.clone()));
            }
        });
        Ok(Self { port, listening })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens, by this name or address.
    pub fn url(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn forward(acceptor: TlsAcceptor, client: TcpStream, target: String) {
    // A client that is not let in has seen why.
    let Ok(mut client) = acceptor.accept(client).await else {
        return;
    };
    if let Ok(mut server) = TcpStream::connect(target).await {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}

fn config(identity: &Identity, clients_of: &Authority) -> Result<ServerConfig> {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(&clients_of.file)?)?;
    let verifier = WebPkiClientVerifier::builder(Arc::new(trusted)).build()?;
    let chain = vec![CertificateDer::from_pem_file(&identity.certificate)?];
    let key = PrivateKeyDer::from_pem_file(&identity.key)?;
    let config = ServerConfig::builder().with_client_cert_verifier(verifier);
    Ok(config.with_single_cert(chain, key)?)
}
