//! Documents of all sizes, made by an engine from small ones: what goals load a store with.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use maas_model::document::DocumentId;
use maas_model::store::DocumentStore;
use maas_tests::server::OpenSearch;
use serde_json::{Value, json};

use crate::fault::opensearch::{each, open, write};
use crate::pools::Pools;

/// The pool.
pub const POOL: &str = "inflate";
/// Where it writes.
pub const INDEX: &str = "product";
/// Generous: machines of tests are busy.
pub const LIMIT: Duration = Duration::from_secs(600);

/// Documents read at a time: they have up to a MiB each.
const PAGE: usize = 50;

const PIPELINE: &str = "
models:
  Seed: { index: seed, fields: { size: long, extra: keyword } }
  Product: { index: product, fields: { filler: { type: text, index: false } }, settings: { number_of_shards: 3 } }
pools:
  - name: inflate
    concurrency: CONCURRENCY
    prefetch: 64
    queues: [ { name: inflate, from: { collect-exchange: [inflate] }, engines: [ { INFLATE: { target_model: Product } } ] } ]
  - name: ear
    queues: [ { name: ear, from: { etl-exchange: [new.product, update.product] }, engines: [] } ]
outside: { fed: [inflate] }
";

/// Inputs of an `INFLATE`, and the messages that name them.
#[derive(Debug, Default, Clone)]
pub struct Seeds {
    documents: BTreeMap<String, Value>,
    messages: Vec<Vec<DocumentId>>,
}

impl Seeds {
    /// One message more, with documents of these sizes.
    pub fn message(&mut self, sizes: impl IntoIterator<Item = usize>) -> Result<()> {
        let mut ids = Vec::new();
        for size in sizes {
            let id = format!("d{:06}", self.documents.len());
            ids.push(DocumentId::new(id.as_str())?);
            self.documents.insert(id, json!({"size": size}));
        }
        self.messages.push(ids);
        Ok(())
    }

    /// Every so many documents get a field that a strict index does not know.
    pub fn spoil(&mut self, every: usize) -> usize {
        let spoilt = self.documents.values_mut().step_by(every);
        spoilt
            .map(|source| source["extra"] = json!("unknown"))
            .count()
    }

    /// As many documents and messages more.
    pub fn extend(&mut self, further: &Self) -> Result<()> {
        for message in &further.messages {
            let size = |id: &DocumentId| further.documents[id.as_str()]["size"].as_u64();
            let sizes: Vec<_> = message.iter().filter_map(size).collect();
            self.message(sizes.into_iter().map(|size| size as usize))?;
        }
        Ok(())
    }

    /// How many documents.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

/// The pools of this load on a node.
pub struct Inflated {
    /// The pools.
    pub pools: Pools,
    seeds: Seeds,
}

impl Inflated {
    /// Writes the inputs; the index that is written to is new. Nothing runs yet.
    pub async fn new(node: &OpenSearch, concurrency: usize, seeds: Seeds) -> Result<Self> {
        let pipeline = PIPELINE.replace("CONCURRENCY", &concurrency.to_string());
        let pools = Pools::new(&pipeline).await?;
        let store = open(node)?;
        store
            .drop_index(&maas_model::document::IndexName::new(INDEX)?)
            .await?;
        pools.install(&*store).await?;
        for part in seeds.documents.iter().collect::<Vec<_>>().chunks(5_000) {
            let part = part
                .iter()
                .map(|(id, source)| (String::clone(id), Value::clone(source)));
            write(&*store, "seed", part).await?;
        }
        Ok(Self { pools, seeds })
    }

    /// Publishes the messages, and works on them through this store.
    pub async fn start(&mut self, store: Arc<dyn DocumentStore>) -> Result<()> {
        self.send(0..self.seeds.messages.len()).await?;
        self.pools.run(POOL, store)
    }

    /// Publishes some of the messages.
    pub async fn send(&self, some: std::ops::Range<usize>) -> Result<()> {
        let lists = self.seeds.messages[some].to_vec();
        self.pools.send_all("inflate", "Seed", lists).await
    }

    /// Waits for the end and stops the pool.
    pub async fn finish(&mut self) -> Result<()> {
        self.pools.idle(LIMIT).await?;
        self.pools.stop().await
    }

    /// Every document must be there as it shall be, and announced once; but for those that `spoilt` names.
    pub async fn judge(&self, node: &OpenSearch, spoilt: impl Fn(&Value) -> bool) -> Result<()> {
        let mut found: BTreeMap<String, (u64, Option<Value>)> = BTreeMap::new();
        each(node, INDEX, PAGE, |id, mut product| {
            let size = product["filler"].as_str().map_or(0, str::len) as u64;
            let extra = product.get_mut("extra").map(Value::take);
            found.insert(id, (size, extra));
        })
        .await?;
        let mut heard: BTreeMap<String, usize> = BTreeMap::new();
        for (key, message) in self.pools.heard("ear").await? {
            ensure!(key == "new.product", "`{key}` was announced");
            for id in message.document_ids {
                *heard.entry(id.to_string()).or_default() += 1;
            }
        }
        for (id, seed) in &self.seeds.documents {
            let (product, times) = (found.remove(id), heard.remove(id).unwrap_or(0));
            if spoilt(seed) {
                ensure!(
                    product.is_none() && times == 0,
                    "{id} is there, announced {times} times"
                );
                continue;
            }
            let Some((size, extra)) = product else {
                anyhow::bail!("{id} is lost")
            };
            ensure!(
                seed["size"] == size,
                "{id} has {size} bytes, not {}",
                seed["size"]
            );
            ensure!(extra.as_ref() == seed.get("extra"), "{id} lacks a field");
            ensure!(times == 1, "{id} was announced {times} times");
        }
        ensure!(
            found.is_empty(),
            "{} documents are there without need",
            found.len()
        );
        ensure!(
            heard.is_empty(),
            "{} were announced without need",
            heard.len()
        );
        Ok(())
    }

    /// How many messages are left to do.
    pub async fn left(&self) -> Result<u64> {
        self.pools.left("inflate").await
    }
}
