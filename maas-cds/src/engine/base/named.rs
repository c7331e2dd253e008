//! A raw product with what its name tells.

use maas_engine::engine::consolidate::Problem;
use maas_model::document::Document;

use crate::model::{Levels, PripProduct};
use crate::name::{self, ParsedName};

/// A raw product, its name, and the level that the data flow knows of its type.
#[derive(Debug)]
pub(in crate::engine) struct Named<'a> {
    pub(in crate::engine) raw: &'a Document,
    pub(in crate::engine) name: &'a str,
    pub(in crate::engine) parsed: ParsedName<'a>,
    pub(in crate::engine) level: &'a str,
}

impl<'a> Named<'a> {
    pub(in crate::engine) fn read(raw: &'a Document, levels: &'a Levels) -> Result<Self, Problem> {
        let name = product_name(raw)?;
        let parsed = name::parse(name)?;
        let level = levels.level(parsed.mission.as_deref(), parsed.product_type.as_deref());
        Ok(Self {
            raw,
            name,
            parsed,
            level,
        })
    }

    pub(in crate::engine) fn is_mission(&self, mission: &str) -> bool {
        self.parsed.mission.as_deref() == Some(mission)
    }

    /// The type, empty where the name tells none.
    pub(in crate::engine) fn product_type(&self) -> &str {
        self.parsed.product_type.as_deref().unwrap_or_default()
    }
}

/// The name of a raw product.
pub(in crate::engine) fn product_name(raw: &Document) -> Result<&str, Problem> {
    raw.text(PripProduct::PRODUCT_NAME)
        .ok_or_else(|| Problem("it has no `product_name`".to_owned()))
}
