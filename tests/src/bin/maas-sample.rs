//! Writes made-up product listings into a folder: `maas-sample --products 100000 --out FOLDER`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use maas_tests::sample::{Settings, generate};

/// Writes made-up product listings and the datatakes they belong to.
#[derive(Parser)]
struct Options {
    /// Folder to write to; made when it is missing.
    #[arg(long)]
    out: PathBuf,
    /// File for the table of the datatakes (CSV, as `seed/datatakes.csv` of the pipeline).
    #[arg(long)]
    datatakes: Option<PathBuf>,
    /// Products, not counting duplicates, updates and broken records.
    #[arg(long, default_value_t = Settings::default().products)]
    products: usize,
    /// Products on a page at most.
    #[arg(long, default_value_t = Settings::default().page_size)]
    page_size: usize,
    /// Other seeds give other products.
    #[arg(long, default_value_t = Settings::default().seed)]
    seed: u64,
    /// Points of the larger footprints (24: about 3 kB a record).
    #[arg(long, default_value_t = Settings::default().footprint_points)]
    footprint_points: usize,
    /// Neither duplicates nor updates nor broken records.
    #[arg(long)]
    plain: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let sample = generate(&Settings {
        products: options.products,
        page_size: options.page_size,
        seed: options.seed,
        footprint_points: options.footprint_points,
        variety: !options.plain,
    });
    fs::create_dir_all(&options.out)
        .with_context(|| format!("cannot make `{}`", options.out.display()))?;
    for page in &sample.pages {
        let path = options.out.join(&page.file_name);
        fs::write(&path, &page.text)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if let Some(path) = &options.datatakes {
        fs::write(path, sample.datatake_table())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}
