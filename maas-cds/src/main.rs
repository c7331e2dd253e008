//! The program `maas`, with the Copernicus engines.

use maas_cds as _; // linked for its registrations

/// Thousands of small allocations per message, on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    maas_cds::program::main()
}
