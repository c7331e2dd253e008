//! The same product under different file names.

use std::borrow::Cow;

use md5::{Digest, Md5};

/// Extensions of products below those of archives.
const PRODUCT: [&str; 6] = [".SAFE", ".SEN3", ".EOF", ".nc", ".h5", ".RAW"];
const ARCHIVE: [&str; 3] = [".zip", ".tar", ".tgz"];

/// The name without the last extension and, below it, that of a product: `X.SAFE.zip` -> `X`.
///
/// Whatever follows the last dot goes, also the digits of a baseline (`..._N05.10` -> `..._N05`): ids of
/// stored documents are made of it, so it stays as it is. [`normalized`] protects such names.
pub fn without_extension(name: &str) -> &str {
    let stem = without_last(name);
    PRODUCT
        .iter()
        .find_map(|extension| stem.strip_suffix(extension))
        .unwrap_or(stem)
}

/// The id under which all interfaces meet: the digest of the name without extension.
pub fn product_id(name: &str) -> String {
    hex::encode(Md5::digest(without_extension(name).as_bytes()))
}

/// A Sentinel-2 name that ends in a baseline (`_N05.10`) gets `.tar`, so that the baseline is not taken
/// for an extension.
pub fn normalized(name: &str) -> Cow<'_, str> {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let is_baseline =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if name.starts_with("S2") && extension.is_some_and(is_baseline) {
        Cow::Owned(format!("{name}.tar"))
    } else {
        Cow::Borrowed(name)
    }
}

/// All file names under which an interface may publish the product.
pub fn spellings(name: &str) -> Vec<String> {
    let base = without_extension(without_last(name));
    let bare = std::iter::once("");
    bare.chain(PRODUCT)
        .flat_map(|product| {
            std::iter::once("")
                .chain(ARCHIVE)
                .map(move |archive| format!("{base}{product}{archive}"))
        })
        .collect()
}

fn without_last(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
