//! Products of production interface points.

use maas_engine::engine::consolidate::Problem;
use maas_model::document::Document;

use super::{Products, Told, dissemination, service};
use crate::engine::base::{Fallback, Named, fill_common};
use crate::model::{CdsProduct, PripProduct};

/// Tiles of Sentinel-2, which users get in containers.
const TILES: [&str; 4] = ["MSI_L1C_TC", "MSI_L1C_TL", "MSI_L2A_TC", "MSI_L2A_TL"];

impl Products {
    pub(super) fn fill_prip(
        &self,
        named: &Named<'_>,
        product: &mut Document,
        told: &mut Told,
    ) -> Result<(), Problem> {
        fill_common(
            named,
            product,
            Fallback {
                sensing_start: named.parsed.start_date,
            },
        );
        service::note_service(named.raw, product)?;
        fill_parts(named, product);
        for (field, of_raw) in [
            (CdsProduct::PRIP_ID, PripProduct::PRODUCT_ID),
            (
                CdsProduct::PRIP_PUBLICATION_DATE,
                PripProduct::PUBLICATION_DATE,
            ),
            (CdsProduct::PRIP_SERVICE, PripProduct::INTERFACE_NAME),
        ] {
            product.set(field, named.raw.source.get(of_raw).cloned());
        }
        if named.is_mission("S2") {
            self.tell_s2(named, product, told);
        }
        for service in self.config.dd_attrs.values() {
            dissemination::measure(service, product);
        }
        Ok(())
    }

    /// Telemetry and tiles of Sentinel-2 have engines of their own that wait for them.
    fn tell_s2(&self, named: &Named<'_>, product: &mut Document, told: &mut Told) {
        if named.product_type() == "PRD_HKTM__" {
            told.hktm.push(product.id.clone());
        }
        if named.parsed.tile_number.is_none() || !TILES.contains(&named.product_type()) {
            return;
        }
        let created = named.parsed.creation_date;
        CdsProduct::new(&mut *product).set_product_discriminator_date(created);
        let of_interest = self
            .base
            .min_date
            .is_none_or(|min| created.is_some_and(|date| date >= min));
        if of_interest {
            told.tiles.push(product.id.clone());
        }
    }
}

fn fill_parts(named: &Named<'_>, product: &mut Document) {
    let parsed = &named.parsed;
    let mut view = CdsProduct::new(product);
    view.set_detector_id(parsed.detector_id.as_deref().map(str::to_owned));
    view.set_tile_number(parsed.tile_number.as_deref().map(str::to_owned));
}
