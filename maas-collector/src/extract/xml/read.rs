//! Gives the records of a file one by one, whether they are read forward or out of the whole tree.

use std::fs::File;
use std::ops::ControlFlow;

use super::names::Names;
use super::path::{Forward, Path};
use super::records::Records;
use super::tree::{NodeId, Tree};
use crate::extract::{ExtractError, Input, Origin};

/// Which elements are records.
pub(super) struct RecordPath {
    path: Path,
    forward: Option<Forward>,
}

impl From<Path> for RecordPath {
    fn from(path: Path) -> Self {
        Self {
            forward: path.forward(),
            path,
        }
    }
}

/// Takes a record, and where it comes from.
pub(super) type Take<'t> = dyn FnMut(&Tree, NodeId, &Origin<'_>) -> ControlFlow<()> + 't;

/// Gives every record to `take`; without a path the whole file is one.
pub(super) fn each(
    input: &Input<'_>,
    names: &Names,
    path: Option<&RecordPath>,
    take: &mut Take<'_>,
) -> Result<(), ExtractError> {
    let file = File::open(input.path).map_err(|error| damage(error.to_string()))?;
    let forward = path.and_then(|path| path.forward.clone());
    let lines_known = forward.is_some();
    let mut records = Records::new(file, names.clone(), forward)?;
    let mut number = 0_u64;
    while records.advance()? {
        let found;
        let nodes = match path {
            Some(path) if path.forward.is_none() => {
                let all = path.path.all(records.tree(), Tree::TOP);
                found = all.map_err(damage)?;
                &found
            }
            _ => records.nodes(),
        };
        for node in nodes {
            number += 1;
            let place = || match lines_known {
                true => format!("record {number}, line {}", records.line()),
                false => format!("record {number}"),
            };
            let raw = || records.raw().to_vec();
            if take(records.tree(), *node, &Origin::new(&place, &raw)).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn damage(reason: String) -> ExtractError {
    ExtractError {
        place: "the whole file".into(),
        reason,
    }
}
