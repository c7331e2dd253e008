//! The bus over TLS, on a RabbitMQ with certificates of an authority made for the test.

use std::path::Path;

use maas_model::message::{BusError, BusOptions, BusStatus, MessageBus, open};
use maas_model::testing::bus::Fixture;
use maas_tests::certificate::{Authority, Identity};
use maas_tests::server::{RabbitMq, RabbitMqOptions, TlsPort};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// A broker that takes only clients of its authority, and the files of all who play a part.
struct World {
    server: RabbitMq,
    authority: Authority,
    stranger: Authority,
    client: Identity,
    foreign_client: Identity,
    _folder: TempDir,
}

async fn world() -> &'static World {
    static SHARED: OnceCell<World> = OnceCell::const_new();
    SHARED.get_or_init(World::new).await
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new(folder.path(), "authority").unwrap();
        let stranger = Authority::new(folder.path(), "stranger").unwrap();
        let options = RabbitMqOptions {
            tls: Some(TlsPort {
                identity: authority.server("server", &["localhost"]).unwrap(),
                clients_of: Some(authority.file.clone()),
            }),
            ..RabbitMqOptions::default()
        };
        Self {
            server: RabbitMq::start_with(options).await.unwrap(),
            client: authority.client("client").unwrap(),
            foreign_client: stranger.client("foreign").unwrap(),
            authority,
            stranger,
            _folder: folder,
        }
    }

    fn url(&self, host: &str) -> String {
        self.server.tls_url(host).unwrap()
    }

    /// What a right client is told.
    fn options(&self) -> BusOptions {
        BusOptions {
            ca_file: Some(self.authority.file.clone()),
            client_cert_file: Some(self.client.certificate.clone()),
            client_key_file: Some(self.client.key.clone()),
        }
    }
}

fn connect(url: &str, options: &BusOptions) -> Result<std::sync::Arc<dyn MessageBus>, BusError> {
    open(&url.parse().unwrap(), Path::new("unused"), options)
}

async fn status(url: &str, options: &BusOptions) -> Result<BusStatus, BusError> {
    connect(url, options)?.status().await
}

/// The reason that an operator reads.
async fn mistrust(url: &str, options: &BusOptions) -> String {
    match status(url, options).await {
        Err(BusError::Untrusted { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_over_tls_with_an_own_authority_and_a_client_certificate() {
    let world = world().await;
    let bus = connect(&world.url("localhost"), &world.options()).unwrap();
    let on = Fixture::new(bus, ());
    let queue = on.declare("queue", &["new.a"]).await;
    // More than one TLS record and one AMQP frame.
    let body = vec![b'x'; 300_000];
    on.publish(vec![on.message("new.a", body.clone())]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let delivery = maas_model::testing::bus::next(&mut subscription).await;
    assert_eq!(delivery.body, body);
    delivery.ack().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_can_be_named_in_the_url_and_win_over_the_options() {
    let world = world().await;
    let (authority, client) = (&world.authority.file, &world.client);
    let url = format!(
        "{}?cacertfile={}&certfile={}&keyfile={}",
        world.url("localhost"),
        authority.display(),
        client.certificate.display(),
        client.key.display()
    );
    let wrong = BusOptions {
        ca_file: Some(world.stranger.file.clone()),
        ..BusOptions::default()
    };
    assert!(status(&url, &wrong).await.unwrap().healthy);
    assert!(!format!("{:?}", connect(&url, &wrong).unwrap()).contains("keyfile"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_of_an_unknown_authority_is_refused_at_once() {
    let world = world().await;
    for ca_file in [None, Some(world.stranger.file.clone())] {
        let options = BusOptions {
            ca_file,
            ..world.options()
        };
        let reason = mistrust(&world.url("localhost"), &options).await;
        assert!(reason.contains("UnknownIssuer"), "{reason}");
        assert!(reason.contains("--ca-file"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_must_be_the_one_that_was_asked_for() {
    let world = world().await;
    let by_address = world.url("127.0.0.1");
    let reason = mistrust(&by_address, &world.options()).await;
    assert!(reason.contains("not valid for name"), "{reason}");
    assert!(reason.contains("the address"), "{reason}");
    let named = format!("{by_address}?server_name_indication=localhost");
    assert!(status(&named, &world.options()).await.unwrap().healthy);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_the_right_certificate_is_told_so() {
    let world = world().await;
    let foreign = &world.foreign_client;
    for identity in [None, Some(foreign)] {
        let options = BusOptions {
            client_cert_file: identity.map(|identity| identity.certificate.clone()),
            client_key_file: identity.map(|identity| identity.key.clone()),
            ..world.options()
        };
        let reason = mistrust(&world.url("localhost"), &options).await;
        assert!(reason.contains("--client-cert-file"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_without_tls_is_told_from_one_that_is_away() {
    let world = world().await;
    let url = world.server.url().replace("amqp:", "amqps:");
    let reason = mistrust(&url, &world.options()).await;
    assert!(reason.contains("does it speak TLS"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_do_not_fit_are_refused_before_anything_is_reached() {
    let world = world().await;
    let right = world.options();
    let cases = [
        (
            BusOptions {
                client_key_file: Some(world.foreign_client.key.clone()),
                ..right.clone()
            },
            "do not belong together",
        ),
        (
            BusOptions {
                client_key_file: None,
                ..right.clone()
            },
            "needs its key",
        ),
        (
            BusOptions {
                ca_file: Some(world.client.key.clone()),
                ..right.clone()
            },
            "holds no certificate",
        ),
        (
            BusOptions {
                client_key_file: right.ca_file.clone(),
                ..right.clone()
            },
            "holds no private key",
        ),
        (
            BusOptions {
                ca_file: Some("missing.pem".into()),
                ..right
            },
            "cannot read `missing.pem`",
        ),
    ];
    for (options, expected) in cases {
        let error = connect(&world.url("localhost"), &options).unwrap_err();
        let told = error.to_string();
        assert!(told.contains(expected), "{told}");
        assert!(!told.contains("PRIVATE KEY-----"), "{told}");
    }
}
