//! What the name of a Sentinel product tells: mission, type, orbit, datatake, dates.
//!
//! One file per mission. All positions count characters, as the naming conventions do; a name may be
//! any text. Nothing here allocates for an ordinary name: the parts borrow from it.

mod extension;
mod external;
mod iso;
mod parsed;
mod sentinel1;
mod sentinel2;
mod sentinel3;
mod sentinel5p;
mod text;

pub use extension::{normalized, product_id, spellings, without_extension};
pub use parsed::{ParsedName, Part};
pub use sentinel2::is_container;

use text::Text;

/// Why nothing can be told of a name: it starts as a Sentinel name and goes on as none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no product name: {reason}")]
pub struct NameError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Satellites (`_`: of the mission as a whole) whose names are read.
const SATELLITES: [&str; 14] = [
    "S1_", "S2_", "S3_", "S5_", "S1A", "S1B", "S1C", "S1D", "S2A", "S2B", "S2C", "S3A", "S3B",
    "S5P",
];

/// Reads a product name. A name of another system gives an empty [`ParsedName`], whose `mission` is
/// `None`; a part that cannot be read is left out and said in its `warnings`.
pub fn parse(name: &str) -> Result<ParsedName<'_>, NameError> {
    let text = Text::new(name);
    let satellite = text.slice(0, 3);
    if !SATELLITES.contains(&satellite) {
        return Ok(external::parse(name));
    }
    let parsed = match text.slice(0, 2) {
        "S1" => sentinel1::parse(text),
        "S2" => sentinel2::parse(text),
        "S3" => sentinel3::parse(text),
        _ => Ok(sentinel5p::parse(text)),
    };
    parsed.map_err(|reason| NameError {
        name: name.to_owned(),
        reason,
    })
}
