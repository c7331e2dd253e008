//! Which interfaces have published a product: fields whose names begin with the interface's.

use maas_engine::engine::consolidate::Problem;
use maas_model::document::Document;
use serde_json::Value;

use crate::model::{PripProduct, iso_text};

/// Notes that the interface of `raw` has published `product`. The first publication on an interface
/// stands; a later one changes nothing.
pub(super) fn note_service(raw: &Document, product: &mut Document) -> Result<(), Problem> {
    let raw = PripProduct::new(raw);
    let interface = raw
        .interface_name()
        .ok_or_else(|| Problem("it has no `interface_name`".to_owned()))?;
    let published = format!("{interface}_is_published");
    if product.source.contains_key(&published) {
        tracing::debug!(id = %product.id, interface, "published on this interface before");
        return Ok(());
    }
    let date = raw.publication_date().map(iso_text);
    let id = raw.product_id().unwrap_or("MISSING");
    product.set(&published, Value::Bool(true));
    product.set(
        &format!("{interface}_publication_date"),
        date.map(Value::from),
    );
    product.set(&format!("{interface}_id"), Value::from(id));
    count_service(interface, product);
    Ok(())
}

/// Interfaces of one kind begin with the same word: `PRIP_S1A_Serco`.
fn count_service(interface: &str, product: &mut Document) {
    let kind = interface
        .split('_')
        .next()
        .unwrap_or(interface)
        .to_lowercase();
    let field = format!("nb_{kind}_served");
    let served = product
        .source
        .get(&field)
        .and_then(Value::as_i64)
        .unwrap_or(0);
    product.set(&field, Value::from(served + 1));
}
