//! Made-up product listings, as the production interfaces of the Copernicus ground segment publish them.
//!
//! Deterministic: the same [`Settings`] give the same bytes on every machine. Everything in them is
//! invented; only the forms of the names and of the OData pages are real.

mod datatake;
mod page;
mod sentinel1;
mod sentinel2;
mod sentinel3;

pub use datatake::Datatake;
pub use page::Page;

use crate::random::Random;
use chrono::{DateTime, Duration, SecondsFormat, TimeZone, Utc};

/// What to make.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Products, not counting duplicates, updates and broken records.
    pub products: usize,
    /// Products on a page at most.
    pub page_size: usize,
    /// Other seeds give other products.
    pub seed: u64,
    /// Points of the larger footprints: they decide how large a record is (24: about 3 kB).
    pub footprint_points: usize,
    /// Whether some records come twice, are updated by a later page, or are broken.
    pub variety: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            products: 120,
            page_size: 25,
            seed: 7,
            footprint_points: 6,
            variety: true,
        }
    }
}

/// Pages, and the datatakes that their products belong to.
#[derive(Debug)]
pub struct Sample {
    /// In the order in which they would be fetched.
    pub pages: Vec<Page>,
    /// Sorted by id.
    pub datatakes: Vec<Datatake>,
}

impl Sample {
    /// The datatakes as the pipeline collects them: a table with a head line.
    pub fn datatake_table(&self) -> String {
        datatake::csv(&self.datatakes)
    }
}

/// One product before it is written into a page.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    pub(crate) media_type: &'static str,
    pub(crate) footprint_points: usize,
    /// Names and values; `Attributes` is left out when there are none.
    pub(crate) attributes: Vec<(&'static str, serde_json::Value)>,
}

/// One source of products.
struct Source {
    interface: &'static str,
    /// Of 100 products.
    share: usize,
    products: Box<dyn Iterator<Item = Product>>,
}

/// Makes the sample.
pub fn generate(settings: &Settings) -> Sample {
    let mut datatakes = Vec::new();
    let mut pages = Vec::new();
    let sources = sources(settings);
    let shares: Vec<usize> = sources.iter().map(|source| source.share).collect();
    let counts = split(settings.products, &shares);
    for (number, (source, count)) in sources.into_iter().zip(counts).enumerate() {
        let products: Vec<Product> = source.products.take(count).collect();
        datatakes.extend(datatake::of(source.interface, &products));
        let mut random = Random::new(settings.seed ^ ((number as u64 + 1) << 32));
        pages.extend(page::pages(
            source.interface,
            &products,
            settings,
            &mut random,
        ));
    }
    datatakes.sort_by(|a, b| a.id.cmp(&b.id));
    datatakes.dedup_by(|a, b| a.id == b.id);
    Sample { pages, datatakes }
}

fn sources(settings: &Settings) -> Vec<Source> {
    let random = |salt: u64| Random::new(settings.seed.wrapping_add(salt));
    let points = settings.footprint_points;
    vec![
        Source {
            interface: "PRIP_S1A_Serco",
            share: 16,
            products: Box::new(sentinel1::products(random(1), points)),
        },
        Source {
            interface: "PRIP_S2A_ATOS",
            share: 30,
            products: Box::new(sentinel2::products("S2A", 45_000, random(2), points)),
        },
        Source {
            interface: "PRIP_S2B_CAPGEMINI",
            share: 30,
            products: Box::new(sentinel2::products("S2B", 36_000, random(3), points)),
        },
        Source {
            interface: "PRIP_S3A_ACRI",
            share: 12,
            products: Box::new(sentinel3::products("S3A", random(4), points)),
        },
        Source {
            interface: "PRIP_S3B_SERCO",
            share: 12,
            products: Box::new(sentinel3::products("S3B", random(5), points)),
        },
    ]
}

/// Splits `total` by `shares` so that nothing is lost to rounding: the first takes the rest.
fn split(total: usize, shares: &[usize]) -> Vec<usize> {
    let sum: usize = shares.iter().sum();
    let mut counts: Vec<usize> = shares.iter().map(|share| total * share / sum).collect();
    let given: usize = counts.iter().sum();
    if let Some(first) = counts.first_mut() {
        *first += total - given;
    }
    counts
}

/// Noon of 30 March 2024: the first instant of every sample.
fn origin() -> DateTime<Utc> {
    Utc.timestamp_opt(1_711_800_000, 0)
        .single()
        .unwrap_or_default()
}

fn seconds(count: i64) -> Duration {
    Duration::seconds(count)
}

/// `20240330T120000`, as dates stand in product names.
fn compact(instant: DateTime<Utc>) -> String {
    instant.format("%Y%m%dT%H%M%S").to_string()
}

fn iso(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_settings_give_the_same_pages() {
        let (once, again) = (
            generate(&Settings::default()),
            generate(&Settings::default()),
        );
        assert_eq!(once.pages, again.pages);
        assert_eq!(once.datatakes, again.datatakes);
        let other = generate(&Settings {
            seed: 8,
            ..Settings::default()
        });
        assert_ne!(once.pages, other.pages);
    }

    #[test]
    fn without_variety_there_are_as_many_products_as_asked_for_and_no_two_alike() {
        let settings = Settings {
            products: 5_000,
            variety: false,
            ..Settings::default()
        };
        let mut names = HashSet::new();
        for page in generate(&settings).pages {
            let page: serde_json::Value = serde_json::from_str(&page.text).unwrap();
            for record in page["value"].as_array().unwrap() {
                assert!(names.insert(record["Name"].as_str().unwrap().to_owned()));
            }
        }
        assert_eq!(names.len(), 5_000);
    }

    #[test]
    fn variety_has_broken_records_and_says_how_many() {
        let sample = generate(&Settings::default());
        let broken: usize = sample.pages.iter().map(|page| page.broken).sum();
        let texts = sample
            .pages
            .iter()
            .map(|page| page.text.matches("2024-13-45").count());
        assert!(broken > 0);
        assert_eq!(broken, texts.sum::<usize>());
    }
}
