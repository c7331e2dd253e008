//! Where the port of metrics and health listens.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on. Without a host it is this machine alone: what is served has no password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub(crate) SocketAddr);

/// Why a text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{reason}; write `9100` for this machine alone, `0.0.0.0:9100` or `[::]:9100` for all who can reach it"
)]
pub(crate) struct ListenAddressError {
    reason: String,
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, port),
            None => ("", text),
        };
        let wrong = |reason: String| ListenAddressError { reason };
        let port: u16 = port
            .parse()
            // It is not repeated: an address with an account may stand here.
            .map_err(|_| wrong("it does not end with the number of a port".to_owned()))?;
        match host {
            "" | "localhost" => Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))),
            host => Err(wrong(format!("`{host}` is no IP address"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_host_it_is_this_machine_alone() {
        for text in ["9100", ":9100", "localhost:9100", "127.0.0.1:9100"] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.0.to_string(), "127.0.0.1:9100", "{text}");
        }
    }

    #[test]
    fn any_other_address_is_written_out() {
        for text in ["0.0.0.0:9100", "[::]:9100", "192.0.2.7:0"] {
            let address: ListenAddress = text.parse().unwrap();
            assert!(!address.0.ip().is_loopback(), "{text}");
        }
        for (text, told) in [
            ("*:9100", "`*` is no IP address"),
            ("metrics.example.org:9100", "no IP address"),
            ("127.0.0.1", "number of a port"),
            ("99999", "number of a port"),
            ("", "number of a port"),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(
                error.contains(told) && error.contains("0.0.0.0:9100"),
                "{error}"
            );
        }
    }
}
