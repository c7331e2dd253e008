//! Archives: each member that matches goes to another extractor. Settings and extractor.

#[cfg(test)]
mod leaving;
mod member;
mod tar;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};

use flate2::bufread::MultiGzDecoder;
use globset::GlobMatcher;
use indexmap::IndexMap;
use maas_model::plugin::{SettingError, Settings, unknown_name};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::bounded::Bounded;
use super::field::wrong;
use super::zip::Zip;
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};
use crate::collect::file::glob;
use member::Members;

/// Every archive may become this large.
const ALWAYS_ALLOWED: u64 = 64 << 20;
/// Beyond that, so many times its own size.
const LARGEST_RATIO: u64 = 200;
/// What has these names is a zip file inside and is read as it is.
const NO_ARCHIVES: [&str; 3] = [".xlsx", ".xlsm", ".ods"];

/// Opens archives, and has another extractor read the files in them: `.zip`, `.tar`, `.tar.gz` or `.tgz`,
/// `.gz`, told apart by content. A file that is none of these is read as it is.
///
/// A member is unpacked into a temporary file of another name, one after the other; `reportName` of its
/// records is its base name. A member that cannot be read is told and costs itself alone. Archives within
/// archives are not opened. An archive may unpack to 64 MiB or 200 times its size, whichever is more, and
/// to no more than `most_mebibytes`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Which members, by their full name within the archive, case sensitive: `*` any text (folders too),
    /// `?` any character, `[abc]`, `[!abc]`. Folders and links are never read.
    #[serde(default = "any")]
    members: String,
    /// The extractor that reads them, and its settings.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
    #[schemars(with = "BTreeMap<String, Value>")]
    extract: IndexMap<String, Value>,
    /// How large all of an archive may become, in MiB.
    #[serde(default = "default_most_mebibytes")]
    #[schemars(range(min = 1, max = 1_048_576))]
    most_mebibytes: u64,
    /// How many members an archive may have, those that do not match included.
    #[serde(default = "default_most_members")]
    #[schemars(range(min = 1, max = 65_536))]
    most_members: u64,
}

fn any() -> String {
    "*".into()
}

fn default_most_mebibytes() -> u64 {
    1024
}

fn default_most_members() -> u64 {
    10_000
}

impl Settings for ArchiveConfig {
    const NAME: &'static str = "archive";
    const EXAMPLE: &'static str =
        "{ members: '*MPL_SPACQ*.csv', extract: { csv: { fields: { satellite: Satellite } } } }";
}

inventory::submit! { ExtractorPlugin::of::<ArchiveConfig>(module_path!()) }

struct ArchiveExtractor {
    pattern: GlobMatcher,
    extractor: Box<dyn Extractor>,
    most_bytes: u64,
    most_members: u64,
}

impl ArchiveConfig {
    fn inner(&self) -> Result<(&'static ExtractorPlugin, &Value), SettingError> {
        let mut inner = self.extract.iter();
        let (Some((name, settings)), None) = (inner.next(), inner.next()) else {
            return Err(wrong("extract", "the name of one extractor is wanted"));
        };
        if name == Self::NAME {
            return Err(wrong("extract", "archives within archives are not opened"));
        }
        let plugin = ExtractorPlugin::find(name).ok_or_else(|| SettingError {
            hint: unknown_name("extractor", name),
            ..wrong("extract", format!("unknown extractor `{name}`"))
        })?;
        Ok((plugin, settings))
    }
}

impl ExtractorConfig for ArchiveConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let (plugin, settings) = self.inner().ok()?;
        (plugin.info().yields)(settings)
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let pattern = glob(&self.members, false)
            .map_err(|reason| errors.push(wrong("members", reason)))
            .ok();
        let built = self.inner().map_err(|error| vec![error]);
        let built = built.and_then(|(plugin, settings)| {
            let path = format!("extract.{}", plugin.info().name);
            plugin.build(settings).map_err(|errors| {
                let within = errors.into_iter().map(|error| SettingError {
                    path: match error.path.as_str() {
                        "" => path.clone(),
                        inner => format!("{path}.{inner}"),
                    },
                    ..error
                });
                within.collect()
            })
        });
        let extractor = built.map_err(|found| errors.extend(found)).ok();
        match (pattern, extractor) {
            (Some(pattern), Some(extractor)) if errors.is_empty() => {
                Ok(Box::new(ArchiveExtractor {
                    pattern,
                    extractor,
                    most_bytes: self.most_mebibytes << 20,
                    most_members: self.most_members,
                }))
            }
            _ => Err(errors),
        }
    }
}

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar,
    Gzip,
    File,
}

