//! The engines that make `cds-*` documents of raw ones.
//!
//! ```text
//! raw product -> base: name, level, common fields -> publication/ (one per product and interface)
//!                                                 -> product/     (one per product, all interfaces meet)
//!             -> base: datatakes of all documents together -> mission reports
//! ```

mod base;
pub mod product;
pub mod publication;
mod raw_class;
mod settings;

pub use raw_class::RawClass;

#[cfg(test)]
mod tests {
    use maas_engine::engine::EnginePlugin;

    #[test]
    fn dead_letters_can_name_the_version_of_every_shipped_engine() {
        let mut engines: Vec<_> = inventory::iter::<EnginePlugin>().collect();
        engines.sort_by_key(|engine| engine.info.name);
        assert!(engines.len() >= 6, "only {} are linked", engines.len());
        let version = env!("CARGO_PKG_VERSION");
        for engine in engines {
            let named = format!("{} {version}", engine.info.crate_name());
            assert_eq!(engine.maker(), named, "{}", engine.info.name);
        }
    }
}
