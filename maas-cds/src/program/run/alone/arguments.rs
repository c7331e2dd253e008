//! What of the command line a child is given as arguments, and what in its environment.

use std::ffi::OsString;

/// Options whose values may have a password in them, and the variables that stand for them.
const SERVERS: [(&str, &str); 2] = [("--store", "MAAS_STORE"), ("--bus", "MAAS_BUS")];

/// The arguments without the addresses of the servers, and these as variables: everybody on a machine may read the
/// arguments of its processes, and only their owner the environment.
pub(super) fn without_servers(
    arguments: impl Iterator<Item = OsString>,
) -> (Vec<OsString>, Vec<(&'static str, OsString)>) {
    let (mut rest, mut servers) = (Vec::new(), Vec::new());
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let text = argument.to_str().unwrap_or_default();
        let server = SERVERS.into_iter().find_map(|(option, variable)| {
            let behind = text.strip_prefix(option)?;
            let value = match behind.strip_prefix('=') {
                Some(value) => Some(OsString::from(value)),
                None if behind.is_empty() => arguments.next(),
                None => return None,
            };
            Some(value.map(|value| (variable, value)))
        });
        match server {
            Some(server) => servers.extend(server),
            None => rest.push(argument),
        }
    }
    (rest, servers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_no_arguments() {
        let written = [
            "run",
            "pipeline",
            "--store",
            "https://u:p@s",
            "--bus=amqp://u:p@b",
            "--storey",
            "--only",
            "pool=a",
        ];
        let (rest, servers) = without_servers(written.into_iter().map(OsString::from));
        assert_eq!(rest, ["run", "pipeline", "--storey", "--only", "pool=a"]);
        let expected = [
            ("MAAS_STORE", OsString::from("https://u:p@s")),
            ("MAAS_BUS", OsString::from("amqp://u:p@b")),
        ];
        assert_eq!(servers, expected);
    }
}