impl Extractor for ArchiveExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let mut file = File::open(input.path).map_err(damage)?;
        let size = file.metadata().map_err(damage)?.len();
        let kind = kind(&mut file, input.name)?;
        if kind == Kind::File {
            return self.extractor.extract(input, sink);
        }
        let most = size.saturating_mul(LARGEST_RATIO).max(ALWAYS_ALLOWED);
        let most = most.min(self.most_bytes);
        let mut members = Members {
            pattern: &self.pattern,
            extractor: &*self.extractor,
            folder: input.folder,
            sink,
            left: self.most_members,
        };
        match kind {
            Kind::Zip => zip(file, most, &mut members),
            Kind::Tar => tar::read(bounded(file, most), &mut members),
            Kind::Gzip | Kind::File => gzip(file, most, input.name, &mut members),
        }
    }
}

fn bounded<R: Read>(packed: R, most: u64) -> Bounded<R> {
    let reason = format!(
        "it is larger than {} MiB unpacked: more than its size or `most_mebibytes` allows",
        most >> 20
    );
    Bounded::new(packed, most, reason)
}

fn zip(file: File, most: u64, members: &mut Members<'_>) -> Result<(), ExtractError> {
    let mut zip = Zip::open(file).map_err(damage)?;
    let mut left = most;
    for member in zip.members().to_vec() {
        if !members.wants(&member.name, member.is_file)? {
            continue;
        }
        let bytes = zip
            .read(&member)
            .map_err(|error| member::damage(&member.name, error))?;
        let mut bytes = bounded(bytes, left);
        if members.read(&member.name, &mut bytes)?.is_break() {
            break;
        }
        left = bytes.left();
    }
    Ok(())
}

/// A gzip file holds a tar file, or one file that is called as it is without the ending.
fn gzip(file: File, most: u64, name: &str, members: &mut Members<'_>) -> Result<(), ExtractError> {
    let packed = MultiGzDecoder::new(BufReader::with_capacity(64 << 10, file));
    let mut packed = BufReader::with_capacity(64 << 10, bounded(packed, most));
    let mut head = Vec::new();
    packed
        .by_ref()
        .take(512)
        .read_to_end(&mut head)
        .map_err(damage)?;
    let is_tar = is_tar(&head, name);
    let mut all = head.as_slice().chain(packed);
    if is_tar {
        return tar::read(all, members);
    }
    let name = name.strip_suffix(".gz").unwrap_or(name);
    if members.wants(name, true)? {
        let _ = members.read(name, &mut all)?;
    }
    Ok(())
}

fn kind(file: &mut File, name: &str) -> Result<Kind, ExtractError> {
    let mut head = Vec::new();
    file.take(512).read_to_end(&mut head).map_err(damage)?;
    file.rewind().map_err(damage)?;
    let lower = name.to_ascii_lowercase();
    let compression = match head.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6, ..] if !NO_ARCHIVES.iter().any(|end| lower.ends_with(end)) => {
            return Ok(Kind::Zip);
        }
        [0x1f, 0x8b, ..] => return Ok(Kind::Gzip),
        [b'B', b'Z', b'h', ..] => "bzip2",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "xz",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        _ if is_tar(&head, name) => return Ok(Kind::Tar),
        _ => return Ok(Kind::File),
    };
    Err(damage(format!(
        "it is packed with {compression}; `.zip`, `.tar` and `.gz` are read"
    )))
}

/// Whether a file that begins like this is a tar file; very old ones do not say so.
fn is_tar(head: &[u8], name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let called = [".tar", ".tgz", ".tar.gz"]
        .iter()
        .any(|end| lower.ends_with(end));
    called || head.get(257..262) == Some(b"ustar")
}

fn damage(reason: impl ToString) -> ExtractError {
    ExtractError {
        place: "the whole archive".into(),
        reason: reason.to_string(),
    }
}
