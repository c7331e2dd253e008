//! The program `maas` with the engines of this package, and with failpoints.

use maas_reliability as _; // linked for its registrations

fn main() -> std::process::ExitCode {
    maas_cds::program::main()
}
