//! The store over TLS: a real node behind an end of TLS that takes only clients of an authority made for the
//! test. The node itself has no plugin for it.

use maas_model::document::{DocumentId, IndexName, Source};
use maas_model::store::{
    ClientCertificate, DocumentStore, OpenSearchOptions, OpenSearchStore, StoreError, WriteAction,
    WriteOp, WriteOutcome,
};
use maas_tests::certificate::{Authority, Identity};
use maas_tests::server::shared_opensearch;
use maas_tests::tls_front::TlsFront;
use tempfile::TempDir;

/// A node behind TLS, and the files of all who play a part.
struct World {
    front: TlsFront,
    authority: Authority,
    stranger: Authority,
    client: Identity,
    foreign_client: Identity,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "authority").unwrap();
        let stranger = Authority::new(folder.path(), "stranger").unwrap();
        let identity = authority.server("server", &["localhost"]).unwrap();
        let node = shared_opensearch().await.url();
        Self {
            front: TlsFront::start(&node, &identity, &authority).await.unwrap(),
            client: authority.client("client").unwrap(),
            foreign_client: stranger.client("foreign").unwrap(),
            authority,
            stranger,
            _folder: folder,
        }
    }

    /// What a right client is told.
    fn options(&self) -> OpenSearchOptions {
        OpenSearchOptions {
            certificate_authorities: Some(self.authority.file.clone()),
            client_certificate: Some(shown(&self.client)),
            replicas: Some(0),
            ..OpenSearchOptions::default()
        }
    }

    fn connect(
        &self,
        host: &str,
        options: OpenSearchOptions,
    ) -> Result<OpenSearchStore, StoreError> {
        // The account goes beside the certificate; the node asks for none.
        let url = self
            .front
            .url(host)
            .replace("https://", "https://maas:secret@");
        OpenSearchStore::connect(&url.parse().unwrap(), options)
    }

    /// The reason that an operator reads.
    async fn mistrust(&self, host: &str, options: OpenSearchOptions) -> String {
        match self.connect(host, options).unwrap().status().await {
            Err(error @ StoreError::Untrusted { .. }) => {
                assert!(!error.is_temporary());
                error.to_string()
            }
            other => panic!("{other:?}"),
        }
    }
}

fn shown(identity: &Identity) -> ClientCertificate {
    ClientCertificate {
        certificate: identity.certificate.clone(),
        key: identity.key.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_go_over_tls_with_an_own_authority_and_a_client_certificate() {
    let world = World::new().await;
    let store = world.connect("localhost", world.options()).unwrap();
    let index = IndexName::new(format!("t{}", uuid::Uuid::new_v4().simple())).unwrap();
    let actions = (0..1_000).map(|number| {
        let mut source = Source::new();
        source.insert("text".to_owned(), "x".repeat(500).into());
        WriteAction {
            index: index.clone(),
            id: DocumentId::new(number.to_string()).unwrap(),
            op: WriteOp::Create(source),
        }
    });
    let outcomes = store.write(actions.collect()).await.unwrap();
    assert!(outcomes.iter().all(WriteOutcome::is_done));
    let ids: Vec<_> = (0..1_000)
        .map(|n| DocumentId::new(n.to_string()).unwrap())
        .collect();
    let found = store.get_many(&index, &ids).await.unwrap();
    assert!(found.iter().all(Option::is_some));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_an_unknown_authority_is_refused_with_what_to_do() {
    let world = World::new().await;
    for file in [None, Some(world.stranger.file.clone())] {
        let options = OpenSearchOptions {
            certificate_authorities: file,
            ..world.options()
        };
        let reason = world.mistrust("localhost", options).await;
        assert!(
            reason.contains("UnknownIssuer") && reason.contains("--ca-file"),
            "{reason}"
        );
        assert!(!reason.contains("secret"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_must_be_the_one_that_was_asked_for() {
    let world = World::new().await;
    let reason = world.mistrust("127.0.0.1", world.options()).await;
    assert!(reason.contains("the address"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_the_right_certificate_is_told_so() {
    let world = World::new().await;
    for identity in [None, Some(&world.foreign_client)] {
        let options = OpenSearchOptions {
            client_certificate: identity.map(shown),
            ..world.options()
        };
        let reason = world.mistrust("localhost", options).await;
        assert!(reason.contains("--client-cert-file"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_fit_are_refused_before_anything_is_reached() {
    let world = World::new().await;
    let key_of_other = ClientCertificate {
        key: world.authority.file.clone(),
        ..shown(&world.client)
    };
    let cases = [
        (
            OpenSearchOptions {
                client_certificate: Some(key_of_other),
                ..world.options()
            },
            "private key",
        ),
        (
            OpenSearchOptions {
                certificate_authorities: Some(world.client.key.clone()),
                ..world.options()
            },
            "holds no certificate",
        ),
        (
            OpenSearchOptions {
                certificate_authorities: Some("missing.pem".into()),
                ..world.options()
            },
            "cannot read `missing.pem`",
        ),
    ];
    for (options, expected) in cases {
        let error = world.connect("localhost", options).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
