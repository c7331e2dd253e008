//! The side file: facts about a file that are not in it, kept for a later replay from elsewhere.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use maas_model::document::Source;
use maas_model::private;
use serde_json::Value;

/// Its name is the file's with this behind.
pub(crate) const SUFFIX: &str = "-maas-meta.json";

/// The side file of a file.
pub(crate) fn path_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(SUFFIX);
    path.into()
}

/// What stands in the side file, if there is one.
pub(super) fn read(file: &Path) -> Result<Option<Source>, String> {
    let path = path_of(file);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot read its side file: {error}")),
    };
    match serde_json::from_slice(&text) {
        Ok(Value::Object(meta)) => Ok(Some(meta)),
        Ok(_) => Err("its side file is no JSON object".into()),
        Err(error) => Err(format!("its side file is broken: {error}")),
    }
}

/// Writes the side file.
pub(super) fn write(file: &Path, meta: &Source) -> std::io::Result<()> {
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut writer = serde_json::Serializer::with_formatter(&mut text, indent);
    serde::Serialize::serialize(meta, &mut writer)?;
    private::write_like(&path_of(file), &text, file)
}
