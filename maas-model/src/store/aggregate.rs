//! Groups and measures over documents, computed by the store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Query;

/// Measures of groups of documents. Without groups there is one bucket, with no keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    /// Which documents.
    pub query: Query,
    /// What they are grouped by, outermost first. A document that lacks one of the fields is left out;
    /// one that has several values in a list stands in several groups.
    pub groups: Vec<Group>,
    /// What is measured in every group.
    pub measures: Vec<Measure>,
}

impl Aggregation {
    /// The paths of the fields that it reads.
    pub fn fields(&self) -> Vec<&str> {
        let groups = self.groups.iter().map(|group| match group {
            Group::Terms { field } | Group::DateHistogram { field, .. } => field.as_str(),
        });
        let measures = self.measures.iter().map(|measure| measure.field.as_str());
        let mut fields = self.query.fields();
        fields.extend(groups.chain(measures));
        fields
    }
}

/// One way to group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Group {
    /// One group per value.
    Terms {
        /// Path of the field.
        field: String,
    },
    /// One group per span of time that has documents, named by its first instant (stored date form).
    DateHistogram {
        /// Path of a date field.
        field: String,
        /// The span.
        interval: Interval,
    },
}

/// A calendar span in UTC; weeks start on Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Interval {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// One measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Its name in the result.
    pub name: String,
    /// What is computed.
    pub kind: MeasureKind,
    /// Path of the field; numbers, or dates as milliseconds since the epoch. `cardinality` takes any.
    pub field: String,
}

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MeasureKind {
    /// Sum; 0 of nothing.
    Sum,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Arithmetic mean.
    Average,
    /// How many different values. Exact up to 1,000; a store may approximate beyond.
    Cardinality,
}

/// One group and its measures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bucket {
    /// One per group, in their order: the value, or the first instant in the stored date form.
    pub keys: Vec<Value>,
    /// Documents in the group.
    pub count: u64,
    /// By name; `None` where there was nothing to measure.
    pub measures: BTreeMap<String, Option<f64>>,
}
