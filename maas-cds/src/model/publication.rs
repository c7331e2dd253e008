//! What one interface published.

maas_model::view! {
    /// A publication: what it has beside [`Consolidated`](super::Consolidated).
    pub struct CdsPublication("CdsPublication") {
        service_id: text,
        service_type: text,
        product_uuid: text,
        publication_date: date,
        eviction_date: date,
        origin_date: date,
        sensing_end_date: date,
        tile_number: text,
        from_sensing_timeliness: long,
        transfer_timeliness: long,
    }
}
