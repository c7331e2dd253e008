//! The data flow: which product types there are, and at which level.

use std::collections::HashMap;

use maas_model::document::Document;

maas_model::view! {
    /// A row of the data flow.
    pub struct CdsDataflow("CdsDataflow") {
        mission: text,
        product_type: text,
        level: text,
    }
}

/// The level of a type that the data flow does not know.
pub const MISSING_LEVEL: &str = "___";

/// Whether documents of this level are partitioned by sensing time; others are by publication.
pub fn is_sensing_level(level: &str) -> bool {
    matches!(level, "L0_" | "L1_" | "L2_" | "A")
}

/// The level of every product type of every mission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels(HashMap<String, HashMap<String, String>>);

impl Levels {
    /// Adds a document of `CdsDataflow`; one that lacks a part says nothing.
    pub fn add(&mut self, row: &Document) {
        let row = CdsDataflow::new(row);
        if let (Some(mission), Some(product_type), Some(level)) =
            (row.mission(), row.product_type(), row.level())
        {
            self.0
                .entry(mission.to_owned())
                .or_default()
                .insert(product_type.to_owned(), level.to_owned());
        }
    }

    /// The level of a type, [`MISSING_LEVEL`] where it is not known.
    pub fn level(&self, mission: Option<&str>, product_type: Option<&str>) -> &str {
        let found = mission
            .and_then(|mission| self.0.get(mission))
            .and_then(|types| types.get(product_type?));
        found.map_or(MISSING_LEVEL, String::as_str)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
