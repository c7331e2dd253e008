//! Where readings come from: items with records, some of them wrong, that stay until they are settled.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maas_collector::collect::{CollectError, Collector, ItemOutcome, RawItem};
use maas_collector::extract::{
    BadRecord, ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink,
};
use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::dice::Dice;
use crate::engine::BAD_STATION;
use crate::world::{Who, World};

/// Ids that begin so are refused by the store, in every index.
pub const REFUSED: &str = "refused";

/// Readings of which the store takes no copy.
pub const NO_COPY: &str = "alone";

/// Readings that end the process that gathers them.
pub const DEADLY: &str = "deadly";

/// One file of the source.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its name, also its key.
    pub name: String,
    /// When it is there, in milliseconds.
    pub after: u64,
    /// What stands in it.
    pub lines: Vec<Line>,
}

/// One record.
#[derive(Debug, Clone)]
pub enum Line {
    /// A reading.
    Record(Source),
    /// Something else.
    Bad(String),
}

/// What readings there may be.
#[derive(Debug, Clone, Copy)]
struct Range {
    readings: u64,
    stations: u64,
    /// With few values a reading has one again that it had before.
    values: u64,
    deadly: bool,
}

/// Items with some readings of a few stations; a reading may come again with another value.
pub fn items(dice: &mut Dice) -> Vec<Item> {
    let range = Range {
        readings: 4 + dice.below(12),
        stations: 1 + dice.below(3),
        values: [2, 1_000][dice.below(2) as usize],
        deadly: dice.hits(80),
    };
    let spread = [500, 20_000][dice.below(2) as usize];
    let mut after = 0;
    let count = 2 + dice.below(8);
    (0..count)
        .map(|number| {
            after += dice.below(spread);
            let lines = 1 + dice.below(6);
            Item {
                name: format!("item-{number:02}"),
                after,
                lines: (0..lines)
                    .map(|line| one_line(dice, range, &format!("{number}-{line}")))
                    .collect(),
            }
        })
        .collect()
}

fn one_line(dice: &mut Dice, range: Range, place: &str) -> Line {
    if dice.hits(60) {
        return Line::Bad(format!("bad {place}"));
    }
    let number = dice.below(range.readings);
    let (id, station) = match number {
        0 => (format!("{REFUSED}-{number}"), "s-0".to_owned()),
        1 => (format!("r-{number}"), BAD_STATION.to_owned()),
        2 => (format!("{NO_COPY}-{number}"), "s-0".to_owned()),
        3 if range.deadly => (format!("{DEADLY}-{number}"), "s-0".to_owned()),
        _ => (
            format!("r-{number}"),
            format!("s-{}", number % range.stations),
        ),
    };
    let record = json!({
        "reading": id,
        "station": station,
        "day": "2026-11-21T00:00:00.000Z",
        "value": dice.below(range.values),
    });
    match record {
        serde_json::Value::Object(record) => Line::Record(record),
        _ => Line::Bad("no object".to_owned()),
    }
}

thread_local! {
    static FILES: RefCell<BTreeMap<PathBuf, Vec<Line>>> = const { RefCell::new(BTreeMap::new()) };
}

/// What the extractor finds from now on, on this thread.
pub fn put_files(items: &[Item]) {
    let files = items.iter().map(|item| (path(item), item.lines.clone()));
    FILES.set(files.collect());
}

fn path(item: &Item) -> PathBuf {
    Path::new("simulated").join(&item.name)
}

/// Asks the simulated source, which outlives it.
#[derive(Debug)]
pub struct SimulatedCollector {
    world: Arc<World>,
    who: Who,
    given: Vec<String>,
}

impl SimulatedCollector {
    /// The collector of a process that has just started.
    pub fn new(world: Arc<World>, who: Who) -> Self {
        Self {
            world,
            who,
            given: Vec::new(),
        }
    }
}

#[async_trait]
impl Collector for SimulatedCollector {
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError> {
        self.world.point(self.who).await;
        let now = self.world.millis();
        let mut state = self.world.state();
        let fails = state.faults.source_fails;
        if state.dice.hits(fails) {
            return Err(CollectError::Unreachable {
                place: "the simulated source".to_owned(),
                source: "told to".into(),
            });
        }
        let items = state.source.iter();
        let mut there = items.filter(|item| item.after <= now && !self.given.contains(&item.name));
        let Some(item) = there.next().cloned() else {
            return Ok(None);
        };
        drop(there);
        let who = self.who;
        state.say(format_args!("source gives {} to {who}", item.name));
        self.given.push(item.name.clone());
        Ok(Some(RawItem {
            key: item.name.clone(),
            path: path(&item),
            folder: None,
            name: item.name,
        }))
    }

    async fn settle(&mut self, item: RawItem, outcome: ItemOutcome) -> Result<(), CollectError> {
        self.world.point(self.who).await;
        let mut state = self.world.state();
        state.say(format_args!("settle {} {outcome:?}", item.name));
        if outcome == ItemOutcome::Released {
            return Ok(());
        }
        state.settled(&item.name);
        state.source.retain(|kept| kept.name != item.name);
        Ok(())
    }

    fn poll_interval(&self) -> Duration {
        Duration::from_secs(2)
    }
}

/// Reads simulated items.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Simulated {}

impl Settings for Simulated {
    const NAME: &'static str = "simulated";
    const EXAMPLE: &'static str = "{}";
}

impl ExtractorConfig for Simulated {
    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        Ok(Box::new(self))
    }
}

inventory::submit! { ExtractorPlugin::of::<Simulated>(module_path!()) }

impl Extractor for Simulated {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let lines = FILES.with_borrow(|files| files.get(input.path).cloned());
        for (number, line) in lines.unwrap_or_default().into_iter().enumerate() {
            let place = || format!("line {number}");
            let went_on = match line {
                Line::Record(record) => sink.record(record, &Origin::new(&place, &Vec::new)),
                Line::Bad(raw) => sink.bad(BadRecord {
                    place: place(),
                    field: None,
                    reason: "it is no record".to_owned(),
                    raw,
                    head: None,
                }),
            };
            if went_on.is_break() {
                break;
            }
        }
        Ok(())
    }
}
