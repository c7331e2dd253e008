//! A program of one's own: MaaS with two plugins of this crate.
//!
//! The modules register themselves because this program names them; plugins of another crate are linked
//! with `use that_crate as _;`.

mod double;
mod numbers;

fn main() -> std::process::ExitCode {
    maas_cds::program::main()
}
