//! A product, on which all interfaces meet.

maas_model::view! {
    /// A product: what it has beside [`Consolidated`](super::Consolidated). The fields of single
    /// interfaces and services are named by these.
    pub struct CdsProduct("CdsProduct") {
        prip_id: text,
        prip_publication_date: date,
        prip_service: text,
        detector_id: text,
        tile_number: text,
        product_discriminator_date: date,
    }
}
