//! Copernicus monitoring on MaaS: product names, the models of raw and consolidated products, and the
//! engines that consolidate them. Written as any user would write a domain of their own; it also ships
//! the program `maas`.

#[cfg(feature = "copernicus")]
pub mod engine;
#[cfg(feature = "copernicus")]
pub mod model;
#[cfg(feature = "copernicus")]
pub mod name;
pub mod program;
