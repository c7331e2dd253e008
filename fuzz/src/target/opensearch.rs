//! Answers of a database that is not what it says it is.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use maas_model::document::{DocumentId, IndexName, Source};
use maas_model::store::{
    Aggregation, DocumentStore, Group, OpenSearchOptions, OpenSearchStore, Query, Search,
    StoreError, WriteAction, WriteOp,
};

use super::{choice, says_something};

/// A body that is given to every request of one call; the first byte chooses call and status.
pub(super) fn answers(bytes: &[u8]) {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let Some(server) = SERVER.get_or_init(|| Server::start().ok()) else {
        return;
    };
    let (number, body) = choice(bytes);
    let status = [200, 200, 200, 404, 400, 409, 413, 429, 500, 503][number / 8 % 10];
    *server.answer.lock().unwrap_or_else(PoisonError::into_inner) = (status, body.to_vec());
    if let Err(error) = server.runtime.block_on(call(&server.store, number % 8)) {
        says_something(&error.to_string());
    }
}

async fn call(store: &OpenSearchStore, number: usize) -> Result<(), StoreError> {
    let (Ok(index), Ok(id)) = (IndexName::new("i"), DocumentId::new("a")) else {
        return Ok(());
    };
    let search = Search::new(Query::All);
    match number {
        0 => drop(store.get_many(&index, &[id]).await?),
        1 | 2 => {
            let action = WriteAction {
                index,
                id,
                op: WriteOp::Index(Source::new(), None),
            };
            let count = number;
            let outcomes = store.write(vec![action; count]).await?;
            assert_eq!(outcomes.len(), count, "one outcome per action");
        }
        3 => drop(store.search(&index, &search).await?),
        4 => {
            let mut pages = store.scan(&index, &search).await?;
            // The same page again and again is no end of ours to find.
            for _ in 0..3 {
                if pages.next().await?.is_none() {
                    break;
                }
            }
        }
        5 => drop(store.count(&index, &Query::All).await?),
        6 => drop(store.indices("*").await?),
        _ => {
            let aggregation = Aggregation {
                query: Query::All,
                groups: vec![Group::Terms {
                    field: "f".to_owned(),
                }],
                measures: Vec::new(),
            };
            drop(store.aggregate(&index, &aggregation).await?);
        }
    }
    Ok(())
}

/// Says the same to everybody.
struct Server {
    answer: Arc<Mutex<(u16, Vec<u8>)>>,
    store: OpenSearchStore,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let answer = Arc::new(Mutex::new((200, Vec::new())));
        let shared = Arc::clone(&answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &answer));
            }
        });
        let options = OpenSearchOptions {
            request_timeout: Duration::from_secs(5),
            ..OpenSearchOptions::default()
        };
        let url = format!("http://{address}").parse()?;
        Ok(Self {
            answer,
            store: OpenSearchStore::connect(&url, options)?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?,
        })
    }
}

fn serve(stream: TcpStream, answer: &Mutex<(u16, Vec<u8>)>) {
    let Ok(copy) = stream.try_clone() else { return };
    let (mut reader, mut writer) = (BufReader::new(copy), stream);
    while let Ok(true) = read_request(&mut reader) {
        let (status, body) = answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        answer.extend(body);
        // At once: a head alone would be acknowledged before the rest is sent.
        if writer.write_all(&answer).is_err() {
            return;
        }
    }
}

/// Whether there was one.
fn read_request(reader: &mut impl BufRead) -> std::io::Result<bool> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    Ok(true)
}
