//! Copernicus monitoring on MaaS: product names, the models of raw and consolidated products, and the
//! engines that consolidate them. Written as any user would write a domain of their own; it also ships
//! the program `maas`.

pub mod engine;
pub mod model;
pub mod name;
