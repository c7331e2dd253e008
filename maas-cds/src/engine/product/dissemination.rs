//! How long after the production interface a product is handed out.

use maas_model::document::Document;
use serde_json::Value;

use crate::model::{CdsProduct, DisseminationService, date_of, microseconds_between};

/// Measures the delay of `service`, once both dates are known.
pub(super) fn measure(service: &DisseminationService, product: &mut Document) {
    let produced = CdsProduct::new(&*product).prip_publication_date();
    let handed_out = date_of(product, &service.publication_date);
    if let Some(took) = microseconds_between(produced, handed_out) {
        product.set(&service.from_prip_timeliness, Value::from(took));
    }
}
