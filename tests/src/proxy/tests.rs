//! Each fault, in front of a server that answers each line with the same line.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Loss, Proxy, Way};

/// Long enough to be sure that nothing comes.
const SILENCE: Duration = Duration::from_millis(200);
const SOON: Duration = Duration::from_secs(10);

/// A server, the proxy before it, and how many lines the server received.
struct World {
    proxy: Proxy,
    received: Arc<AtomicUsize>,
}

impl World {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(echo(socket, Arc::clone(&counted)));
            }
        });
        let proxy = Proxy::in_front_of(&format!("tcp://user:word@{address}/path")).await;
        Self {
            proxy: proxy.unwrap(),
            received,
        }
    }

    async fn client(&self) -> Client {
        let url = url::Url::parse(self.proxy.url()).unwrap();
        let address = (url.host_str().unwrap(), url.port().unwrap());
        Client(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    async fn received(&self, lines: usize) {
        let all = async {
            while self.received.load(Ordering::SeqCst) != lines {
                tokio::task::yield_now().await;
            }
        };
        timeout(SOON, all).await.unwrap();
    }
}

async fn echo(socket: TcpStream, received: Arc<AtomicUsize>) {
    let mut socket = BufReader::new(socket);
    let mut line = Vec::new();
    while socket
        .read_until(b'\n', &mut line)
        .await
        .is_ok_and(|read| read > 0)
    {
        received.fetch_add(1, Ordering::SeqCst);
        if socket.write_all(&line).await.is_err() {
            return;
        }
        line.clear();
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn say(&mut self, line: &str) {
        self.0
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
    }

    async fn hear(&mut self) -> String {
        let mut line = String::new();
        timeout(SOON, self.0.read_line(&mut line))
            .await
            .unwrap()
            .unwrap();
        line.trim_end().to_owned()
    }

    async fn ask(&mut self, line: &str) -> String {
        self.say(line).await;
        self.hear().await
    }

    async fn hears_nothing(&mut self) {
        let mut byte = [0];
        assert!(timeout(SILENCE, self.0.read(&mut byte)).await.is_err());
    }

    async fn is_cut(&mut self) {
        let mut byte = [0];
        match timeout(SOON, self.0.read(&mut byte)).await.unwrap() {
            Ok(read) => assert_eq!(read, 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[tokio::test]
async fn what_passes_is_unchanged_and_so_is_the_rest_of_the_url() {
    let world = World::new().await;
    let mut client = world.client().await;
    let long = "x".repeat(200_000);
    assert_eq!(client.ask(&long).await, long);
    assert_eq!(world.proxy.links(), 1);
    let url = url::Url::parse(world.proxy.url()).unwrap();
    assert_eq!((url.username(), url.path()), ("user", "/path"));
}

#[tokio::test]
async fn a_link_that_is_closed_by_its_client_is_forgotten() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.ask("a").await;
    drop(client);
    let forgotten = async {
        while world.proxy.links() > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, forgotten).await.unwrap();
}

#[tokio::test]
async fn a_cut_ends_links_and_new_ones_are_made() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.ask("a").await;
    world.proxy.cut();
    client.is_cut().await;
    assert_eq!(world.client().await.ask("b").await, "b");
    assert_eq!(world.proxy.made(), 2);
}

#[tokio::test]
async fn refused_links_end_and_old_ones_stay() {
    let world = World::new().await;
    let mut old = world.client().await;
    old.ask("a").await;
    world.proxy.refuse(true);
    world.client().await.is_cut().await;
    assert_eq!(old.ask("b").await, "b");
    world.proxy.refuse(false);
    assert_eq!(world.client().await.ask("c").await, "c");
}

#[tokio::test]
async fn a_delay_is_one_each_way_and_keeps_the_order() {
    let world = World::new().await;
    let mut client = world.client().await;
    world.proxy.delay(Duration::from_millis(400));
    let started = Instant::now();
    for line in ["a", "b", "c"] {
        client.say(line).await;
    }
    for line in ["a", "b", "c"] {
        assert_eq!(client.hear().await, line);
    }
    let took = started.elapsed();
    // Not three times: what follows is on its way already.
    assert!(took >= Duration::from_millis(800), "{took:?}");
    assert!(took < Duration::from_millis(2_000), "{took:?}");
}

#[tokio::test]
async fn a_narrow_link_takes_its_time() {
    let world = World::new().await;
    let mut client = world.client().await;
    world.proxy.narrow(Some(100_000));
    let started = Instant::now();
    let line = "x".repeat(30_000);
    assert_eq!(client.ask(&line).await, line);
    assert!(started.elapsed() >= Duration::from_millis(250));
    world.proxy.narrow(None);
}

#[tokio::test]
async fn what_is_frozen_goes_on_where_it_stood() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.ask("a").await;
    world.proxy.freeze();
    client.say("b").await;
    let mut late = world.client().await;
    late.say("c").await;
    client.hears_nothing().await;
    late.hears_nothing().await;
    world.proxy.thaw();
    assert_eq!(
        (client.hear().await, late.hear().await),
        ("b".into(), "c".into())
    );
}

#[tokio::test]
async fn half_open_links_are_silent_and_new_ones_are_not() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.ask("a").await;
    world.proxy.half_open();
    client.say("b").await;
    client.hears_nothing().await;
    assert_eq!(world.client().await.ask("c").await, "c");
    world.received(2).await;
}

#[tokio::test]
async fn vanishing_answers_are_of_requests_that_were_executed() {
    let world = World::new().await;
    let mut client = world.client().await;
    client.ask("a").await;
    world.proxy.vanish(Way::ToClient);
    client.say("b").await;
    client.hears_nothing().await;
    world.received(2).await;
    world.proxy.vanish(Way::ToServer);
    client.say("c").await;
    client.hears_nothing().await;
    world.received(2).await;
}

#[tokio::test]
async fn an_answer_is_lost_after_its_request_was_executed() {
    let world = World::new().await;
    let mut client = world.client().await;
    let mut sprung = world.proxy.lose_http(Loss::Answer, "POST /_bulk");
    assert_eq!(client.ask("GET /").await, "GET /");
    assert!(!sprung.is_sprung());
    client.say("POST /_bulk HTTP/1.1").await;
    client.is_cut().await;
    assert!(sprung.wait().await);
    world.received(2).await;
    let again = world.client().await.ask("POST /_bulk HTTP/1.1").await;
    assert_eq!(again, "POST /_bulk HTTP/1.1");
}

#[tokio::test]
async fn a_lost_request_never_arrives() {
    let world = World::new().await;
    let mut client = world.client().await;
    let sprung = world.proxy.lose_http(Loss::Request, "POST /_bulk");
    client.say("POST /_bulk HTTP/1.1").await;
    client.is_cut().await;
    assert!(sprung.wait().await);
    assert_eq!(world.client().await.ask("a").await, "a");
    world.received(1).await;
}
