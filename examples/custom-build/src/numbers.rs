//! The collector `numbers`: a file with the first numbers, once.

use std::io::Write;

use async_trait::async_trait;
use maas_collector::collect::{
    CollectError, Collector, CollectorConfig, CollectorContext, CollectorPlugin, ItemOutcome,
    RawItem,
};
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;

/// Makes a CSV file with the numbers from 1 on, in a column `number`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NumbersConfig {
    /// How many numbers.
    #[schemars(range(min = 1, max = 1_000_000))]
    count: u32,
}

impl Settings for NumbersConfig {
    const NAME: &'static str = "numbers";
    const EXAMPLE: &'static str = "{ count: 10 }";
}

impl CollectorConfig for NumbersConfig {
    fn build(self, _cx: CollectorContext) -> Result<Box<dyn Collector>, Vec<SettingError>> {
        Ok(Box::new(Numbers {
            count: self.count,
            file: None,
            given: false,
        }))
    }
}

inventory::submit! { CollectorPlugin::of::<NumbersConfig>(module_path!()) }

struct Numbers {
    count: u32,
    /// Held while the item is in work: it is removed when it is let go.
    file: Option<tempfile::NamedTempFile>,
    given: bool,
}

impl Numbers {
    fn write(count: u32) -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new()?;
        writeln!(file, "number")?;
        for number in 1..=count {
            writeln!(file, "{number}")?;
        }
        file.flush()?;
        Ok(file)
    }
}

#[async_trait]
impl Collector for Numbers {
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError> {
        if self.given {
            return Ok(None);
        }
        let count = self.count;
        // Files are written on threads where waiting hurts nobody.
        let file = tokio::task::spawn_blocking(move || Self::write(count))
            .await
            .map_err(std::io::Error::other)
            .and_then(|written| written)
            .map_err(|source| CollectError::Unreachable {
                place: "temporary folder".to_owned(),
                source: source.into(),
            })?;
        let item = RawItem {
            key: format!("numbers up to {count}"),
            name: format!("numbers-{count}.csv"),
            folder: None,
            path: file.path().to_path_buf(),
        };
        self.file = Some(file);
        self.given = true;
        Ok(Some(item))
    }

    async fn settle(&mut self, _item: RawItem, _outcome: ItemOutcome) -> Result<(), CollectError> {
        self.file = None;
        Ok(())
    }
}
